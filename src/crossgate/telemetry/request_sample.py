"""The newest requests that nodes reported, by their ids, to explain one of them."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.refusals import RequestRecord, SeenIn
from crossgate.telemetry.evidence import Seen, seen
from crossgate.telemetry.sampled_request import SampledRequest

MAX_REQUESTS: Final = 10_000
MAX_AGE: Final = 600.0
"""Seconds."""
MAX_CHARACTERS: Final = 8 << 20
"""In all values together: ten thousand usual requests have a quarter of it."""
MAX_REQUEST: Final = 64 << 10
"""Characters of one request's values; one with more is not kept. By default no request head is longer."""
_OTHERS: Final = 400
"""Counted for what is not a client's value."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class _Kept(NamedTuple):
    added: float
    size: int
    time: float
    values: tuple[str, DecisionSeries, int, str, str, str, str]
    seen: Seen


class RecentRequests:
    """At most 10,000 requests of the last 10 minutes, without address, query and whole path. Not thread-safe.

    They take at most 48 MiB, whatever clients send: a long value displaces older requests.
    """

    def __init__(
        self,
        *,
        max_requests: int = MAX_REQUESTS,
        max_age: float = MAX_AGE,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._max_requests = max_requests
        self._max_age = max_age
        self._max_characters = max_characters
        self._requests: OrderedDict[str, _Kept] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, sample: SampledRequest, now: float) -> None:
        """Keep what a decision depends on, in place of the oldest requests. One without an id is not kept."""
        request_id = sample.request_id
        size = _OTHERS + len(request_id) + len(sample.method) + len(sample.origin)
        size += len(sample.request_method) + len(sample.request_headers)
        if not request_id or size > MAX_REQUEST:
            return
        self._drop(request_id)
        values = (
            sample.node,
            sample.series,
            sample.status,
            sample.method,
            sample.origin,
            sample.request_method,
            sample.request_headers,
        )
        self._requests[request_id] = _Kept(now, size, sample.time, values, seen(sample))
        self._characters += size
        while len(self._requests) > self._max_requests or self._characters > self._max_characters:
            self._drop(next(iter(self._requests)))
        self._drop_old(now)

    def find(self, request_id: str, now: float) -> RequestRecord | None:
        """The request with that id, if it is still kept."""
        self._drop_old(now)
        kept = self._requests.get(request_id)
        if kept is None:
            return None
        return RequestRecord(request_id, _at(kept.time), *kept.values, SeenIn(*kept.seen))

    def _drop(self, request_id: str) -> None:
        if (kept := self._requests.pop(request_id, None)) is not None:
            self._characters -= kept.size

    def _drop_old(self, now: float) -> None:
        while self._requests:
            request_id = next(iter(self._requests))
            if now - self._requests[request_id].added <= self._max_age:
                return
            self._drop(request_id)


def _at(time: float) -> datetime:
    # A datetime ends with the year 9999, and the time is another machine's.
    return _EPOCH + timedelta(seconds=min(max(time, 0.0), 2.0**36))
