"""The structure of a regular expression: what is left of it when RE2 has answered for the characters.

Every node knows where it stands in the text, so that a cause can be shown and a fix can be written there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Gap(Enum):
    """A condition on a place between two characters."""

    TEXT_START = "\\A"
    TEXT_END = "\\z"
    LINE_START = "(?m)^"
    LINE_END = "(?m)$"
    WORD_BOUNDARY = "\\b"
    NO_WORD_BOUNDARY = "\\B"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character out of a set; ``any_char`` if the text has a bare ``.`` there."""

    chars: int
    start: int
    end: int
    any_char: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """The empty text, where the condition holds."""

    gap: Gap
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; the empty sequence is the empty text."""

    items: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    branches: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """The body, so many times over; ``most`` is None if there is no limit."""

    body: Node
    least: int
    most: int | None
    start: int
    end: int


Node = Symbol | Condition | Sequence | Choice | Repeat
