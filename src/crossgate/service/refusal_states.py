"""The state of a group of refusals: what was decided about it, and whether it came back since.

A decision is stored with the group (`Disposition`); the rest is computed whenever the group is shown:

* An *allowed* group is *reopened* when it is refused after a later revision changed the API's policy. Until
  then, refusals of nodes that do not enforce the revision yet do not reopen it.
* A *dismissed* group that is an attack or a bot stays dismissed: it goes on, whatever the policy is. One that
  is `retired` or `other` is reopened by the same rule as an allowed group, since the reason may have ended.
* A group about which nothing was decided is *allowed* too if the newest revision allows its requests and a
  change of the policy came after the last refusal: somebody edited the policy or the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from crossgate.service.refusals import DismissalReason, Disposition, DispositionKind, RefusalGroup

ROLLOUT: Final = timedelta(seconds=10)
"""Refusals for so long after a change can come from nodes that do not enforce it yet."""
_LASTING: Final = frozenset({DismissalReason.ATTACK, DismissalReason.BOT})


class GroupState(StrEnum):
    """What is to be done about a group: something about open and reopened ones, nothing about others."""

    OPEN = "open"
    ALLOWED = "allowed"
    DISMISSED = "dismissed"
    REOPENED = "reopened"

    @property
    def needs_decision(self) -> bool:
        """Whether the group waits for somebody."""
        return self in (GroupState.OPEN, GroupState.REOPENED)


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A revision that changed what an API allows."""

    revision: int
    at: datetime


class PolicyChanges(Protocol):
    """The changes of one API's effective policy."""

    def first(self, *, after: datetime, revision: int = 0) -> PolicyChange | None:
        """The first change at or after that time whose number is above ``revision``."""
        ...


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The state of a group and what led to it."""

    state: GroupState
    revision: int | None = None
    """The revision since which an allowed group is allowed; of a reopened one, the first change of the policy
    after the decision."""
    disposition: Disposition | None = None
    """What was decided last, also about a group that was reopened."""
    lags: bool = False
    """Whether an allowed group is still refused: a node does not enforce the revision."""


def group_status(group: RefusalGroup, changes: PolicyChanges, *, passes: bool) -> GroupStatus:
    """The status of a group; ``passes`` is whether the newest revision allows its requests."""
    decided, state, returned = group.disposition, GroupState.OPEN, None
    if decided is not None:
        returned = _returned(group, decided, changes)
        if returned is None:
            return _as_decided(group, decided)
        state = GroupState.REOPENED
    if passes:
        change = changes.first(after=max(group.last_seen - ROLLOUT, group.first_seen))
        if change is not None:
            return GroupStatus(GroupState.ALLOWED, change.revision, decided)
    return GroupStatus(state, returned.revision if returned else None, decided)


def _returned(group: RefusalGroup, decided: Disposition, changes: PolicyChanges) -> PolicyChange | None:
    """The first change since the decision, if the group was refused after it and that reopens it."""
    if decided.reason in _LASTING or group.last_seen <= decided.at:
        return None
    change = changes.first(after=decided.at, revision=decided.revision)
    return change if change is not None and group.last_seen > change.at else None


def _as_decided(group: RefusalGroup, decided: Disposition) -> GroupStatus:
    if decided.kind is DispositionKind.DISMISSED:
        return GroupStatus(GroupState.DISMISSED, disposition=decided)
    lags = group.last_seen > decided.at + ROLLOUT
    return GroupStatus(GroupState.ALLOWED, decided.revision, decided, lags)
