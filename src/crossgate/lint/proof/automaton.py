"""The deterministic automaton of an expression, built lazily.

Characters that no token tells apart form one *class*. A state is a set of positions and, where an assertion
needs it, the kind of the previous character; state 0 is dead. Where only the existence of a match matters,
the positions of a state are followed one by one (:meth:`Automaton.branches`): there are never more of those
than the expression has tokens, while their sets can be exponentially many, as in ``.*a.{16}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import cached_property, reduce
from operator import or_
from typing import Final, NamedTuple

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.bitset import CharSet, ClassSet, PositionSet, State, bits, bitset
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT, Nfa, reverse
from crossgate.lint.proof.syntax_tree import Assertion, AssertionKind, Symbol

DEAD: Final = State(0)


class CharKind(IntEnum):
    """What stands on one side of a place between characters, as far as assertions tell kinds apart."""

    EDGE = 0
    NEWLINE = 1
    WORD = 2
    OTHER = 3


_HOLDS: Final[dict[AssertionKind, Callable[[CharKind, CharKind], bool]]] = {
    AssertionKind.TEXT_START: lambda before, _: before is CharKind.EDGE,
    AssertionKind.TEXT_END: lambda _, after: after is CharKind.EDGE,
    AssertionKind.LINE_START: lambda before, _: before in (CharKind.EDGE, CharKind.NEWLINE),
    AssertionKind.LINE_END: lambda _, after: after in (CharKind.EDGE, CharKind.NEWLINE),
    AssertionKind.WORD_BOUNDARY: lambda before, after: (before is CharKind.WORD) != (after is CharKind.WORD),
    AssertionKind.NO_WORD_BOUNDARY: lambda before, after: (
        (before is CharKind.WORD) == (after is CharKind.WORD)
    ),
}


class TokenKind(NamedTuple):
    """What positions have in common that differ only in what follows them."""

    chars: CharSet
    any_char: bool
    quantified: bool

    @property
    def is_bare_dot(self) -> bool:
        """Whether it is a ``.`` that is not repeated, and so looks like a dot between labels."""
        return self.any_char and not self.quantified


def _divide(blocks: Iterable[int], chars: int) -> list[int]:
    return [part for block in blocks for part in (block & chars, block & ~chars) if part]


def _divide_often(sets: Iterable[int]) -> list[int]:
    blocks: list[int] = [alphabet.EVERY]
    for chars in sets:
        blocks = _divide(blocks, chars)
    return blocks


_BASE: Final = _divide_often((alphabet.LETTERS, alphabet.DIGITS, alphabet.PUNCTUATION))
_BASE_SINGLE: Final = alphabet.charset(".-_:/[]*")
"""Distinctions that the grammar of origins makes."""


def partition(sets: Iterable[CharSet]) -> list[CharSet]:
    """A division of the alphabet that keeps apart what any of the sets, or the grammar of origins, does."""
    single: int = _BASE_SINGLE
    blocks = _BASE
    for chars in sets:
        if chars & (chars - 1):
            blocks = _divide(blocks, chars)
        else:
            single |= chars
    # Most tokens are literals: each of their characters is a class of its own.
    rest = [CharSet(block & ~single) for block in blocks if block & ~single]
    return [*rest, *(CharSet(1 << code) for code in bits(single))]


class Automaton:
    """A lazily built deterministic automaton; every new transition is paid for from the budget."""

    def __init__(self, nfa: Nfa, budget: Budget) -> None:
        self.nfa = nfa
        self.budget = budget
        self.tokens = _by_token(nfa)
        """The positions of each kind of token."""
        self.assertions = {
            number: position.token.kind
            for number, position in enumerate(nfa.positions)
            if isinstance(position.token, Assertion)
        }
        sets = {token.chars for token in self.tokens}
        self.chars = CharSet(reduce(or_, sets, 0))
        """The characters that some token consumes."""
        self.blocks = partition((*sets, alphabet.WORD, alphabet.NEWLINE) if self.assertions else sets)
        """The characters of each class."""
        self.class_of = [0] * alphabet.SIZE
        for number, block in enumerate(self.blocks):
            for code in bits(block):
                self.class_of[code] = number
        self.exemplars = [alphabet.exemplar(block) for block in self.blocks]
        self.kinds = [_kind_of(block) for block in self.blocks]
        """What each class is to an assertion."""
        self._consumers = self._find_consumers()
        self._assertion_set = sum(1 << number for number in self.assertions)
        self._width = len(nfa.positions) >> 9
        """The cost of an operation on a set of so many positions, in steps."""
        self._follow: dict[int, int] = {}
        self._numbers: dict[tuple[int, CharKind], State] = {(0, CharKind.EDGE): DEAD}
        self._states: list[tuple[PositionSet, CharKind]] = [(PositionSet(0), CharKind.EDGE)]
        self._steps: dict[tuple[State, int], State] = {}
        self._branches: dict[tuple[State, int], tuple[State, ...]] = {}
        self._classes_from: dict[State, tuple[int, ...]] = {}
        self._accepts: dict[State, bool] = {}
        self.start = self._number(bitset(nfa.start), CharKind.EDGE)

    def _find_consumers(self) -> list[int]:
        consumers = [0] * len(self.blocks)
        for token, group in self.tokens.items():
            positions = bitset(group)
            for klass in bits(self.classes_within(token.chars)):
                consumers[klass] |= positions
        return consumers

    def classes_within(self, chars: int) -> ClassSet:
        """The classes that a set of characters consists of."""
        if chars & (chars - 1) == 0:
            return ClassSet(1 << self.class_of[chars.bit_length() - 1] if chars else 0)
        return ClassSet(sum(1 << number for number, block in enumerate(self.blocks) if chars & block))

    @cached_property
    def _live_inside(self) -> int:
        r"""The positions that still lead to acceptance once the string has begun.

        ``\A`` holds nowhere behind a character. Without this, the rest of an anchored pattern in search mode
        would never be recognised as dead.
        """
        if AssertionKind.TEXT_START not in self.assertions.values():
            return -1
        before = reverse(self.nfa)
        found, queue = {ACCEPT}, [ACCEPT]
        for number in queue:
            for earlier in before[number]:
                if earlier not in found:
                    found.add(earlier)
                    queue.append(earlier)
        return bitset(found)

    def _follow_of(self, position: int) -> int:
        known = self._follow.get(position)
        if known is None:
            known = bitset(self.nfa.positions[position].follow) & self._live_inside
            self._follow[position] = known
        return known

    def _number(self, positions: int, before: CharKind) -> State:
        # Only assertions look at the previous character; without one, states that differ in it are equal.
        key = (PositionSet(positions), before if positions & self._assertion_set else CharKind.EDGE)
        if not positions:
            return DEAD
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = State(len(self._states))
            self._states.append(key)
        return number

    def state_after(self, position: int, kind: CharKind) -> State:
        """The state behind one position that has consumed a character of that kind."""
        return self._number(self._follow_of(position), kind)

    def pending(self, state: State, after: CharKind) -> PositionSet:
        """The positions that may consume the next character, which is of the kind ``after``."""
        positions, before = self._states[state]
        return self.resolve(positions, before, after) if positions & self._assertion_set else positions

    def resolve(self, positions: PositionSet, before: CharKind, after: CharKind) -> PositionSet:
        """The positions, and those behind every assertion that holds between the two kinds."""
        found: int = positions
        passed = 0
        while pending := found & self._assertion_set & ~passed:
            low = pending & -pending
            passed |= low
            number = low.bit_length() - 1
            if _HOLDS[self.assertions[number]](before, after):
                # Not only those that are live inside: the string may not have begun yet.
                found |= bitset(self.nfa.positions[number].follow)
        return PositionSet(found)

    def step(self, state: State, klass: int) -> State:
        """The state after a character of the class."""
        key = (state, klass)
        known = self._steps.get(key)
        if known is None:
            kind = self.kinds[klass]
            moving = self.pending(state, kind) & self._consumers[klass]
            self.budget.spend(2 + (moving.bit_count() >> 2) + self._width)
            reached = 0
            for position in bits(moving):
                reached |= self._follow_of(position)
            known = self._steps[key] = self._number(reached, kind)
        return known

    def classes_from(self, state: State) -> tuple[int, ...]:
        """The classes of which a character leads on from the state."""
        known = self._classes_from.get(state)
        if known is None:
            pending = {kind: self.pending(state, kind) for kind in set(self.kinds)}
            consumers = zip(self.kinds, self._consumers, strict=True)
            known = tuple(
                klass for klass, (kind, consuming) in enumerate(consumers) if pending[kind] & consuming
            )
            self._classes_from[state] = known
        return known

    def branches(self, state: State, klass: int) -> tuple[State, ...]:
        """The states after a character of the class, one for each position that consumes it."""
        key = (state, klass)
        known = self._branches.get(key)
        if known is None:
            kind = self.kinds[klass]
            moving = self.pending(state, kind) & self._consumers[klass]
            self.budget.spend(2 + moving.bit_count() + self._width)
            found = dict.fromkeys(self.state_after(position, kind) for position in bits(moving))
            found.pop(DEAD, None)
            known = self._branches[key] = tuple(found)
        return known

    def run(self, string: str, state: State | None = None) -> State:
        """The state after an ASCII string."""
        state = self.start if state is None else state
        for char in string:
            if state == DEAD:
                break
            state = self.step(state, self.class_of[ord(char)])
        return state

    def accepts(self, state: State) -> bool:
        """Whether the string may end here."""
        known = self._accepts.get(state)
        if known is None:
            known = self._accepts[state] = bool(self.pending(state, CharKind.EDGE) & 1 << ACCEPT)
        return known

    def matches(self, string: str) -> bool:
        """Whether the whole of an ASCII string matches."""
        return self.accepts(self.run(string))

    def kind_of(self, char: str) -> CharKind:
        """What a character is to an assertion."""
        return self.kinds[self.class_of[ord(char)]]

    def consumers(self, char: str) -> PositionSet:
        """The positions that consume the character."""
        return PositionSet(self._consumers[self.class_of[ord(char)]])

    @property
    def has_open_tokens(self) -> bool:
        """Whether any token stands for more than one character of a host."""
        return any(is_open(token.chars) for token in self.tokens)


def is_open(chars: CharSet) -> bool:
    """Whether a token of these characters stands for more than one character of a host."""
    return (chars & alphabet.HOST).bit_count() > 1


def _kind_of(block: CharSet) -> CharKind:
    if block & alphabet.WORD:
        return CharKind.WORD
    return CharKind.NEWLINE if block & alphabet.NEWLINE else CharKind.OTHER


def _by_token(nfa: Nfa) -> dict[TokenKind, list[int]]:
    groups: dict[TokenKind, list[int]] = {}
    for number, (token, quantified, _) in enumerate(nfa.positions):
        if isinstance(token, Symbol):
            groups.setdefault(TokenKind(token.chars, token.any_char, quantified), []).append(number)
    return groups
