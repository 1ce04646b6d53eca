"""Which groups of refusals to find, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.service.permission import Permission
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import GroupKey, RefusalGroup


@dataclass(frozen=True, slots=True)
class RefusalQuery:
    """Which groups to find; the default finds all."""

    api: str = ""
    """A key, or the name of an API for all its versions."""
    since: datetime | None = None
    """Seen at that time or later."""
    reason: str = ""
    states: frozenset[GroupState] = frozenset()
    """Empty: any. With open ones, reopened ones are found too: both wait for a decision."""
    origin: str = ""
    """A part of the origin, compared without case."""
    observed: bool | None = None
    """Whether observe mode forwarded the requests; None: either."""
    method: str = ""
    """Compared without case."""
    words: tuple[str, ...] = ()
    """Each is a part of the origin, the API's key, the method or a header name; compared without case."""

    def matches(self, key: GroupKey) -> bool:
        """Whether it finds groups with that key, whatever their state and time."""
        return (
            self.reason in ("", key.reason)
            and (not self.api or self.covers_api(key.api))
            and self.observed in (None, key.observed)
            and (not self.method or self.method.lower() == key.method.lower())
            and (not self.origin or self.origin.lower() in key.origin.lower())
            and (not self.words or self._has_words(key))
        )

    @property
    def only_states(self) -> bool:
        """Whether it asks for nothing but states."""
        return replace(self, states=frozenset()) == RefusalQuery()

    def matches_state(self, state: GroupState) -> bool:
        """Whether it finds groups in that state."""
        reopened = state is GroupState.REOPENED and GroupState.OPEN in self.states
        return not self.states or state in self.states or reopened

    def covers_api(self, key: str) -> bool:
        """Whether it finds groups of that API."""
        return self.api in ("", key) or ("/" not in self.api and key.partition("/")[0] == self.api)

    def _has_words(self, key: GroupKey) -> bool:
        values = "\0".join((key.origin, key.api, key.method, *key.headers)).lower()
        return all(word.lower() in values for word in self.words)


class RefusalOrder(StrEnum):
    """What comes first in a list; equal ones are in the order of their ids."""

    COUNT = "count"
    """Those of most requests."""
    CLIENTS = "clients"
    """Those of most clients, then of most requests."""
    RECENT = "recent"
    """Those that were seen last."""


Position = tuple[int | str, ...]
"""The place of a group in a list: smaller ones come first."""


def position(order: RefusalOrder, group: RefusalGroup, group_id: str) -> Position:
    """The place of a group with that id in lists of that order."""
    return (*_POSITIONS[order](group), group_id)


def numbers_in(order: RefusalOrder) -> int:
    """How many numbers precede the id in positions of that order."""
    return 2 if order is RefusalOrder.CLIENTS else 1


_POSITIONS: Final[Mapping[RefusalOrder, Callable[[RefusalGroup], tuple[int, ...]]]] = {
    RefusalOrder.COUNT: lambda one: (-round(one.count),),
    RefusalOrder.CLIENTS: lambda one: (-one.clients, -round(one.count)),
    RefusalOrder.RECENT: lambda one: (-round(one.last_seen.timestamp() * 1e6),),
}


def can_see(permission: Permission, api: str) -> bool:
    """Whether the caller can see telemetry of that API, of ``server-level`` or, if empty, of no API."""
    if not permission.limited:
        return True
    return api not in ("", SERVER_LEVEL) and permission.covers_api(api)
