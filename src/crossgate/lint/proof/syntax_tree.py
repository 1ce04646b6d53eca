"""The syntax tree of a regular expression, with sets of characters in place of character tokens.

Every node has its extent in the pattern, so that a cause can be shown and a fix can be written there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from crossgate.lint.proof.bitset import CharSet


class AssertionKind(Enum):
    """What an assertion demands of the place between two characters."""

    TEXT_START = "\\A"
    TEXT_END = "\\z"
    LINE_START = "(?m)^"
    LINE_END = "(?m)$"
    WORD_BOUNDARY = "\\b"
    NO_WORD_BOUNDARY = "\\B"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character out of a set; ``any_char`` if the pattern has a bare ``.`` there."""

    chars: CharSet
    start: int
    end: int
    any_char: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """Matches the empty string where the assertion holds."""

    kind: AssertionKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Concatenation:
    """One item after the other; without items it matches the empty string."""

    items: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of several branches."""

    branches: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """The body, from ``least`` to ``most`` times; ``most`` is None if there is no limit."""

    body: Node
    least: int
    most: int | None
    start: int
    end: int


Node = Symbol | Assertion | Concatenation | Alternation | Repeat


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it, from left to right."""
    yield node
    match node:
        case Concatenation(inside) | Alternation(inside):
            for child in inside:
                yield from walk(child)
        case Repeat(body):
            yield from walk(body)
        case Symbol() | Assertion():
            pass
