"""The policy editor's state, which is its form: read from fields, changed by one act, written as a policy.

The rules of policies are the API's. Here is only what a form has and a policy does not: rows that were
removed, and the policy that the draft began with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
LISTS: Final = ("allowed_methods", "allow_headers", "expose_headers")
EXACT, WILDCARD, PORT, REGEX, ANY, NULL = "exact", "wildcard", "port", "regex", "any", "null"
KINDS: Final = (
    (EXACT, "Exact"),
    (WILDCARD, "Wildcard"),
    (PORT, "Any port"),
    (REGEX, "Regex"),
    (ANY, "Any (*)"),
    (NULL, "null"),
)
_FIXED: Final = {ANY: "*", NULL: "null"}
_LABELS: Final = {
    "allowed_methods": "allowed methods",
    "allow_headers": "allow headers",
    "expose_headers": "expose headers",
    "allow_credentials": "allow credentials",
    "max_age": "max age",
    "mode": "mode",
    "plain_options": "plain OPTIONS",
}
_DEFAULTS: Final[Mapping[str, object]] = {
    "allowed_methods": [],
    "allow_headers": [],
    "expose_headers": [],
    "allow_credentials": False,
    "max_age": None,
    "mode": "enforce",
    "plain_options": "refuse",
}
NEW_POLICY: Final[Mapping[str, Any]] = {
    "allowed_methods": ["GET", "POST"],
    "allow_headers": ["Content-Type"],
    "mode": "observe",
}
"""What an API without a policy begins with: it records, and refuses nothing."""

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OriginRow:
    """A row of the allowed origins. ``was`` is its index in the policy that the draft began with."""

    kind: str
    text: str
    was: int | None = None
    removed: bool = False

    @property
    def entry(self) -> object:
        """The entry as in a document."""
        if self.kind == REGEX:
            return {"regex": self.text}
        return _FIXED.get(self.kind, self.text)


@dataclass(frozen=True, slots=True)
class PropertyConflict:
    """A property that two people changed."""

    name: str
    was: Any
    theirs: Any
    mine: Any

    @property
    def label(self) -> str:
        """As in a sentence."""
        return _LABELS[self.name]


@dataclass(frozen=True, slots=True)
class PolicyForm:
    """A draft."""

    base: Mapping[str, Any] | None
    """The policy that it began with; None if the API had none."""
    etag: str
    rows: tuple[OriginRow, ...]
    values: Mapping[str, Any]
    """Every property but the origins."""
    accepted: tuple[Mapping[str, Any], ...] = ()
    """``lint.allow`` of the API."""
    base_accepted: tuple[Mapping[str, Any], ...] = ()
    conflicts: tuple[PropertyConflict, ...] = ()
    added: bool = True
    """False for an API without a policy, until one is added."""

    @classmethod
    def of(cls, api: Mapping[str, Any], etag: str) -> PolicyForm:
        """The form of an API as it is."""
        policy = api.get("cors")
        accepted = tuple(api.get("lint", {}).get("allow", ()))
        values = {name: (policy or {}).get(name, default) for name, default in _DEFAULTS.items()}
        rows = _rows((policy or {}).get("allowed_origins", ()))
        return cls(policy, etag, rows, values, accepted, accepted, added=policy is not None)

    @classmethod
    def read(cls, fields: Fields) -> PolicyForm:
        """The form of its fields, which :meth:`hidden` and the template write."""
        state = json.loads(_last(fields, "state") or "{}")
        kinds, texts, marks = (_all(fields, name) for name in ("kind", "origin", "row"))
        rows = []
        for kind, text, mark in zip(kinds, texts, marks, strict=False):
            was, _, removed = mark.partition("-")
            rows.append(OriginRow(kind, text.strip(), int(was) if was.isdecimal() else None, bool(removed)))
        for line in (_last(fields, "new_origin") or "").splitlines():
            rows += [_guessed(word, _last(fields, "new_kind")) for word in line.replace(",", " ").split()]
        values = dict(_DEFAULTS)
        base = state.get("base")
        for name in LISTS:
            typed = [word for raw in _all(fields, f"{name}_more") for word in raw.replace(",", " ").split()]
            wanted = [*_all(fields, name), *(word for word in typed if word)]
            # The order is that in which browsers get them: what was there stays in its place.
            before = [one for one in (base or {}).get(name, ()) if one in wanted]
            values[name] = [*before, *dict.fromkeys(one for one in wanted if one not in before)]
        values["allow_credentials"] = "allow_credentials" in dict(fields)
        age = (_last(fields, "max_age") or "").replace(",", "").strip()
        values["max_age"] = (int(age) if age.isascii() and age.isdecimal() else age) if age else None
        for name in ("mode", "plain_options"):
            values[name] = _last(fields, name) or _DEFAULTS[name]
        return cls(
            base,
            state.get("etag", ""),
            tuple(rows),
            values,
            tuple(state.get("accepted", ())),
            tuple(state.get("base_accepted", ())),
            tuple(PropertyConflict(**one) for one in state.get("conflicts", ())),
        )

    @property
    def state(self) -> str:
        """What no control of the form shows, for a hidden field."""
        return json.dumps(
            {
                "base": self.base,
                "etag": self.etag,
                "accepted": [*self.accepted],
                "base_accepted": [*self.base_accepted],
                "conflicts": [
                    {"name": one.name, "was": one.was, "theirs": one.theirs, "mine": one.mine}
                    for one in self.conflicts
                ],
            }
        )

    @property
    def active(self) -> list[int]:
        """Of each entry of the draft, the position of its row."""
        return [at for at, row in enumerate(self.rows) if not row.removed and row.entry != ""]

    @property
    def policy(self) -> dict[str, Any]:
        """The draft as the API takes it; what has its default is left out."""
        found = {name: value for name, value in self.values.items() if value != _DEFAULTS[name]}
        return {"allowed_origins": [self.rows[at].entry for at in self.active], **found}

    @property
    def lint(self) -> dict[str, Any] | None:
        """The API's ``lint`` if the draft changes it."""
        return None if self.accepted == self.base_accepted else {"allow": [*self.accepted]}

    def was(self, name: str) -> Any:
        """The value of a property in the policy that the draft began with."""
        return (self.base or {}).get(name, _DEFAULTS.get(name))

    def is_changed(self, name: str) -> bool:
        """Whether a property differs from where the draft began."""
        return bool(self.values[name] != self.was(name))

    def row_state(self, row: OriginRow) -> str:
        """``added``, ``removed``, ``changed`` or empty."""
        if row.was is None:
            return "" if row.removed or row.entry == "" else "added"
        if row.removed:
            return "removed"
        entries = (self.base or {}).get("allowed_origins", ())
        same = row.was < len(entries) and entries[row.was] == row.entry
        return "" if same else "changed"

    @property
    def changes(self) -> int:
        """How many things differ from where the draft began."""
        rows = sum(bool(self.row_state(row)) for row in self.rows)
        new = self.added and self.base is None
        properties = sum(self.is_changed(name) for name in _DEFAULTS)
        return rows + properties + (self.lint is not None) + (new and not rows + properties)

    def act(self, what: str, fields: Fields = ()) -> PolicyForm:
        """The form after one act of its buttons, such as ``remove:3`` or ``add:allowed_methods:PATCH``."""
        verb, _, rest = what.partition(":")
        name, _, value = rest.partition(":")
        match verb:
            case "remove" | "restore" if name.isdecimal() and int(name) < len(self.rows):
                return self._with_row(int(name), removed=verb == "remove")
            case "replace" if name.isdecimal() and int(name) < len(self.rows):
                return self._with_row(int(name), text=value)
            case "add" if name in LISTS and value not in self.values[name]:
                return self._with(name, [*self.values[name], value])
            case "drop" if name in LISTS:
                return self._with(name, [one for one in self.values[name] if one != value])
            case "set" if name == "max_age" and value.isdecimal():
                return self._with(name, int(value))
            case "withdraw" if name.isdecimal():
                kept = (one for at, one in enumerate(self.accepted) if at != int(name))
                return replace(self, accepted=tuple(kept))
            case "accept":
                one = json.loads(rest)
                reason = _last(fields, f"reason:{one['code']}:{one.get('entry') or ''}") or ""
                return replace(self, accepted=(*self.accepted, {**one, "reason": reason.strip()}))
            case "theirs" | "mine":
                return self._decided(name, theirs=verb == "theirs")
            case _:
                return self

    def _with(self, name: str, value: Any) -> PolicyForm:
        return replace(self, values={**self.values, name: value})

    def _with_row(self, at: int, **values: Any) -> PolicyForm:
        row = replace(self.rows[at], **values)
        rows = [*self.rows]
        if row.removed and row.was is None:
            del rows[at]
        else:
            rows[at] = row
        return replace(self, rows=tuple(rows))

    def _decided(self, name: str, *, theirs: bool) -> PolicyForm:
        left = tuple(one for one in self.conflicts if one.name != name)
        found = next((one for one in self.conflicts if one.name == name), None)
        made = self._with(name, found.theirs) if theirs and found is not None else self
        return replace(made, conflicts=left)

    def merged(self, api: Mapping[str, Any], etag: str) -> PolicyForm:
        """The draft on top of what somebody else saved.

        What only they changed is taken over, in lists entry by entry; properties that both changed are
        conflicts, and have my value until somebody decides.
        """
        theirs = PolicyForm.of(api, etag)
        values: dict[str, Any] = {}
        conflicts = []
        for name in _DEFAULTS:
            was, mine, new = self.was(name), self.values[name], theirs.values[name]
            values[name] = mine if mine != was else new
            if name in LISTS:
                values[name] = _merge(was, mine, new)
            elif mine not in (was, new) and new != was:
                conflicts.append(PropertyConflict(name, was, new, mine))
        before = (self.base or {}).get("allowed_origins", ())
        removed = [before[row.was] for row in self.rows if self._gone(row) and row.was is not None]
        rows = [replace(row, removed=row.entry in removed) for row in theirs.rows]
        known = [row.entry for row in theirs.rows]
        mine_added = [row for row in self.rows if self.row_state(row) in ("added", "changed")]
        rows += [replace(row, was=None) for row in mine_added if row.entry not in known]
        accepted = self.accepted if self.lint is not None else theirs.accepted
        return replace(
            theirs,
            rows=tuple(rows),
            values=values,
            accepted=accepted,
            conflicts=tuple(conflicts),
            added=True,
        )

    def _gone(self, row: OriginRow) -> bool:
        return self.row_state(row) in ("removed", "changed")


def _merge(was: Sequence[Any], mine: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    kept = [one for one in theirs if one in mine or one not in was]
    return [*kept, *(one for one in mine if one not in was and one not in kept)]


def _rows(entries: Iterable[object]) -> tuple[OriginRow, ...]:
    return tuple(replace(row_of(entry), was=index) for index, entry in enumerate(entries))


def row_of(entry: object) -> OriginRow:
    """The row of an entry."""
    if isinstance(entry, Mapping):
        return OriginRow(REGEX, str(entry.get("regex", "")))
    return _guessed(str(entry), None)


def _guessed(text: str, kind: str | None) -> OriginRow:
    """A row for typed text. A regular expression is never guessed."""
    if kind == REGEX:
        return OriginRow(REGEX, text)
    fixed = next((name for name, value in _FIXED.items() if value == text), None)
    pattern = PORT if text.endswith(":*") and "*." not in text else WILDCARD
    return OriginRow(fixed or (pattern if "*" in text else EXACT), text)


def _all(fields: Fields, name: str) -> list[str]:
    return [value for key, value in fields if key == name]


def _last(fields: Fields, name: str) -> str | None:
    return next((value for key, value in reversed(fields) if key == name), None)
