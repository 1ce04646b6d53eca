"""When the policies of APIs changed: from the revisions of a store, or from the heads that a file had."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from threading import Lock
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Catalogue
from crossgate.policy import CorsPolicy
from crossgate.service.objects import ObjectKind
from crossgate.service.ports import CatalogueStore, JsonObject, RecordedChange, Revision, utc_now
from crossgate.service.refusal_states import PolicyChange
from crossgate.service.snapshot import Snapshot

_PAGE: Final = 200
_MOST: Final = 100
_LARGE: Final = 1000
_OF_APPLICATIONS: Final = ("javascript_origins", "apis", "suspended")
_OF_THE_GATEWAY: Final = ("public_origins", "same_origin")


@dataclass(frozen=True, slots=True)
class _Touched:
    change: PolicyChange
    apis: frozenset[str] | None
    """None: all."""
    created: frozenset[str] = frozenset()
    """The APIs that it created."""
    recorded: bool = True
    """Whether it is a revision of the store that can be read again for one API."""

    def concerns(self, api: str) -> bool:
        return self.apis is None or api in self.apis


class PolicyHistory:
    """The changes of effective policies. Thread-safe.

    Each revision is read once, when it is needed: a list has thousands of groups, and asks for each of them.
    """

    def __init__(self, store: CatalogueStore, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._known: Snapshot = store.head
        self._read_at: int | None = None
        """The head when newer revisions were looked for."""
        self._changes: list[_Touched] = []
        """The newest first, without gaps."""
        self._older: deque[Revision] = deque()
        """Those before ``_changes`` that were listed, and whose differences nobody needed yet."""
        self._listed_all = False
        self._of_api: dict[str, list[PolicyChange]] = {}

    def of(self, api: str) -> ApiHistory:
        """The changes of one API."""
        return ApiHistory(self, api)

    def note_head(self) -> None:
        """Note what changed if the head is a new one and has no record, as that of a file.

        The change counts from this call, because a file does not tell when it was loaded.
        """
        with self._lock:
            head, known = self._store.head, self._known
            if head.revision == known.revision:
                return
            recorded = bool(self._store.revisions(limit=1))
            self._known = head
            if not recorded:
                apis = _changed_policies(known.catalogue, head.catalogue)
                self._changes.insert(
                    0, _Touched(PolicyChange(head.revision, self._clock()), apis, recorded=False)
                )
                self._of_api.clear()

    def first(self, api: str, after: datetime, revision: int) -> PolicyChange | None:
        """The first change of the API at or after that time whose number is above ``revision``."""
        self.note_head()
        with self._lock:
            self._read_newer()
            while self._list_older() and self._older[0].at >= after:
                self._changes.append(self._read(self._older[0]))
                self._older.popleft()
                self._of_api.clear()
            if api not in self._of_api:
                self._of_api[api] = [one.change for one in self._changes if one.concerns(api)]
            changes = self._of_api[api]
        found = None
        for one in changes:
            if one.at < after or one.revision <= revision:
                break
            found = one
        return found

    def changes(self, api: str) -> Sequence[PolicyChange]:
        """The recorded changes of the API among the newest 100 revisions, the newest first.

        They end where the API was created, and at a revision of more than 1,000 objects, which takes too long
        to read for each API.
        """
        self.note_head()
        with self._lock:
            self._read_newer()
            oldest = self._known.revision - _MOST
            while self._list_older() and self._older[0].number > oldest and self._older[0].objects <= _LARGE:
                self._changes.append(self._read(self._older[0]))
                self._older.popleft()
                self._of_api.clear()
            found = []
            for one in self._changes:
                if one.change.revision <= oldest or api in one.created or not one.recorded:
                    break
                if one.concerns(api):
                    found.append(one.change)
            return found

    def touched_since(self, revision: int) -> frozenset[str] | None:
        """The APIs whose effective policy can have changed after that revision; None if it can be all."""
        self.note_head()
        with self._lock:
            if self._known.revision - revision > _PAGE:
                return None
            self._read_newer()
            while self._list_older() and self._older[0].number > revision:
                self._changes.append(self._read(self._older[0]))
                self._older.popleft()
                self._of_api.clear()
            newer = [one.apis for one in takewhile(lambda one: one.change.revision > revision, self._changes)]
        found = [one for one in newer if one is not None]
        return frozenset().union(*found) if len(found) == len(newer) else None

    def _read_newer(self) -> None:
        """Read what was stored since the last call."""
        if self._read_at == self._known.revision:
            return
        if self._changes:
            newest = self._changes[0].change.revision
            newer = takewhile(lambda one: one.number > newest, self._revisions())
            self._changes[:0] = list(map(self._read, newer))
        else:
            self._older.clear()
            self._listed_all = False
        self._of_api.clear()
        self._read_at = self._known.revision

    def _list_older(self) -> bool:
        """Whether there are revisions before those that were read."""
        if not self._older and not self._listed_all:
            before = self._changes[-1].change.revision if self._changes else None
            self._older.extend(self._store.revisions(before=before, limit=_PAGE))
            self._listed_all = not self._older
        return bool(self._older)

    def _revisions(self) -> Iterator[Revision]:
        before: int | None = None
        while page := self._store.revisions(before=before, limit=_PAGE):
            yield from page
            before = page[-1].number

    def _read(self, revision: Revision) -> _Touched:
        recorded = self._store.revision(revision.number)
        change = PolicyChange(revision.number, revision.at)
        if recorded is None:
            return _Touched(change, None)
        created = (
            one.key for one in recorded.difference if one.kind is ObjectKind.API and one.before is None
        )
        small = revision.objects <= _LARGE
        return _Touched(change, _touched(recorded.difference), frozenset(created), recorded=small)


@dataclass(frozen=True, slots=True)
class ApiHistory:
    """The changes of one API's effective policy; ``server-level`` changes with the settings."""

    history: PolicyHistory
    api: str

    def first(self, *, after: datetime, revision: int = 0) -> PolicyChange | None:
        """The first change at or after that time whose number is above ``revision``."""
        return self.history.first(self.api, after, revision)


def _touched(difference: Iterable[RecordedChange]) -> frozenset[str] | None:
    """The APIs whose effective policy a revision changed; None if it can be all."""
    found: set[str] = set()
    for one in difference:
        before, after = one.before or {}, one.after or {}
        match one.kind:
            case ObjectKind.API:
                if before.get("cors") != after.get("cors"):
                    found.add(one.key)
            case ObjectKind.APPLICATION:
                if _differ(before, after, _OF_APPLICATIONS):
                    found |= {*_names(before), *_names(after)}
            case ObjectKind.SETTINGS:
                return None
            case ObjectKind.GATEWAY:
                if _differ(before, after, _OF_THE_GATEWAY):
                    return None
    return frozenset(found)


def _differ(before: JsonObject, after: JsonObject, keys: Iterable[str]) -> bool:
    return any(before.get(key) != after.get(key) for key in keys)


def _names(application: Mapping[str, object]) -> Iterable[str]:
    apis = application.get("apis")
    return map(str, apis) if isinstance(apis, list) else ()


def _changed_policies(before: Catalogue, after: Catalogue) -> frozenset[str] | None:
    """The APIs whose effective policy differs between two catalogues; None if it can be all."""
    old_gateway, new_gateway = before.gateway, after.gateway
    if (
        before.settings != after.settings
        or old_gateway.public_origins != new_gateway.public_origins
        or old_gateway.same_origin != new_gateway.same_origin
    ):
        return None
    _, found = Associations.of(before.applications).advance(after.applications)
    for api in before.apis.keys() | after.apis.keys():
        sides = [catalogue.apis.get(api) for catalogue in (before, after)]
        if sides[0] is not sides[1] and _policy(sides[0]) != _policy(sides[1]):
            found.add(api)
    return frozenset(found)


def _policy(api: Api | None) -> CorsPolicy | None:
    return None if api is None else api.cors
