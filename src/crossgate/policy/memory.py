"""Remembers answers about texts, in bounded memory: most requests ask what was asked a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

REMEMBERED: Final = 512
"""Texts of which the answer is remembered; the one not asked about for longest is forgotten."""


def remembering(admit: Callable[[str], bool], longest: int) -> Callable[[str], bool]:
    """The same, remembered for texts of up to ``longest`` characters.

    For what takes a microsecond and more, such as going to RE2 and back: to remember takes a quarter of one,
    and a tenth to be reminded.
    """
    known = lru_cache(REMEMBERED)(admit)
    return lambda text: known(text) if len(text) <= longest else admit(text)
