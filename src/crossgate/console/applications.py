"""Applications as cards and as a matrix with APIs, from the JSON of the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

COLUMNS: Final = 8
"""APIs that the matrix shows at once."""
_UNKNOWN: Final = {"words": "Not proven", "safety": "caution"}


@dataclass(frozen=True, slots=True)
class OriginLine:
    """An origin of an application: whom it lets in, and whether it was seen."""

    origin: str
    last_seen: str | None
    apis: tuple[str, ...]
    """APIs that allowed it."""
    verdict: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One application."""

    name: str
    etag: str
    suspended: bool
    origins: tuple[OriginLine, ...]
    apis: tuple[str, ...]
    owner: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One API of the matrix."""

    key: str
    mode: str
    """``enforce``, ``observe`` or ``none``."""

    @property
    def name(self) -> str:
        """Its name, without the version."""
        return self.key.partition("/")[0]

    @property
    def version(self) -> str:
        """Its version."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Cell:
    """One application with one API."""

    api: str
    registered: bool
    why_inert: str = ""
    """Why a registration has no effect; empty if it has one."""

    @property
    def words(self) -> str:
        """The state, for screen readers."""
        if not self.registered:
            return "not registered"
        return f"registered, without effect: {self.why_inert}" if self.why_inert else "registered"

    @property
    def dot(self) -> str:
        """The state as its dot is called."""
        return "absent" if not self.registered else "inert" if self.why_inert else "registered"


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An application with a cell for each column."""

    application: ApplicationRow
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ApiEffect:
    """The origins that gain or lose access to one API."""

    api: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveBar:
    """What saving would do, from the body of a preview."""

    base: int
    changed: int
    effects: tuple[ApiEffect, ...] = ()
    left: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """The cells that still change something."""
    findings: tuple[Mapping[str, Any], ...] = ()
    replay: Mapping[str, Any] = field(default_factory=dict)
    file: Mapping[str, Any] | None = None
    """In file mode, the patch of the file."""

    @property
    def gains(self) -> tuple[ApiEffect, ...]:
        """APIs to which origins gain access."""
        return tuple(one for one in self.effects if one.gains)

    @property
    def loses(self) -> tuple[ApiEffect, ...]:
        """APIs to which origins lose access."""
        return tuple(one for one in self.effects if one.loses)

    @property
    def refused(self) -> int:
        """Findings because of which saving is refused."""
        return sum(bool(one["refuses"]) for one in self.findings)


def application_rows(
    items: Iterable[Mapping[str, Any]], verdicts: Mapping[str, Mapping[str, Any]]
) -> list[ApplicationRow]:
    """The applications of a page of `GET /v1/applications`; ``verdicts`` by origin."""
    return [
        ApplicationRow(
            name=item["name"],
            etag=item["etag"],
            suspended=item["application"].get("suspended", False),
            origins=tuple(_origin_lines(item, verdicts)),
            apis=tuple(item["application"].get("apis", ())),
            owner=item["application"].get("owner", ""),
            labels=item["application"].get("labels", {}),
        )
        for item in items
    ]


def _origin_lines(item: Mapping[str, Any], verdicts: Mapping[str, Mapping[str, Any]]) -> Iterable[OriginLine]:
    # Without telemetry, nothing is known of what was seen.
    unknown: list[Mapping[str, Any]] = [
        {"origin": one, "last_seen": None, "apis": ()} for one in _origins_of(item)
    ]
    for one in item.get("origins") or unknown:
        origin = one["origin"]
        apis = tuple(each["api"] for each in one["apis"])
        yield OriginLine(origin, one["last_seen"], apis, verdicts.get(origin, _UNKNOWN))


def _origins_of(item: Mapping[str, Any]) -> Sequence[str]:
    return tuple(item["application"].get("javascript_origins", ()))


def every_origin(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """The origins of all applications of a page, each once."""
    return list(dict.fromkeys(origin for item in items for origin in _origins_of(item)))


def used_apis(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """The APIs that the applications of a page are registered with, by key."""
    return sorted(Counter(api for item in items for api in item["application"].get("apis", ())))


def columns_of(apis: Iterable[Mapping[str, Any]]) -> list[Column]:
    """The columns for APIs as documents have them."""
    return [
        Column(
            f"{one['name']}/{one['version']}", (one.get("cors") or {"mode": "none"}).get("mode", "enforce")
        )
        for one in apis
    ]


def matrix_rows(
    rows: Iterable[ApplicationRow], columns: Sequence[Column], *, server_cors: bool
) -> list[MatrixRow]:
    """The rows with their cells."""
    return [
        MatrixRow(row, tuple(_cell(row, one, server_cors=server_cors) for one in columns)) for row in rows
    ]


_INERT: Final = {"observe": "the API observes only", "none": "the API has no policy"}


def _cell(row: ApplicationRow, column: Column, *, server_cors: bool) -> Cell:
    registered = column.key in row.apis
    if row.suspended:
        why = "the application is suspended"
    elif server_cors:
        why = "server-level CORS decides"
    else:
        why = _INERT.get(column.mode, "")
    return Cell(column.key, registered, why)


def save_bar(plan: Mapping[str, Any]) -> SaveBar:
    """What the preview of registrations or of one application says."""
    left: dict[str, list[Mapping[str, str]]] = {"register": [], "remove": []}
    for change in plan["changes"]:
        before, after = (
            (change[side] or {}).get("apis", ()) if change["kind"] == "application" else ()
            for side in ("before", "after")
        )
        left["register"] += [{"application": change["key"], "api": one} for one in after if one not in before]
        left["remove"] += [{"application": change["key"], "api": one} for one in before if one not in after]
    return SaveBar(
        base=plan["base"],
        changed=sum(map(len, left.values())),
        effects=tuple(
            ApiEffect(one["api"], tuple(one["gains"]), tuple(one["loses"])) for one in plan["access"]
        ),
        left=left,
        findings=tuple(plan["findings"]),
        replay=plan["replay"] or {},
        file=plan.get("file"),
    )
