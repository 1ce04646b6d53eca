"""The origins that an expression stands for, if they are few and each is spelled out in it."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Final

from crossgate.lint.proof.alphabet import members
from crossgate.lint.proof.budget import ExhaustedError
from crossgate.lint.proof.parse import parse
from crossgate.lint.proof.tree import Choice, Condition, Gap, Node, Repeat, Sequence, Symbol
from crossgate.policy.origin import is_well_formed

MOST: Final = 16


@lru_cache(maxsize=2048)
def listed_origins(pattern: str) -> tuple[str, ...]:
    """Every origin that the expression admits, sorted; none if they are many, or leave a character open."""
    try:
        texts = _texts(parse(pattern))
    except ExhaustedError:
        return ()
    return tuple(sorted({text for text in texts or () if is_well_formed(text)}))


def _texts(node: Node) -> list[str] | None:
    """Every text that matches; None if there are more than a list should have."""
    match node:
        case Symbol(chars):
            return list(members(chars)) if chars.bit_count() == 1 else None
        case Condition(gap):
            # At the ends of the pattern an anchor changes nothing; elsewhere nothing is listed.
            return [""] if gap in (Gap.TEXT_START, Gap.TEXT_END) else None
        case Sequence(items):
            parts = [_texts(item) for item in items]
            if any(isinstance(item, Condition) for item in items[1:-1]):
                return None
            return _joined(parts)
        case Choice(branches):
            found: list[str] = []
            for branch in branches:
                texts = _texts(branch)
                if texts is None or len(found) + len(texts) > MOST:
                    return None
                found += texts
            return found
        case Repeat(body, least, most):
            return _repeated(_texts(body), least, most)


def _joined(parts: list[list[str] | None]) -> list[str] | None:
    texts = [""]
    for part in parts:
        if part is None or len(texts) * len(part) > MOST:
            return None
        texts = ["".join(pair) for pair in product(texts, part)]
    return texts


def _repeated(body: list[str] | None, least: int, most: int | None) -> list[str] | None:
    if most is None or most > MOST:
        return None
    found: list[str] = []
    for times in range(least, most + 1):
        texts = _joined([body] * times)
        if texts is None or len(found) + len(texts) > MOST:
            return None
        found += texts
    return found
