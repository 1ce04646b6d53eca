"""Refused requests in groups, as the store keeps them, and what an operator decided about a group.

A group is what one change of a policy would allow: the refusals of one API with the same origin, reason,
method and header names. Everything in it that a request sent is hostile: show it escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from math import sqrt
from typing import Final

from crossgate.compiler.route_names import DecisionSeries

CUT: Final = "…"
"""Ends an origin that was longer, and stands for a method or for header names that are not kept."""
REST_UNKNOWN: Final = "What else these requests ask for is not known"
"""The caution about a group of which the method or header names are not kept."""


@dataclass(frozen=True, slots=True, order=True)
class GroupKey:
    """What the refusals of a group have in common."""

    api: str
    """Key of the API, or ``server-level``."""
    origin: str
    """As the request sent it, at most 255 characters, `CUT` included; empty if there was none."""
    reason: str
    preflight: bool
    """Whether they were OPTIONS requests, with a requested method or without."""
    method: str
    """The requested method of a preflight, empty if there was none; otherwise the request's."""
    headers: tuple[str, ...] = ()
    """Names in ``Access-Control-Request-Headers``: lower case, sorted, each once."""
    observed: bool = False
    """Whether observe mode forwarded these requests, which ``enforce`` would have refused."""

    @property
    def id(self) -> str:
        """A name for commands and links: 16 hexadecimal digits, the same on every control plane.

        Requests choose what is hashed: with fewer digits, a hostile group could get the name of another.
        """
        return _digest([self.api, self.reason, self.observed], self)

    @property
    def complete(self) -> bool:
        """Whether the key has all of what the requests sent."""
        return _is_complete(self.origin, self.method, self.headers)


def _digest(ours: list[object], sent: GroupKey | AllowedKey) -> str:
    # As JSON, the parts cannot run into each other, and surrogates are escaped.
    parts = json.dumps([*ours, sent.preflight, sent.origin, sent.method, sent.headers])
    return sha256(parts.encode()).hexdigest()[:16]


def _is_complete(origin: str, method: str, headers: tuple[str, ...]) -> bool:
    return not origin.endswith(CUT) and CUT not in (method, *headers)


@dataclass(frozen=True, slots=True)
class SeenIn:
    """How the requests of a group looked, from its samples: a few values of each, the first seen."""

    path: str = ""
    """Without query; below the endpoint the first two segments, the others as ``*``."""
    user_agents: tuple[str, ...] = ()
    """Families, such as ``Chrome`` or ``curl``."""
    fetch_sites: tuple[str, ...] = ()
    fetch_modes: tuple[str, ...] = ()
    fetch_dests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that is still in a sample, without what identifies the client.

    Everything but ``series``, ``node`` and ``status`` comes from the request.
    """

    request_id: str
    at: datetime
    """When the request began."""
    node: str
    series: DecisionSeries
    status: int
    method: str
    origin: str = ""
    request_method: str = ""
    request_headers: str = ""
    seen_in: SeenIn = field(default_factory=SeenIn)


class DispositionKind(StrEnum):
    """What an operator decided about a group."""

    ALLOWED = "allowed"
    DISMISSED = "dismissed"


class DismissalReason(StrEnum):
    """Why refusals are as they should be."""

    ATTACK = "attack"
    BOT = "bot"
    RETIRED = "retired"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Disposition:
    """A decision about a group; none means that it is open."""

    kind: DispositionKind
    at: datetime
    author: str
    revision: int
    """Of an allowed group, the revision that allowed it; of a dismissed one, the head at that time."""
    reason: DismissalReason | None = None
    """Of a dismissed group."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GroupDelta:
    """Refusals of one group since the last delta, all within one hour (UTC)."""

    key: GroupKey
    hour: datetime
    sampled: int
    """Requests that were reported one by one."""
    count: float
    """All requests, estimated: ``sampled`` scaled by the counters."""
    variance: float
    """Of ``count``; 0 if every request was reported."""
    first_seen: datetime
    last_seen: datetime
    clients: bytes = b""
    """HyperLogLog registers of the clients' keyed hashes, under the key of that day."""
    seen_in: SeenIn = field(default_factory=SeenIn)


@dataclass(frozen=True, slots=True)
class RefusalGroup:
    """A group as it is stored."""

    key: GroupKey
    sampled: int
    count: float
    variance: float
    first_seen: datetime
    last_seen: datetime
    clients: int
    """Distinct client addresses on the day with most, estimated."""
    seen_in: SeenIn
    disposition: Disposition | None = None
    hours: Mapping[datetime, float] = field(default_factory=dict)
    """Count by hour, of the hours that are kept."""

    @property
    def error(self) -> float:
        """The count is within plus or minus this, with 95 % confidence; 0 if it is exact."""
        return 1.96 * sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class OtherRefusals:
    """Refusals whose groups were not kept, because there were too many: with the groups, they are all."""

    api: str
    reason: str
    observed: bool
    sampled: int
    count: float
    variance: float
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class TelemetryLimits:
    """How much of what requests send is kept.

    Beyond it, groups without a disposition go first, the least frequent of those not seen for longest. The
    newest quarter and the quarter with most clients stay.
    """

    groups: int = 10_000
    groups_of_api: int = 2_000
    allowed: int = 10_000
    allowed_of_api: int = 500


@dataclass(frozen=True, slots=True, order=True)
class AllowedKey:
    """One allowed origin of one API, as seen in samples of allowed requests."""

    api: str
    origin: str
    preflight: bool
    method: str
    """As in `GroupKey`."""
    headers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """As that of a group."""
        return _digest([self.api], self)

    @property
    def complete(self) -> bool:
        """Whether the key has all of what the requests sent."""
        return _is_complete(self.origin, self.method, self.headers)


@dataclass(frozen=True, slots=True)
class AllowedDelta:
    """Allowed requests since the last delta: ``count`` is estimated from a sample."""

    key: AllowedKey
    count: float
    last_seen: datetime


AllowedOrigin = AllowedDelta
"""The same, summed, as it is stored."""


@dataclass(frozen=True, slots=True, order=True)
class SeenOrigin:
    """An origin that one API allowed, for any of its requests."""

    origin: str
    api: str
    count: float
    """Estimated from a sample."""
    last_seen: datetime
