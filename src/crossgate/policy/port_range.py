"""Ranges of ports, as people write them in origins: ``http://localhost:3000-3010``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crossgate.policy.origin import is_well_formed

_RANGE: Final = re.compile(
    r"(?P<base>[a-z][a-z0-9+.-]*://[^/?#]+):(?P<first>[1-9][0-9]{0,4})-(?P<last>[1-9][0-9]{0,4})"
)
_MOST: Final = 65_535


class PortRange(NamedTuple):
    """An origin without its port, and the first and the last port."""

    base: str
    first: int
    last: int

    @property
    def digits(self) -> str:
        """An expression that matches the ports, and nothing else."""
        return "|".join(_between(self.first, self.last))


def parse_port_range(text: str) -> PortRange | None:
    """The range of ports; None if the string is not a well-formed origin with one."""
    found = _RANGE.fullmatch(text)
    if found is None or not is_well_formed(found["base"]):
        return None
    first, last = int(found["first"]), int(found["last"])
    return PortRange(found["base"], first, last) if first <= last <= _MOST else None


def _between(first: int, last: int) -> list[str]:
    """Expressions that together match the numbers from ``first`` to ``last``."""
    digits = len(str(first))
    if digits < len(str(last)):
        return [*_between(first, 10**digits - 1), *_between(10**digits, last)]
    if first == last:
        return [str(first)]
    tens, low, high = first // 10, first % 10, last % 10
    if tens == last // 10:
        return [f"{tens or ''}[{low}-{high}]"]
    head = _between(first, tens * 10 + 9) if low else []
    tail = _between(last - high, last) if high != 9 else []
    first, last = tens + bool(low), last // 10 - (high != 9)
    middle = [f"{each}[0-9]" for each in _between(first, last)] if first <= last else []
    return [*head, *middle, *tail]
