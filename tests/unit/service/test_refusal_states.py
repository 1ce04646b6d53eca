"""The state of a group: what was decided, and what happened since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from crossgate.service.refusal_states import GroupState, PolicyChange, group_status
from crossgate.service.refusals import (
    DismissalReason,
    Disposition,
    DispositionKind,
    GroupKey,
    RefusalGroup,
    SeenIn,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


@dataclass(frozen=True)
class Changes:
    """Revision and minute of each change."""

    known: tuple[tuple[int, float], ...] = ()

    def first(self, *, after: datetime, revision: int = 0) -> PolicyChange | None:
        found = (PolicyChange(number, at(minute)) for number, minute in self.known)
        return next((one for one in found if one.revision > revision and one.at >= after), None)


def group(last_seen: float, decided: Disposition | None = None) -> RefusalGroup:
    key = GroupKey("pets/1.0", "https://a.example", "origin-refused", preflight=True, method="GET")
    return RefusalGroup(key, 1, 1.0, 0.0, at(-60), at(last_seen), 1, SeenIn(), decided)


def allowed(revision: int = 5) -> Disposition:
    return Disposition(DispositionKind.ALLOWED, NOON, "ann", revision)


def dismissed(reason: DismissalReason, revision: int = 5) -> Disposition:
    return Disposition(DispositionKind.DISMISSED, NOON, "ann", revision, reason)


@pytest.mark.parametrize(
    ("decided", "last_seen", "changes", "passes", "state", "revision"),
    [
        # Nothing decided.
        (None, 0, (), False, "open", None),
        (None, 0, ((6, 1),), False, "open", None),
        (None, 0, ((6, 1),), True, "allowed", 6),
        # Refused while the change was rolled out.
        (None, 1.1, ((6, 1),), True, "allowed", 6),
        # Refused long after it: some node does not enforce it, and the group needs attention.
        (None, 2, ((6, 1),), True, "open", None),
        # The first change after the last refusal, not the newest one.
        (None, 0, ((4, -30), (6, 1), (9, 30)), True, "allowed", 6),
        # Allowed.
        (allowed(), -1, (), True, "allowed", 5),
        (allowed(), 3, (), True, "allowed", 5),
        (allowed(), -1, ((6, 1),), False, "allowed", 5),
        (allowed(), 0.5, ((6, 1),), False, "allowed", 5),
        (allowed(), 2, ((6, 1),), False, "reopened", 6),
        # It came back after the first of two changes.
        (allowed(), 2, ((6, 1), (7, 30)), False, "reopened", 6),
        # It came back, and was allowed by another change.
        (allowed(), 2, ((6, 1), (7, 30)), True, "allowed", 7),
        # The change that allowed it does not count as a later one.
        (allowed(6), 2, ((6, 0.1),), True, "allowed", 6),
        # Dismissed.
        (dismissed(DismissalReason.ATTACK), 2, ((6, 1),), False, "dismissed", None),
        (dismissed(DismissalReason.BOT), 2, ((6, 1),), False, "dismissed", None),
        (dismissed(DismissalReason.RETIRED), 2, (), False, "dismissed", None),
        (dismissed(DismissalReason.RETIRED), 0.5, ((6, 1),), False, "dismissed", None),
        (dismissed(DismissalReason.RETIRED), 2, ((6, 1),), False, "reopened", 6),
        (dismissed(DismissalReason.OTHER), 2, ((6, 1),), False, "reopened", 6),
        (dismissed(DismissalReason.OTHER), 2, ((4, 1),), False, "dismissed", None),
    ],
)
def test_the_state_of_a_group(
    decided: Disposition | None,
    last_seen: float,
    changes: tuple[tuple[int, float], ...],
    passes: bool,
    state: str,
    revision: int | None,
) -> None:
    found = group_status(group(last_seen, decided), Changes(changes), passes=passes)

    assert (found.state, found.revision) == (state, revision)
    assert found.disposition == decided
    assert found.state.needs_decision == (found.state in (GroupState.OPEN, GroupState.REOPENED))


@pytest.mark.parametrize(("last_seen", "lags"), [(-1, False), (0.1, False), (1, True)])
def test_an_allowed_group_that_is_still_refused_is_marked(last_seen: float, lags: bool) -> None:
    assert group_status(group(last_seen, allowed()), Changes(), passes=True).lags is lags
