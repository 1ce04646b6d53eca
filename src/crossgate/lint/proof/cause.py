"""Why an expression admits an attacker's origin: which of its tokens let the attacker's letters through."""

from __future__ import annotations

from enum import StrEnum

from crossgate.lint.proof.alphabet import DOT
from crossgate.lint.proof.attack import Attack
from crossgate.lint.proof.automaton import Automaton, Side, as_set, bits, is_open
from crossgate.lint.proof.nfa import ACCEPT, Position
from crossgate.lint.proof.tree import Symbol


class Cause(StrEnum):
    """What its author did, in the words of the message."""

    UNESCAPED_DOT = "unescaped dot: a bare . stands for any character"
    ANY_HOST = "any host: nothing in the pattern names one"
    OPEN_RIGHT_END = "open right end: the attacker's domain may follow what the pattern names"
    MISSING_DOT_BOUNDARY = "missing dot boundary: other letters may stand right before the name"
    TENANT = "tenant of a public suffix: anybody can have a name below it"
    REGISTRANT = "any name below a public suffix: anybody can register one"
    WILDCARD_TLD = "wildcard top-level domain: the name is registered separately under each"
    CHARACTER_CLASS = "character class in the registrable name: each of its characters makes another name"
    OPEN_NAME = "open name: the registrable name itself is not fixed"


def find_cause(automaton: Automaton, attack: Attack, suffix: str, *, tenant: bool) -> Cause:
    """The cause that the attack makes visible. ``suffix`` is the public suffix of its domain."""
    start = attack.origin.index("://") + 3
    host_end = start + len(attack.origin[start:].split(":")[0].rstrip("."))
    tokens = _trace(automaton, attack.origin)
    label_start = host_end - len(attack.domain)
    suffix_start = host_end - len(suffix)
    label = tokens[label_start : suffix_start - 1]
    name = tokens[label_start:host_end]
    if any(_is_bare_dot(token) and char != "." for token, char in zip(name, attack.domain, strict=True)):
        return Cause.UNESCAPED_DOT
    loose_label = [_is_loose(position) for position in label]
    loose_suffix = all(_is_loose(position) for position in tokens[suffix_start:host_end])
    if loose_suffix:
        if not any(loose_label):
            return Cause.WILDCARD_TLD
        literal = any(not _is_loose(position) for position in tokens[start:host_end])
        return Cause.OPEN_RIGHT_END if literal else Cause.ANY_HOST
    if tenant:
        return Cause.TENANT
    if all(loose_label):
        return Cause.REGISTRANT
    if not any(position.quantified for position in label):
        return Cause.CHARACTER_CLASS
    return Cause.MISSING_DOT_BOUNDARY if loose_label[0] and not loose_label[-1] else Cause.OPEN_NAME


def _is_loose(position: Position) -> bool:
    return isinstance(position.token, Symbol) and is_open(position.token.chars)


def _is_bare_dot(position: Position) -> bool:
    token = position.token
    return (
        isinstance(token, Symbol) and token.any_char and not position.quantified and bool(token.chars & DOT)
    )


def _trace(automaton: Automaton, text: str) -> list[Position]:
    """For each character of a text that matches, a token that takes it, literal ones preferred."""
    positions = automaton.nfa.positions
    sides = [Side.EDGE, *(automaton.side(char) for char in text), Side.EDGE]
    moving: list[int] = []
    current = as_set(automaton.nfa.start)
    for index, char in enumerate(text):
        resolved = automaton.resolve(current, sides[index], sides[index + 1])
        moving.append(resolved & automaton.takers(char))
        current = 0
        for number in bits(moving[-1]):
            current |= as_set(positions[number].follow)
    trace: list[Position] = []
    target = 1 << ACCEPT
    for index in range(len(text) - 1, -1, -1):
        leading = [
            number
            for number in bits(moving[index])
            if automaton.resolve(as_set(positions[number].follow), sides[index + 1], sides[index + 2])
            & target
        ]
        chosen = min(leading, key=lambda number: _width(positions[number]))
        trace.append(positions[chosen])
        target = 1 << chosen
    return trace[::-1]


def _width(position: Position) -> int:
    return position.token.chars.bit_count() if isinstance(position.token, Symbol) else 0
