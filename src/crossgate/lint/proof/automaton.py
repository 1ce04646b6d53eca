"""The expression as a deterministic automaton, made as far as it is asked for.

Characters that no token tells apart are one *class*. A state is a set of positions and, where a condition
needs to know it, what came before; state 0 is the dead one. Where only the existence of a match matters, the
positions of a state are followed one by one (:meth:`Automaton.branches`): there are never more of those than
the expression has tokens, while the sets of them can be without number, as in ``.*a.{16}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cached_property, reduce
from operator import or_
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT, Nfa
from crossgate.lint.proof.tree import Condition, Gap, Symbol

DEAD: Final = 0


class Side(IntEnum):
    """What stands at one side of a place between characters, as far as conditions ask."""

    EDGE = 0
    NEWLINE = 1
    WORD = 2
    OTHER = 3


class Mark(IntEnum):
    """Stands in for a character that the author did not spell out; a class of its own."""

    WORD = 0
    OTHER = 1
    DOT = 2


_HOLDS: Final[dict[Gap, Callable[[Side, Side], bool]]] = {
    Gap.TEXT_START: lambda before, _: before is Side.EDGE,
    Gap.TEXT_END: lambda _, after: after is Side.EDGE,
    Gap.LINE_START: lambda before, _: before in (Side.EDGE, Side.NEWLINE),
    Gap.LINE_END: lambda _, after: after in (Side.EDGE, Side.NEWLINE),
    Gap.WORD_BOUNDARY: lambda before, after: (before is Side.WORD) != (after is Side.WORD),
    Gap.NO_WORD_BOUNDARY: lambda before, after: (before is Side.WORD) == (after is Side.WORD),
}


_CHUNK: Final = 1024
_FEW: Final = 16


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, in their order."""
    if mask.bit_length() <= _CHUNK:
        while mask:
            low = mask & -mask
            yield low.bit_length() - 1
            mask ^= low
        return
    base = 0
    while mask:
        # A long list of names makes long sets, and each operation on one takes its length.
        skipped = (mask & -mask).bit_length() - 1
        mask >>= skipped
        base += skipped
        yield from (base + number for number in bits(mask & (1 << _CHUNK) - 1))
        mask >>= _CHUNK
        base += _CHUNK


def as_set(numbers: Iterable[int]) -> int:
    """The set with these bits."""
    listed = list(numbers)
    if len(listed) < _FEW:
        found = 0
        for number in listed:
            found |= 1 << number
        return found
    chars = bytearray((max(listed) >> 3) + 1)
    for number in listed:
        chars[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(chars, "little")


def _divide(blocks: Iterable[int], chars: int) -> list[int]:
    return [part for block in blocks for part in (block & chars, block & ~chars) if part]


def _divide_often(sets: Iterable[int]) -> list[int]:
    blocks = [alphabet.EVERY]
    for chars in sets:
        blocks = _divide(blocks, chars)
    return blocks


_BASE: Final = _divide_often((alphabet.LETTERS, alphabet.DIGITS, alphabet.PUNCTUATION))
_BASE_SINGLE: Final = alphabet.charset(".-_:/[]*")
"""Distinctions that the grammar of origins makes."""


def partition(sets: Iterable[int]) -> list[int]:
    """A division of the alphabet that keeps apart what any of the sets, or the grammar of origins, does."""
    single, blocks = _BASE_SINGLE, _BASE
    for chars in sets:
        if chars & (chars - 1):
            blocks = _divide(blocks, chars)
        else:
            single |= chars
    # Most tokens are literals: their characters stand alone, whatever else is told apart.
    rest = [block & ~single for block in blocks if block & ~single]
    return [*rest, *(1 << code for code in bits(single))]


class Automaton:
    """Lazily determinised; every new transition is paid for from the budget."""

    def __init__(self, nfa: Nfa, budget: Budget) -> None:
        self.nfa = nfa
        self.budget = budget
        self.tokens = _by_token(nfa)
        """The positions of each kind of token: by its characters, and how they stand in the text."""
        self.conditions = {
            number: position.token.gap
            for number, position in enumerate(nfa.positions)
            if isinstance(position.token, Condition)
        }
        sets = {chars for chars, _, _ in self.tokens}
        self.chars = reduce(or_, sets, 0)
        """The characters that some token consumes."""
        self.blocks = partition((*sets, alphabet.WORD, alphabet.NEWLINE) if self.conditions else sets)
        self.class_of = [0] * alphabet.SIZE
        for number, block in enumerate(self.blocks):
            for code in bits(block):
                self.class_of[code] = number
        self.exemplars = [alphabet.exemplar(block) for block in self.blocks]
        self.sides = [_side_of(block) for block in self.blocks]
        """What each class is to a condition."""
        self._takers = self._find_takers()
        self._conditional = sum(1 << number for number in self.conditions)
        self._width = len(nfa.positions) >> 9
        """What sets of so many positions cost, in steps."""
        self._follow: dict[int, int] = {}
        self._numbers: dict[tuple[int, Side], int] = {(0, Side.EDGE): DEAD}
        self._states: list[tuple[int, Side]] = [(0, Side.EDGE)]
        self._steps: dict[tuple[int, int], int] = {}
        self._branches: dict[tuple[int, int], tuple[int, ...]] = {}
        self._classes_from: dict[int, tuple[int, ...]] = {}
        self._accepts: dict[int, bool] = {}
        self.start = self._number(as_set(nfa.start), Side.EDGE)

    def _find_takers(self) -> list[int]:
        takers = [0] * len(self.blocks)
        for (chars, _, _), group in self.tokens.items():
            positions = as_set(group)
            for klass in bits(self.classes_within(chars)):
                takers[klass] |= positions
        return takers

    def classes_within(self, chars: int) -> int:
        """The classes that a set of characters consists of, as a set."""
        if chars & (chars - 1) == 0:
            return 1 << self.class_of[chars.bit_length() - 1] if chars else 0
        return sum(1 << column for column, block in enumerate(self.blocks) if chars & block)

    @cached_property
    def _lasting(self) -> int:
        """The positions that still lead to acceptance when the text has begun.

        Behind a character nothing is the beginning of the text any more: what is left of an anchored pattern
        that is searched for would otherwise never be seen to be dead.
        """
        if Gap.TEXT_START not in self.conditions.values():
            return -1
        before = reverse(self.nfa)
        found, queue = {ACCEPT}, [ACCEPT]
        for number in queue:
            for earlier in before[number]:
                if earlier not in found:
                    found.add(earlier)
                    queue.append(earlier)
        return as_set(found)

    def _follow_of(self, position: int) -> int:
        known = self._follow.get(position)
        if known is None:
            known = self._follow[position] = as_set(self.nfa.positions[position].follow) & self._lasting
        return known

    def _number(self, positions: int, before: Side) -> int:
        # What came before matters to a condition only; without one, states that differ in it are one.
        key = (positions, before if positions & self._conditional else Side.EDGE)
        if not positions:
            return DEAD
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._states)
            self._states.append(key)
        return number

    def after(self, position: int, side: Side) -> int:
        """The state behind one position that has consumed a character of that side."""
        return self._number(self._follow_of(position), side)

    def pending(self, state: int, after: Side) -> int:
        """The positions, as a set, that may consume the next character, which is of that side."""
        positions, before = self._states[state]
        return self.resolve(positions, before, after) if positions & self._conditional else positions

    def resolve(self, positions: int, before: Side, after: Side) -> int:
        """The positions, and those behind every condition that holds between the two sides."""
        passed = 0
        while pending := positions & self._conditional & ~passed:
            low = pending & -pending
            passed |= low
            number = low.bit_length() - 1
            if _HOLDS[self.conditions[number]](before, after):
                # Not only the lasting ones: the text may not have begun yet.
                positions |= as_set(self.nfa.positions[number].follow)
        return positions

    def step(self, state: int, klass: int) -> int:
        """The state after a character of the class."""
        key = (state, klass)
        known = self._steps.get(key)
        if known is None:
            side = self.sides[klass]
            moving = self.pending(state, side) & self._takers[klass]
            self.budget.spend(2 + (moving.bit_count() >> 2) + self._width)
            reached = 0
            for position in bits(moving):
                reached |= self._follow_of(position)
            known = self._steps[key] = self._number(reached, side)
        return known

    def classes_from(self, state: int) -> tuple[int, ...]:
        """The classes of which a character leads on from the state."""
        known = self._classes_from.get(state)
        if known is None:
            pending = {side: self.pending(state, side) for side in set(self.sides)}
            takers = zip(self.sides, self._takers, strict=True)
            known = tuple(klass for klass, (side, taking) in enumerate(takers) if pending[side] & taking)
            self._classes_from[state] = known
        return known

    def branches(self, state: int, klass: int) -> tuple[int, ...]:
        """The states after a character of the class, one for each position that consumes it."""
        key = (state, klass)
        known = self._branches.get(key)
        if known is None:
            side = self.sides[klass]
            moving = self.pending(state, side) & self._takers[klass]
            self.budget.spend(2 + moving.bit_count() + self._width)
            found = dict.fromkeys(self.after(position, side) for position in bits(moving))
            found.pop(DEAD, None)
            known = self._branches[key] = tuple(found)
        return known

    def run(self, text: str, state: int | None = None) -> int:
        """The state after an ASCII text."""
        state = self.start if state is None else state
        for char in text:
            if state == DEAD:
                break
            state = self.step(state, self.class_of[ord(char)])
        return state

    def accepts(self, state: int) -> bool:
        """Whether the text may end here."""
        known = self._accepts.get(state)
        if known is None:
            known = self._accepts[state] = bool(self.pending(state, Side.EDGE) & 1 << ACCEPT)
        return known

    def matches(self, text: str) -> bool:
        """Whether the whole of an ASCII text matches."""
        return self.accepts(self.run(text))

    def side(self, char: str) -> Side:
        """What a character is to a condition."""
        return self.sides[self.class_of[ord(char)]]

    def takers(self, char: str) -> int:
        """The positions that consume the character."""
        return self._takers[self.class_of[ord(char)]]

    @property
    def has_choice_of_chars(self) -> bool:
        """Whether any token leaves open which character stands in a host."""
        return any(is_open(chars) for chars, _, _ in self.tokens)


def reverse(nfa: Nfa) -> list[list[int]]:
    """For each position those that it may follow once the text has begun."""
    before: list[list[int]] = [[] for _ in nfa.positions]
    for number, position in enumerate(nfa.positions):
        if not (isinstance(position.token, Condition) and position.token.gap is Gap.TEXT_START):
            for following in position.follow:
                before[following].append(number)
    return before


def is_open(chars: int) -> bool:
    """Whether a token of these characters stands for more than one character of a host."""
    return (chars & alphabet.HOST).bit_count() > 1


def _side_of(block: int) -> Side:
    if block & alphabet.WORD:
        return Side.WORD
    return Side.NEWLINE if block & alphabet.NEWLINE else Side.OTHER


def _by_token(nfa: Nfa) -> dict[tuple[int, bool, bool], list[int]]:
    """Positions that differ only in what follows them, by characters, bare dot, quantified."""
    groups: dict[tuple[int, bool, bool], list[int]] = {}
    for number, (token, quantified, _) in enumerate(nfa.positions):
        if isinstance(token, Symbol):
            groups.setdefault((token.chars, token.any_char, quantified), []).append(number)
    return groups
