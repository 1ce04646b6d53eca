"""What is recorded of one API: its entries that matched, and the methods and headers that were refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from crossgate.policy import CorsPolicy, EffectivePolicy, ExactOrigin, OriginPattern, OriginSet, Reason
from crossgate.service.ports import Revision
from crossgate.service.refusals import AllowedOrigin, RefusalGroup

_MOST_PATTERNS: Final = 200
"""Wildcards and expressions that are compared with each allowed origin: 0.1 s with 500 of them."""
_MOST_NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class EntryTraffic:
    """When an entry of the allowed origins matched a request that is in a sample."""

    index: int
    last_matched: datetime | None
    """None if it did not, or if it was not looked for."""
    revision: int | None = None
    """The newest revision at that time, if that was before the period and is still known."""
    judged: bool = True
    """False if there were too many entries to look for."""


@dataclass(frozen=True, slots=True)
class ApiTraffic:
    """What is recorded of one API since a time."""

    entries: tuple[EntryTraffic, ...]
    """In the order of the policy; all that is kept, whatever the time."""
    any_allowed: bool
    """Whether an allowed request is recorded at all: without one, no entry is conspicuous."""
    refused_methods: Mapping[str, float]
    """Methods that the policy does not allow now, with their refusals; those of most come first."""
    refused_headers: Mapping[str, float]
    """Header names that it does not allow now."""
    clients: int
    """Addresses that were refused, estimated: one that sends two origins counts twice."""


def find_api_traffic(
    own: CorsPolicy | None,
    groups: Sequence[RefusalGroup],
    allowed: Sequence[AllowedOrigin],
    since: datetime,
    revisions: Callable[[], Sequence[Revision]] = tuple,
) -> ApiTraffic:
    """The traffic of an API with that policy; ``groups`` with their hours.

    ``revisions`` returns the newest first. It is called only for entries that did not match since then.
    """
    policy = None if own is None else EffectivePolicy(own)
    first = since.replace(minute=0, second=0, microsecond=0)
    methods, headers, clients = Counter[str](), Counter[str](), defaultdict[str, int](int)
    for group in groups:
        count = sum(requests for hour, requests in group.hours.items() if hour >= first)
        if not count:
            continue
        key = group.key
        clients[key.origin] = max(clients[key.origin], group.clients)
        if policy is None or not key.complete:
            continue
        if key.reason == Reason.METHOD_REFUSED and not policy.admits_method(key.method):
            methods[key.method] += round(count)
        elif key.reason == Reason.HEADER_REFUSED:
            for name in policy.header_names.find_refused(",".join(key.headers), _MOST_NAMES):
                headers[name] += round(count)
    return ApiTraffic(
        tuple(_with_revisions(_entries(own.allowed_origins if own else (), allowed), since, revisions)),
        bool(allowed),
        dict(methods.most_common(_MOST_NAMES)),
        dict(headers.most_common(_MOST_NAMES)),
        sum(clients.values()),
    )


def _entries(patterns: Sequence[OriginPattern], allowed: Iterable[AllowedOrigin]) -> Iterator[EntryTraffic]:
    last: dict[str, datetime] = {}
    for one in allowed:
        origin = one.key.origin
        last[origin] = max(one.last_seen, last.get(origin, one.last_seen))
    left = _MOST_PATTERNS
    for index, pattern in enumerate(patterns):
        if isinstance(pattern, ExactOrigin):
            at = last.get(pattern.value)
        else:
            left -= 1
            admits = OriginSet.of([pattern]).admits if left >= 0 else None
            at = max((time for origin, time in last.items() if admits and admits(origin)), default=None)
        judged = isinstance(pattern, ExactOrigin) or left >= 0
        yield EntryTraffic(index, at, judged=judged)


def _with_revisions(
    entries: Iterable[EntryTraffic], since: datetime, revisions: Callable[[], Sequence[Revision]]
) -> Iterator[EntryTraffic]:
    known: Sequence[Revision] | None = None
    for one in entries:
        at = one.last_matched
        if at is None or at >= since:
            yield one
            continue
        known = revisions() if known is None else known
        yield replace(one, revision=next((each.number for each in known if each.at <= at), None))
