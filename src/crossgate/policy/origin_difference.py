"""Two origins side by side: which characters only one of them has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Which of the two has a piece."""

    BOTH = "both"
    SENT = "sent"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class OriginPiece:
    """Some characters; the pieces of `BOTH` and of one side in order are that side."""

    side: Side
    text: str


_PARTS: Final = re.compile(r"([^:/]*:)?(//)?(.*?)(:[0-9*]+)?", re.DOTALL)
_HOST: Final = 2


def compare_origins(sent: str, allowed: str) -> tuple[OriginPiece, ...]:
    """The pieces of both: schemes, hosts and ports are compared with each other.

    Of hosts, what differs is one piece: people see one mistake, and not letters that happen to be equal.
    """
    pieces: list[OriginPiece] = []
    ours, theirs = (_PARTS.fullmatch(one) for one in (sent, allowed))
    if ours is None or theirs is None:
        return tuple(_compare(sent, allowed))
    for number, (one, other) in enumerate(zip(ours.groups(""), theirs.groups(""), strict=True)):
        # Only in hosts a part can differ: another scheme, or another port, is another one as a whole.
        for piece in _compare(one, other) if number == _HOST else _whole(one, other):
            if pieces and pieces[-1].side is piece.side:
                pieces.append(OriginPiece(piece.side, pieces.pop().text + piece.text))
            else:
                pieces.append(piece)
    return tuple(pieces)


def _whole(sent: str, allowed: str) -> list[OriginPiece]:
    if sent == allowed:
        return _present((Side.BOTH, sent))
    return _present((Side.SENT, sent), (Side.ALLOWED, allowed))


def _compare(sent: str, allowed: str) -> list[OriginPiece]:
    begin = _shared(sent, allowed)
    one, other = sent[begin:], allowed[begin:]
    end = _shared(one[::-1], other[::-1])
    middle, missing = one[: len(one) - end], other[: len(other) - end]
    # `a.` `b.` `c` and `a` `.b` `.c` are the same: the dot belongs to the label behind it.
    only = middle or missing
    if begin and not (middle and missing) and only.endswith(".") and sent[begin - 1] == ".":
        begin, end = begin - 1, end + 1
        middle, missing = (f".{part[:-1]}" if part else "" for part in (middle, missing))
    return _present(
        (Side.BOTH, sent[:begin]),
        (Side.SENT, middle),
        (Side.ALLOWED, missing),
        (Side.BOTH, sent[len(sent) - end :] if end else ""),
    )


def _shared(one: str, other: str) -> int:
    """How many characters the beginnings have in common."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _present(*pieces: tuple[Side, str]) -> list[OriginPiece]:
    return [OriginPiece(side, text) for side, text in pieces if text]
