"""Since which revision a group is refused, and what that revision took away.

Earlier revisions are replayed, the newest first, until one of them lets the group's requests pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.policy import EffectivePolicy, Reason
from crossgate.policy.origin_pattern import OriginPattern, serialise_origin_pattern
from crossgate.policy.origin_set import OriginSet
from crossgate.service.earlier_catalogues import earlier_catalogues
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import CatalogueStore
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.refusal_states import PolicyChange
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import Fate, FateKind, Replayer

_RANKS: Final = {FateKind.ALLOWED: 0, FateKind.OBSERVED: 1, FateKind.REFUSED: 2}
_MOST_ALIKE: Final = 500
"""Groups of one API that are compared for one cause: 0.03 s."""
_MOST_KEPT: Final = 20_000
_MOST_PASTS: Final = 200


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """The revision since which a group is refused."""

    revision: int
    place: str = ""
    """What it changed: a property of the policy, ``cors`` if there was no policy, ``mode`` if the policy only
    observed, ``application NAME``; empty if something else did it."""
    removed: tuple[str, ...] = ()
    """The entries that it took away, as in a document; they are an operator's, not a request's."""
    at: datetime | None = None


def find_cause(
    replayer: Replayer, group: RefusalGroup, earlier: Iterable[tuple[int, Catalogue]]
) -> RefusalCause | None:
    """The cause of a group that is refused or observed now; None if no earlier revision let it pass.

    ``earlier`` has the revisions before changes that concern its API, and their catalogues, the newest first.
    It is read as far as needed.
    """
    return _find(group, replayer, _Past(replayer, earlier))


class _Past:
    """The changes that concern one API, each with the states before and after it; read as far as needed."""

    def __init__(self, now: Replayer, earlier: Iterable[tuple[int, Catalogue]]) -> None:
        self._states = [now]
        self._numbers: list[int] = []
        self._earlier = iter(earlier)

    def __iter__(self) -> Iterator[tuple[int, Replayer, Replayer]]:
        """The number of each change, and the states before and after it; the newest first."""
        at = 0
        while at < len(self._numbers) or self._read():
            yield self._numbers[at], self._states[at + 1], self._states[at]
            at += 1

    def _read(self) -> bool:
        found = next(self._earlier, None)
        if found is not None:
            self._numbers.append(found[0] + 1)
            self._states.append(Replayer(found[1]))
        return found is not None


def _find(group: RefusalGroup, now: Replayer, past: _Past) -> RefusalCause | None:
    fate = now.fate(group)
    if fate is None or fate.kind not in (FateKind.REFUSED, FateKind.OBSERVED):
        return None
    for revision, before, after in past:
        earlier = before.fate(group)
        if earlier is not None and _RANKS.get(earlier.kind, 2) < _RANKS[fate.kind]:
            return RefusalCause(revision, *_find_removed(group, earlier, before, after))
    return None


def _find_removed(
    group: RefusalGroup, fate: Fate, before: Replayer, after: Replayer
) -> tuple[str, tuple[str, ...]]:
    key = group.key
    old, new = before.policy(key.api), after.policy(key.api)
    if fate.kind is FateKind.OBSERVED:
        return "mode", ()
    if old is None and isinstance(new, EffectivePolicy):
        return "cors", ()
    if not isinstance(old, EffectivePolicy) or not isinstance(new, EffectivePolicy):
        return "", ()
    if not new.origins.admits(key.origin):
        left = new.policy.allowed_origins
        gone = [one for one in old.policy.allowed_origins if one not in left and _admits(one, key.origin)]
        if gone:
            return "allowed_origins", tuple(map(_written, gone))
        owner = _former_owner(key.api, key.origin, before.catalogue, after.catalogue)
        return (f"application {owner}", (key.origin,)) if owner else ("", ())
    match (after.fate(group) or fate).reason:
        case Reason.METHOD_REFUSED:
            return "allowed_methods", (key.method,)
        case Reason.HEADER_REFUSED:
            return "allow_headers", new.header_names.find_refused(",".join(key.headers), 10)
        case _:
            return "", ()


def _admits(pattern: OriginPattern, origin: str) -> bool:
    return OriginSet.of([pattern]).admits(origin)


def _written(pattern: OriginPattern) -> str:
    raw = serialise_origin_pattern(pattern)
    return raw if isinstance(raw, str) else next(iter(raw.values()))


def _former_owner(api: str, origin: str, before: Catalogue, after: Catalogue) -> str:
    """The application that brought the origin to the API before, and does not any more."""
    for name, one in before.applications.items():
        brought = origin in one.javascript_origins and api in one.apis and not one.suspended
        if brought and after.applications.get(name) != one:
            return name
    return ""


class RefusalCauses:
    """The causes of the groups of one store; each is found once for each change of its API. Thread-safe."""

    def __init__(self, store: CatalogueStore, history: PolicyHistory) -> None:
        self._store = store
        self._history = history
        self._lock = Lock()
        self._found: dict[tuple[str, int], RefusalCause | None] = {}
        self._pasts: dict[tuple[str, int], _Past] = {}

    def find(self, group: RefusalGroup, replayer: Replayer) -> RefusalCause | None:
        """The cause of one group."""
        changes = self._history.changes(group.key.api)
        if not changes:
            return None
        known = group.key.id, changes[0].revision
        with self._lock:
            if known not in self._found:
                if len(self._found) >= _MOST_KEPT:
                    self._found.clear()
                cause = _find(group, replayer, self._past(group.key.api, changes, replayer))
                times = {one.revision: one.at for one in changes}
                self._found[known] = cause and replace(cause, at=times.get(cause.revision))
            return self._found[known]

    def count_alike(
        self, group: RefusalGroup, cause: RefusalCause, groups: Iterable[JudgedGroup], replayer: Replayer
    ) -> int:
        """How many of the other ``groups`` are refused since the same revision, for the same reason."""
        key = group.key
        alike = (
            one.group
            for one in groups
            if (one.group.key.api, one.group.key.reason) == (key.api, key.reason)
            and one.group.key != key
            and one.status.state.needs_decision
        )
        found = (self.find(one, replayer) for one in islice(alike, _MOST_ALIKE))
        return sum(one is not None and one.revision == cause.revision for one in found)

    def _past(self, api: str, changes: Sequence[PolicyChange], replayer: Replayer) -> _Past:
        key = api, changes[0].revision
        if key not in self._pasts:
            if len(self._pasts) >= _MOST_PASTS:
                self._pasts.clear()
            now = Replayer(_only(replayer, api))
            numbers = [one.revision for one in changes]
            self._pasts[key] = _Past(now, earlier_catalogues(self._store, api, numbers, now.catalogue))
        return self._pasts[key]


def _only(replayer: Replayer, api: str) -> Catalogue:
    """The part of the catalogue that decides about one API: states of the past take little memory then."""
    catalogue = replayer.catalogue
    applications = {one.name: one for one in replayer.associations.of_api(api)}
    apis = {api: catalogue.apis[api]} if api in catalogue.apis else {}
    return replace(catalogue, apis=apis, applications=applications)
