"""Batches of telemetry for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.hyperloglog import add, empty
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.service.refusals import (
    AllowedDelta,
    AllowedKey,
    DismissalReason,
    Disposition,
    DispositionKind,
    GroupDelta,
    GroupKey,
    OtherRefusals,
    SeenIn,
)
from crossgate.telemetry.group_keys import allowed_key_of, key_parts, refusal_key_of
from crossgate.telemetry.sampled_request import SampledRequest

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
REFUSED = DecisionSeries("pets/1.0", "/gateway/pets/1.0", "preflight", "origin-refused")
ALLOWED = DecisionSeries("pets/1.0", "/gateway/pets/1.0", "preflight", "allowed")
OBSERVED = DecisionSeries("shop/1.0", "/gateway/shop/1.0", "cors-request", "origin-refused", observed=True)


def counted(
    values: Mapping[DecisionSeries, int],
    control_plane: str = "a",
    node: str = "n1",
    incarnation: str = "i1",
    hour: datetime = NOON,
    ended: Iterable[tuple[str, str]] = (),
) -> TelemetryBatch:
    """A batch of counters of one process."""
    counters = {CounterKey(node, incarnation, series): value for series, value in values.items()}
    return TelemetryBatch(control_plane, hour, counters, tuple(ended))


def refused(
    *groups: GroupDelta, control_plane: str = "a", others: Iterable[OtherRefusals] = ()
) -> TelemetryBatch:
    """A batch of refusals."""
    return TelemetryBatch(control_plane, NOON, {}, groups=groups, others=tuple(others))


def let_in(*allowed: AllowedDelta, control_plane: str = "a") -> TelemetryBatch:
    """A batch of allowed origins."""
    return TelemetryBatch(control_plane, NOON, {}, allowed=allowed)


def group_key(origin: str = "https://a.example", api: str = "pets/1.0", **more: object) -> GroupKey:
    values: dict[str, object] = {"reason": "origin-refused", "preflight": True, "method": "GET", **more}
    return GroupKey(api=api, origin=origin, **values)  # type: ignore[arg-type]


def group(
    key: GroupKey | None = None,
    count: float = 1,
    at: datetime = NOON,
    clients: Iterable[object] = (),
    seen_in: SeenIn | None = None,
    variance: float = 0,
) -> GroupDelta:
    """Refusals of one group, at one moment."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return GroupDelta(
        key or group_key(),
        hour,
        sampled=1,
        count=count,
        variance=variance,
        first_seen=at,
        last_seen=at,
        clients=registers(clients),
        seen_in=seen_in or SeenIn(),
    )


def registers(clients: Iterable[object]) -> bytes:
    """The registers of some clients; none of nobody."""
    found = empty()
    for client in clients:
        add(found, int.from_bytes(blake2b(str(client).encode(), digest_size=8).digest(), "big"))
    return bytes(found) if any(found) else b""


def allowed(
    origin: str = "https://a.example", count: float = 1, at: datetime = NOON, api: str = "pets/1.0"
) -> AllowedDelta:
    return AllowedDelta(AllowedKey(api, origin, preflight=True, method="GET"), count, at)


def dismissal(at: datetime = NOON, note: str = "") -> Disposition:
    return Disposition(DispositionKind.DISMISSED, at, "ann", 3, DismissalReason.BOT, note)


def refusal_key(sample: SampledRequest) -> GroupKey:
    """The key of the group of a refused request."""
    return refusal_key_of(key_parts(sample))


def allowed_key(sample: SampledRequest) -> AllowedKey:
    """The key of an allowed request."""
    return allowed_key_of(key_parts(sample))
