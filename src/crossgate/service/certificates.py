"""What nodes know about the certificates that their Envoys use: names, expiry, problems. No key is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.observers import Observers

MOST_CERTIFICATES: Final = 1000
"""Of one node."""
NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_LONGEST: Final = 4096
_MOST_NAMES: Final = 100
_MOST_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True)
class CertificateState:
    """A certificate or a file of authorities on one node's machine."""

    certificate: str
    """Path of its file."""
    key: str = ""
    """Path of the key's file; empty for authorities."""
    names: tuple[str, ...] = ()
    """The names and addresses for which the served certificate holds."""
    not_after: datetime | None = None
    """When the served one expires, of authorities the last; None if none is served."""
    current: bool = True
    """Whether Envoy has what the files contain; otherwise it has the last good pair, or none."""
    problems: tuple[Diagnostic, ...] = ()
    """What is wrong with the files; places are relative to where the settings name the pair."""
    since: datetime = NEVER
    """When this state began."""

    @property
    def serves(self) -> bool:
        """Whether Envoy has a certificate at all."""
        return self.not_after is not None

    def to_json(self) -> dict[str, object]:
        """The state as JSON-ready values, which :meth:`from_json` reads."""
        return {
            "certificate": self.certificate,
            "key": self.key,
            "names": list(self.names),
            "not_after": None if self.not_after is None else self.not_after.isoformat(),
            "current": self.current,
            "problems": [one.as_json() | {"steps": list(one.place.path)} for one in self.problems],
            "since": self.since.isoformat(),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CertificateState:
        """The state that a node reported; raises ValueError, KeyError or TypeError for anything else."""
        not_after = raw["not_after"]
        return cls(
            _text(raw["certificate"]),
            _text(raw["key"]),
            tuple(map(_text, raw["names"][:_MOST_NAMES])),
            None if not_after is None else _time(not_after),
            bool(raw["current"]),
            tuple(map(_problem, raw["problems"][:_MOST_PROBLEMS])),
            _time(raw["since"]),
        )


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError("expected a string")
    return raw[:_LONGEST]


def _time(raw: object) -> datetime:
    found = datetime.fromisoformat(_text(raw))
    if found.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return found


def _problem(raw: Mapping[str, Any]) -> Diagnostic:
    steps = tuple(one if isinstance(one, int) else _text(one) for one in raw["steps"][:10])
    found = None if raw["found"] is None else _text(raw["found"])
    return Diagnostic(
        _text(raw["code"]),
        _text(raw["message"]),
        _text(raw["remedy"]),
        Place(steps),
        found,
        Severity(raw["severity"]),
    )


class NodeCertificates:
    """The states that each node reported last. Read it from any thread."""

    def __init__(self) -> None:
        self._states: Mapping[str, tuple[CertificateState, ...]] = {}
        self._changed = Observers[None]()

    def of(self, node: str) -> Sequence[CertificateState]:
        """Those of one node; none if it did not report any."""
        return self._states.get(node, ())

    def put(self, node: str, states: Sequence[CertificateState]) -> None:
        """Replace the states of a node."""
        if tuple(states) != self._states.get(node, ()):
            self._states = {**self._states, node: tuple(states)}
            self._changed.notify(None)

    def keep(self, nodes: set[str]) -> None:
        """Drop the states of all other nodes."""
        if self._states.keys() - nodes:
            self._states = {node: states for node, states in self._states.items() if node in nodes}

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call ``observer`` when a state changed, until the returned function is called."""
        return self._changed.add(lambda _: observer())
