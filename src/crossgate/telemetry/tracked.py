"""A group as the control plane holds it in memory: what was not taken yet, and what was seen of it."""

from __future__ import annotations

from hashlib import blake2b
from socket import AF_INET6, inet_pton
from typing import Final

from crossgate.service import hyperloglog
from crossgate.service.refusals import SeenIn
from crossgate.service.telemetry_rules import MAX_VALUES
from crossgate.telemetry.evidence import FETCH_DESTS, FETCH_MODES, FETCH_SITES
from crossgate.telemetry.group_keys import KeyParts
from crossgate.telemetry.heavy_hitters import Ranked
from crossgate.telemetry.paths import sample_path
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.scaling import Share
from crossgate.telemetry.user_agents import user_agent_family

FamilyKey = tuple[str, str, bool, bool]
"""API, reason, observed, and whether the first request had Sec-Fetch-Mode."""
HOUR: Final = 3600
DAY: Final = 86_400
_FEW: Final = 8
"""Clients that are kept one by one, before there are registers."""
_LOOKS: Final = 32
"""Requests of a group whose User-Agent is read."""
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
"""An IPv4 address in IPv6 (RFC 4291, section 2.5.5.2)."""


def client_hash(address: str, key: bytes) -> int:
    """64 bits by which a client is counted: the same for all addresses of an IPv6 network of one site."""
    value = address.encode("utf-8", "surrogatepass")
    if ":" in address:
        try:
            value = inet_pton(AF_INET6, address.partition("%")[0])
        except (OSError, ValueError):
            pass
        else:
            # A site has a /64 or more; its clients change the rest at will (RFC 8981).
            value = (
                ".".join(map(str, value[12:])).encode() if value.startswith(_MAPPED) else b"\6" + value[:8]
            )
    return int.from_bytes(blake2b(value, digest_size=8, key=key).digest(), "little")


class Pending:
    """Requests of one group within one hour that were not taken yet."""

    __slots__ = ("count", "first", "hour", "last", "sampled", "variance")

    def __init__(self, hour: int) -> None:
        self.hour: Final = hour
        """Its beginning, in seconds since 1970."""
        self.sampled = 0
        self.count = 0.0
        self.variance = 0.0
        self.first = float(hour + HOUR - 1)
        self.last = float(hour)

    def seen(self, time: float) -> None:
        """Note when a request came. One of another hour counts as at the end of this one that is nearer."""
        time = min(max(time, self.hour), self.hour + HOUR - 1)
        self.first = min(self.first, time)
        self.last = max(self.last, time)

    def add(self, other: Pending) -> None:
        """Add the requests of another group in the same hour."""
        self.sampled += other.sampled
        self.count += other.count
        self.variance += other.variance
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


class Tracked(Ranked[FamilyKey]):
    """One group, or all others of one API and reason."""

    __slots__ = (
        "_clients",
        "_day",
        "_dests",
        "_families",
        "_few",
        "_last",
        "_modes",
        "_path",
        "_sites",
        "held_since",
        "known",
        "others",
        "parts",
        "pending",
        "seen",
        "share",
    )

    def __init__(self, family: FamilyKey, parts: KeyParts, others: Tracked | None = None) -> None:
        super().__init__(family, parts)
        self.parts: Final = parts
        self.others: Final = others
        """Where requests are counted once it is evicted; None for the others themselves."""
        self.pending: list[Pending] = []
        """By hour, the newest last: at most two."""
        self.seen = 0
        """Its samples since it is in the table."""
        self.known = others is None
        """Whether it was taken before."""
        self.held_since: float | None = None
        """Since when it has requests that are not taken because it is not known."""
        self.share = Share(family[:3], self)
        self._last = 0.0
        self._day = 0
        self._few: tuple[int, ...] = ()
        self._clients: bytearray | None = None
        self._path = ""
        self._families: tuple[str, ...] = ()
        self._sites: tuple[str, ...] = ()
        self._modes: tuple[str, ...] = ()
        self._dests: tuple[str, ...] = ()

    @property
    def last_sampled(self) -> float:
        """When its newest reported request came."""
        return self._last

    def pending_of(self, time: float) -> Pending:
        """What is pending of the hour of that time; of the newest hour if the time is older."""
        hour = int(time) // HOUR * HOUR
        if self.pending:
            newest = self.pending[-1]
            if hour <= newest.hour or len(self.pending) > 1:
                return newest
        self.pending.append(Pending(hour))
        return self.pending[-1]

    def sample(self, time: float, *, counted: bool = True) -> None:
        """Note a reported request, and count it."""
        self.rank += 1
        self.seen += 1
        self._last = max(self._last, time)
        if not counted:
            return
        pending = self.pending_of(time)
        pending.sampled += 1
        pending.count += 1
        if time < pending.first or time > pending.last:
            pending.seen(time)

    def gain(self, count: float, variance: float, drawn: int, time: float) -> None:
        """Add requests of about that time of which only those that were drawn were reported."""
        pending = self.pending_of(time)
        pending.sampled += drawn
        pending.count += count
        pending.variance += variance
        pending.seen(self._last or time)

    def become_others(self) -> None:
        """Count what was not taken, and what comes of its share, as others."""
        if self.others is None:
            return
        for part in self.pending:
            self.others.pending_of(part.hour).add(part)
        self.pending.clear()
        if self.evicted:
            self.share.group = self.others

    def look(self, sample: SampledRequest) -> None:
        """Note how a request looked."""
        if not self._path:
            self._path = sample_path(sample.path, sample.series.endpoint)
        if self.seen <= _LOOKS:
            self._families = _with(self._families, user_agent_family(sample.user_agent))
        if sample.fetch_mode or sample.fetch_site:
            if sample.fetch_site in FETCH_SITES:
                self._sites = _with(self._sites, sample.fetch_site)
            if sample.fetch_mode in FETCH_MODES:
                self._modes = _with(self._modes, sample.fetch_mode)
            if sample.fetch_dest in FETCH_DESTS:
                self._dests = _with(self._dests, sample.fetch_dest)

    def count_client(self, client: int, day: int) -> None:
        """Count a client by its hash under the key of that day."""
        if day != self._day:
            # The registers of different days have different keys, and cannot be merged.
            self._day, self._few, self._clients = day, (), None
        if self._clients is not None:
            hyperloglog.add(self._clients, client)
        elif client not in self._few:
            self._few = (*self._few, client)
            self.rank += 1  # So a group of many clients stays longer than one of as many requests of one.
            if len(self._few) > _FEW:
                self._clients, self._few = _registers(self._few), ()

    def clients_of(self, day: int) -> bytes:
        """HyperLogLog registers of the clients of that day; none if it is over."""
        if day != self._day:
            return b""
        if self._clients is not None:
            return bytes(self._clients)
        return bytes(_registers(self._few)) if self._few else b""

    @property
    def seen_in(self) -> SeenIn:
        """How its requests looked."""
        return SeenIn(self._path, self._families, self._sites, self._modes, self._dests)


def _registers(clients: tuple[int, ...]) -> bytearray:
    registers = hyperloglog.empty()
    for client in clients:
        hyperloglog.add(registers, client)
    return registers


def _with(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if value in values or len(values) >= MAX_VALUES else (*values, value)
