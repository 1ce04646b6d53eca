"""Recorded groups of refusals and allowed origins for tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from crossgate.catalogue.model import Catalogue
from crossgate.policy import Reason
from crossgate.service.refusals import AllowedKey, AllowedOrigin, GroupKey, RefusalGroup, SeenIn
from crossgate.service.replay import Replay, Replayer

NOON: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)


def group(
    origin: str,
    *,
    api: str = "petstore/1.0",
    reason: str = Reason.ORIGIN_REFUSED,
    preflight: bool = False,
    method: str = "GET",
    headers: tuple[str, ...] = (),
    observed: bool = False,
    count: float = 10,
    **seen_in: Any,
) -> RefusalGroup:
    key = GroupKey(api, origin, reason, preflight, method, headers, observed)
    return RefusalGroup(
        key,
        sampled=int(count),
        count=count,
        variance=0,
        first_seen=NOON,
        last_seen=NOON,
        clients=1,
        seen_in=replace(SeenIn(path="/gateway/petstore/1.0/pets"), **seen_in),
    )


def allowed(
    origin: str,
    *,
    api: str = "petstore/1.0",
    preflight: bool = False,
    method: str = "GET",
    headers: tuple[str, ...] = (),
    count: float = 10,
) -> AllowedOrigin:
    return AllowedOrigin(AllowedKey(api, origin, preflight, method, headers), count, NOON)


def replay(
    before: Catalogue, after: Catalogue, groups: Iterable[RefusalGroup], allowed: Iterable[AllowedOrigin] = ()
) -> Replay:
    """What becomes of recorded requests if the catalogue ``before`` is replaced by ``after``."""
    return Replayer(before).replay(after, groups, allowed)
