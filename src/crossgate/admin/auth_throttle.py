"""Delays and limits for addresses from which authentication failed.

They protect the database and the log, not the secrets: nobody can guess 256 random bits. So a valid token is
never delayed or refused, whatever its address: behind a proxy, everybody has the same one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from crossgate.net.address import client_network

FIRST_DELAY: Final = 0.25
"""Seconds before the response to a first failure; each further failure of the address doubles it."""
LONGEST_DELAY: Final = 4.0
"""Seconds."""
LOOK_UPS_PER_ADDRESS: Final = 10
"""Failures after which unknown tokens of the address are not looked up in the database any more."""
LOOK_UPS: Final = 100
"""The same for failures of all addresses together, of which ``LOOK_UPS_PER_SECOND`` are forgotten."""
LOOK_UPS_PER_SECOND: Final = 10.0
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
    """Counts failures per address."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._waiting = 0
        self._recent = 0.0
        self._counted = clock()

    def __len__(self) -> int:
        return len(self._records)

    def may_look_up(self, address: str) -> bool:
        """Whether a token that is not in memory is looked up in the database."""
        if self._recent - self._forgotten() >= LOOK_UPS:
            return False
        record = self._records.get(client_network(address))
        return (
            record is None
            or record.failures < LOOK_UPS_PER_ADDRESS
            or self._clock() - record.last > RESET_AFTER
        )

    def record_failure(self, address: str) -> int:
        """Count one more failure of the address, and return its number of failures."""
        now, key = self._clock(), client_network(address)
        self._recent = max(self._recent - self._forgotten(), 0.0) + 1
        self._counted = now
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

    def _forgotten(self) -> float:
        return (self._clock() - self._counted) * LOOK_UPS_PER_SECOND

    @contextmanager
    def delay(self, address: str) -> Iterator[float | None]:
        """The seconds to wait within the context; None if too many responses are waiting already."""
        record = self._records.get(client_network(address)) or _Record()
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
