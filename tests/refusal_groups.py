"""Recorded groups of refusals and allowed origins for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from crossgate.catalogue.model import Catalogue
from crossgate.policy import Reason
from crossgate.service.hyperloglog import add, empty
from crossgate.service.refusals import AllowedKey, AllowedOrigin, GroupDelta, GroupKey, RefusalGroup, SeenIn
from crossgate.service.replay import Replay, Replayer
from crossgate.service.telemetry_rules import hour_of

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


def many_deltas(apis: Sequence[str], count: int, now: datetime) -> Iterator[GroupDelta]:
    """As many groups of refusals, of these APIs in turn, seen within the last two days; for benchmarks."""
    reasons = (Reason.ORIGIN_REFUSED, Reason.ORIGIN_REFUSED, Reason.METHOD_REFUSED, Reason.HEADER_REFUSED)
    for number in range(count):
        api = apis[number % len(apis)]
        seen = now - timedelta(seconds=number * 17 % 172_800)
        key = GroupKey(
            api,
            f"https://site-{number}.example{number % 97}.com",
            str(reasons[number % 4]),
            preflight=True,
            method="PUT",
            headers=("content-type", "x-trace"),
        )
        registers = empty()
        for client in range(number % 40):
            add(registers, int.from_bytes(sha256(f"{number}/{client}".encode()).digest()[:8], "big"))
        yield GroupDelta(
            key,
            hour_of(seen),
            sampled=1,
            count=number % 500 + 1,
            variance=0,
            first_seen=seen,
            last_seen=seen,
            clients=bytes(registers),
            seen_in=SeenIn(f"/gateway/{api}/items/*", ("Chrome", "Firefox"), ("cross-site",), ("cors",)),
        )
