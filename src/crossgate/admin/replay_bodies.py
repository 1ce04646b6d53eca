"""A replay as the body of a response."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import FateKind, Replay, Replayed

_MOST: Final = 1000
"""Records that are listed, for each of the two lists."""


class ReplayedBody(BaseModel):
    """Recorded requests that a change would treat otherwise: a group of refusals, or an allowed origin."""

    id: str | None
    """The id of the group; null for an allowed origin."""
    api: str
    origin: str
    preflight: bool
    """Whether they are OPTIONS requests; then `method` and `headers` are what they ask for."""
    method: str
    headers: list[str]
    count: int
    """How many were recorded; of an allowed origin, an estimate."""
    error: int | None
    """`count` is within plus or minus this; null for an estimate."""
    before: FateKind
    """What becomes of such requests now."""
    after: FateKind
    """What would become of them."""
    reason: str
    """Why, if they would be refused or observed; empty if they differ in it."""


class ReplayBody(BaseModel):
    """What a plan would have made of recorded requests; the records of most requests come first."""

    gained: list[ReplayedBody]
    """Refused now and allowed after it; at most 1,000."""
    lost: list[ReplayedBody]
    """Allowed now and refused after it, or not served; at most 1,000."""
    gained_requests: int
    """Requests of all gained records, listed or not."""
    lost_requests: int
    omitted: int
    """Records of APIs that change, of fewest requests, that were not replayed because there were too many."""
    unknown: int
    """Records of APIs that change, and that have too little of the requests to tell."""
    unknown_requests: int


def replay_body(found: Replay) -> ReplayBody:
    """The replay as a body."""
    return ReplayBody(
        gained=[_replayed(one) for one in found.gained[:_MOST]],
        lost=[_replayed(one) for one in found.lost[:_MOST]],
        gained_requests=round(sum(one.record.count for one in found.gained)),
        lost_requests=round(sum(one.record.count for one in found.lost)),
        omitted=found.omitted,
        unknown=len(found.unknown),
        unknown_requests=round(sum(record.count for record in found.unknown)),
    )


def _replayed(found: Replayed) -> ReplayedBody:
    record, error = found.record, found.error
    return ReplayedBody(
        id=record.key.id if isinstance(record, RefusalGroup) else None,
        api=record.key.api,
        origin=record.key.origin,
        preflight=record.key.preflight,
        method=record.key.method,
        headers=list(record.key.headers),
        count=round(record.count),
        error=None if error is None else round(error),
        before=found.before.kind,
        after=found.after.kind,
        reason=found.after.reason,
    )
