"""Delays for addresses from which authentication failed."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

FIRST_DELAY: Final = 0.25
"""Seconds before the response to a first failure; each further failure of the address doubles it."""
LONGEST_DELAY: Final = 4.0
"""Seconds."""
RESET_AFTER: Final = 900.0
"""Seconds without a failure after which an address starts at the first delay again."""
MAX_ADDRESSES: Final = 4096
"""The address that failed least recently is forgotten first, so that clients cannot exhaust the memory."""
MAX_WAITING: Final = 64
"""Delayed responses at one time."""
MAX_WAITING_PER_ADDRESS: Final = 8


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0
    waiting: int = 0


class AuthThrottle:
    """Counts failures per address. A valid token is never delayed, whatever its address."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._records)

    def record_failure(self, address: str) -> int:
        """Count one more failure of the address, and return its number of failures."""
        now, key = self._clock(), _network(address)
        record = self._records.pop(key, None)
        if record is None:
            record = _Record()
        elif now - record.last > RESET_AFTER:
            record.failures = 0
        record.failures += 1
        record.last = now
        self._records[key] = record
        while len(self._records) > MAX_ADDRESSES:
            self._records.popitem(last=False)
        return record.failures

    @contextmanager
    def delay(self, address: str) -> Iterator[float | None]:
        """The seconds to wait within the context; None if too many responses are waiting already."""
        record = self._records.get(_network(address)) or _Record()
        if self._waiting >= MAX_WAITING or record.waiting >= MAX_WAITING_PER_ADDRESS:
            yield None
            return
        record.waiting += 1
        self._waiting += 1
        try:
            # The exponent is bounded first: 2.0 to the power of a large number of failures would overflow.
            yield min(FIRST_DELAY * 2.0 ** min(max(record.failures - 1, 0), 10), LONGEST_DELAY)
        finally:
            record.waiting -= 1
            self._waiting -= 1


def _network(address: str) -> str:
    """The key of an address: an IPv6 client usually controls a whole /64 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
