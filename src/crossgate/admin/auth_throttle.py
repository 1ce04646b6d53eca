"""Who tried tokens that open nothing, and how long each of them waits for the answer."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

FIRST_DELAY: Final = 0.25
"""Seconds; each further failure of the same address doubles it."""
LONGEST_DELAY: Final = 4.0
FORGOTTEN_AFTER: Final = 900.0
MOST_ADDRESSES: Final = 4096
"""The address that failed least recently is forgotten first, so strangers cannot fill the memory."""
MOST_WAITING: Final = 64
MOST_WAITING_OF_ONE: Final = 8


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0
    waiting: int = 0


class AuthThrottle:
    """Counts failures only: a token that works is never asked to wait, wherever it comes from."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._records)

    def failed(self, address: str) -> int:
        """Note one more failure; how many there are of this address."""
        now, key = self._clock(), _network(address)
        record = self._records.pop(key, None)
        if record is None:
            record = _Record()
        elif now - record.last > FORGOTTEN_AFTER:
            record.failures = 0
        record.failures += 1
        record.last = now
        self._records[key] = record
        while len(self._records) > MOST_ADDRESSES:
            self._records.popitem(last=False)
        return record.failures

    @contextmanager
    def waiting(self, address: str) -> Iterator[float | None]:
        """How many seconds to wait; None if so many wait already that the answer is a refusal at once."""
        record = self._records.get(_network(address)) or _Record()
        if self._waiting >= MOST_WAITING or record.waiting >= MOST_WAITING_OF_ONE:
            yield None
            return
        record.waiting += 1
        self._waiting += 1
        try:
            # The exponent is bounded before it is used: 2 to the power of a million takes a while, too.
            yield min(FIRST_DELAY * 2.0 ** min(max(record.failures - 1, 0), 10), LONGEST_DELAY)
        finally:
            record.waiting -= 1
            self._waiting -= 1


def _network(address: str) -> str:
    """An IPv6 client has a whole /64 to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
