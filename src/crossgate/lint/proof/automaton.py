"""The expression as a deterministic automaton, made as far as it is asked for.

Characters that no token tells apart are one *class*. A state is a set of positions and, where a condition
needs to know it, what came before; state 0 is the dead one. There is a second way to step, by which the
author's own words are found: see :meth:`Automaton.spell`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
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
    """Stands in for a character that the author did not spell out."""

    WORD = 0
    OTHER = 1
    DOT = 2


_BASE: Final = (
    alphabet.DOT,
    alphabet.LETTERS,
    alphabet.DIGITS,
    alphabet.HYPHEN,
    alphabet.charset("_"),
    alphabet.PUNCTUATION,
    *(alphabet.charset(char) for char in ":/[]*"),
)
"""Distinctions that the grammar of origins makes."""
_HOLDS: Final[dict[Gap, Callable[[Side, Side], bool]]] = {
    Gap.TEXT_START: lambda before, _: before is Side.EDGE,
    Gap.TEXT_END: lambda _, after: after is Side.EDGE,
    Gap.LINE_START: lambda before, _: before in (Side.EDGE, Side.NEWLINE),
    Gap.LINE_END: lambda _, after: after in (Side.EDGE, Side.NEWLINE),
    Gap.WORD_BOUNDARY: lambda before, after: (before is Side.WORD) != (after is Side.WORD),
    Gap.NO_WORD_BOUNDARY: lambda before, after: (before is Side.WORD) == (after is Side.WORD),
}


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def partition(sets: Iterable[int]) -> list[int]:
    """The coarsest division of the alphabet that keeps apart what any of the sets keeps apart."""
    blocks = [alphabet.EVERY]
    for chars in set(sets):
        blocks = [part for block in blocks for part in (block & chars, block & ~chars) if part]
    return blocks


class Automaton:
    """Lazily determinised; every new transition is paid for from the budget."""

    def __init__(self, nfa: Nfa, budget: Budget, extra: Sequence[int] = ()) -> None:
        """``extra`` sets are told apart besides those of the expression."""
        self.nfa = nfa
        self._budget = budget
        self._follow = [position.follow for position in nfa.positions]
        symbols = [p.token.chars if isinstance(p.token, Symbol) else 0 for p in nfa.positions]
        conditional = [alphabet.WORD, alphabet.NEWLINE] if nfa.gaps else []
        self.blocks = partition([*symbols, *conditional, *_BASE, *extra])
        self.class_of = [0] * alphabet.SIZE
        for number, block in enumerate(self.blocks):
            for code in bits(block):
                self.class_of[code] = number
        self.exemplars = [alphabet.exemplar(block) for block in self.blocks]
        self._sides = [_side_of(block) for block in self.blocks]
        self._takers = _takers(nfa, self.blocks)
        classes = {
            chars: sum(1 << number for number, block in enumerate(self.blocks) if chars & block)
            for chars in set(symbols)
        }
        self._classes_of = [classes[chars] for chars in symbols]
        self._conditions = {
            1 << n: p.token.gap for n, p in enumerate(nfa.positions) if isinstance(p.token, Condition)
        }
        self._conditional = sum(self._conditions)
        self._lasting = _find_lasting(nfa)
        self._spelled: list[int] = []
        self._numbers: dict[tuple[int, Side], int] = {(0, Side.EDGE): DEAD}
        self.states: list[tuple[int, Side]] = [(0, Side.EDGE)]
        self._steps: dict[tuple[int, int], int] = {}
        self._spell_steps: dict[tuple[int, int], int] = {}
        self.start = self._number(nfa.start, Side.EDGE)

    def _number(self, positions: int, before: Side) -> int:
        # What came before matters to a condition only; without one, states that differ in it are one.
        key = (positions, before if positions & self._conditional else Side.EDGE)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.states)
            self.states.append(key)
        return number

    def resolve(self, positions: int, before: Side, after: Side) -> int:
        """The positions, and those behind every condition that holds between the two sides."""
        passed = 0
        while pending := positions & self._conditional & ~passed:
            low = pending & -pending
            passed |= low
            if _HOLDS[self._conditions[low]](before, after):
                positions |= self._follow[low.bit_length() - 1]
        return positions

    def _advance(self, positions: int, takers: int, after: Side) -> int:
        moving = positions & takers
        self._budget.spend(1 + (moving.bit_count() >> 3))
        reached = 0
        follow = self._follow
        while moving:
            low = moving & -moving
            reached |= follow[low.bit_length() - 1]
            moving ^= low
        reached &= self._lasting
        return self._number(reached, after) if reached else DEAD

    def step(self, state: int, klass: int) -> int:
        """The state after a character of the class."""
        key = (state, klass)
        known = self._steps.get(key)
        if known is None:
            positions, before = self.states[state]
            side = self._sides[klass]
            resolved = self.resolve(positions, before, side) if positions & self._conditional else positions
            known = self._steps[key] = self._advance(resolved, self._takers[klass], side)
        return known

    def live_classes(self, state: int) -> int:
        """A set of classes without which no character leads on; those in it may do so.

        In the middle of a literal it is one class out of some thirty, which saves asking for the others.
        """
        positions, _ = self.states[state]
        every = (1 << len(self.blocks)) - 1
        if positions & self._conditional:
            return every
        live = 0
        for number in bits(positions):
            live |= self._classes_of[number]
            if live == every:
                break
        return live

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
        positions, before = self.states[state]
        return bool(self.resolve(positions, before, Side.EDGE) & ACCEPT)

    def matches(self, text: str) -> bool:
        """Whether the whole of an ASCII text matches."""
        return self.accepts(self.run(text))

    def side(self, char: str) -> Side:
        """What a character is to a condition."""
        return self._sides[self.class_of[ord(char)]]

    def takers(self, char: str) -> int:
        """The positions that consume the character."""
        return self._takers[self.class_of[ord(char)]]

    @property
    def has_choice_of_chars(self) -> bool:
        """Whether any token leaves open which character stands in a host."""
        return any(is_open(position.token) for position in self.nfa.positions)

    def spell(self, state: int, klass: int) -> int:
        """The state after a character that the author spelled out; of a bare dot, that is a dot."""
        return self._spell(state, klass, self._sides[klass])

    def spell_mark(self, state: int, mark: Mark) -> int:
        """The state after a character of a host, or a dot in it, that nobody spelled out."""
        return self._spell(state, len(self.blocks) + mark, Side.WORD if mark is Mark.WORD else Side.OTHER)

    def _spell(self, state: int, column: int, side: Side) -> int:
        key = (state, column)
        known = self._spell_steps.get(key)
        if known is None:
            if not self._spelled:
                self._spelled = _spelled_takers(self.nfa, self.blocks)
            positions, before = self.states[state]
            resolved = self.resolve(positions, before, side)
            known = self._spell_steps[key] = self._advance(resolved, self._spelled[column], side)
        return known


def _find_lasting(nfa: Nfa) -> int:
    """The positions that still lead to acceptance when the text has begun.

    Behind a character nothing is the beginning of the text any more: what is left of an anchored pattern
    that is searched for would otherwise never be seen to be dead.
    """
    leads_to: list[int] = [0] * len(nfa.positions)
    for number, position in enumerate(nfa.positions):
        if isinstance(position.token, Condition) and position.token.gap is Gap.TEXT_START:
            continue
        for following in bits(position.follow):
            leads_to[following] |= 1 << number
    lasting, queue = ACCEPT, [0]
    for number in queue:
        fresh = leads_to[number] & ~lasting
        lasting |= fresh
        queue.extend(bits(fresh))
    return lasting


def is_open(token: Symbol | Condition | None) -> bool:
    """Whether the token stands for more than one character of a host."""
    return isinstance(token, Symbol) and (token.chars & alphabet.HOST).bit_count() > 1


def _side_of(block: int) -> Side:
    if block & alphabet.WORD:
        return Side.WORD
    return Side.NEWLINE if block & alphabet.NEWLINE else Side.OTHER


def _by_chars(nfa: Nfa) -> dict[tuple[Symbol, bool], int]:
    """Positions that differ only in what follows them, in one set."""
    groups: dict[tuple[Symbol, bool], int] = {}
    for number, position in enumerate(nfa.positions):
        if isinstance(position.token, Symbol):
            key = (position.token, position.quantified)
            groups[key] = groups.get(key, 0) | 1 << number
    return groups


def _takers(nfa: Nfa, blocks: Sequence[int]) -> list[int]:
    takers = [0] * len(blocks)
    by_chars: dict[int, int] = {}
    for (token, _), group in _by_chars(nfa).items():
        by_chars[token.chars] = by_chars.get(token.chars, 0) | group
    for chars, group in by_chars.items():
        for column, block in enumerate(blocks):
            if chars & block:
                takers[column] |= group
    return takers


def _spelled_takers(nfa: Nfa, blocks: Sequence[int]) -> list[int]:
    """For each class, then for each mark, the positions that consume it."""
    takers = [0] * (len(blocks) + len(Mark))
    for (token, quantified), group in _by_chars(nfa).items():
        spelled = token.chars
        if is_open(token):
            bare_dot = token.any_char and not quantified
            spelled &= ~alphabet.HOST | (alphabet.DOT if bare_dot else 0)
            label = token.chars & alphabet.LABEL
            marked = {
                Mark.WORD: label & alphabet.WORD,
                Mark.OTHER: label & ~alphabet.WORD,
                Mark.DOT: 0 if bare_dot else token.chars & alphabet.DOT,
            }
            for mark, chars in marked.items():
                takers[len(blocks) + mark] |= group if chars else 0
        for column, block in enumerate(blocks):
            if spelled & block:
                takers[column] |= group
    return takers
