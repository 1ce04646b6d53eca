"""Refusals as a collector reports them, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.observers import Observers
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.service.refusals import GroupDelta, GroupKey, RequestRecord, SeenIn


def now() -> datetime:
    return datetime.now(UTC)


def hour_of(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


def group_key(api: str = "pets/1.0", origin: str = "https://shop.example.com", **more: object) -> GroupKey:
    key = GroupKey(api, origin, "origin-refused", preflight=True, method="GET")
    return replace(key, **more)  # type: ignore[arg-type]


def delta(key: GroupKey, count: float = 1, *, ago: float = 0, variance: float = 0.0) -> GroupDelta:
    """Refusals of a group that were last seen so many seconds ago."""
    last = now() - timedelta(seconds=ago)
    seen = SeenIn("/gateway/pets/1.0/list", ("Chrome",), ("cross-site",), ("cors",), ("empty",))
    return GroupDelta(key, hour_of(last), round(count), count, variance, last, last, seen_in=seen)


def batch(*groups: GroupDelta, counters: Mapping[CounterKey, int] | None = None) -> TelemetryBatch:
    return TelemetryBatch("test", hour_of(now()), counters or {}, groups=groups)


def series(api: str = "pets/1.0", reason: str = "origin-refused", flow: str = "preflight") -> DecisionSeries:
    return DecisionSeries(api, f"/gateway/{api}", flow, reason)


class Collected:
    """A :class:`~crossgate.service.ports.RecentTelemetry` that a test fills."""

    def __init__(self) -> None:
        self.groups: list[GroupDelta] = []
        self.decisions: dict[tuple[datetime, DecisionSeries], int] = {}
        self.counters: dict[CounterKey, int] = {}
        self.requests: dict[str, RequestRecord] = {}
        self.observers = Observers[None]()

    def pending_groups(self) -> Sequence[GroupDelta]:
        return tuple(self.groups)

    def pending_decisions(self) -> Mapping[tuple[datetime, DecisionSeries], int]:
        return dict(self.decisions)

    def totals(self) -> Mapping[CounterKey, int]:
        return dict(self.counters)

    def find_request(self, request_id: str) -> RequestRecord | None:
        return self.requests.get(request_id)

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        return self.observers.add(lambda _: callback())

    def report(self, *groups: GroupDelta) -> None:
        self.groups += groups
        self.observers.notify(None)
