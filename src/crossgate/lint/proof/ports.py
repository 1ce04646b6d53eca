"""Which ports lead from a state behind a host to acceptance.

Source: URL, url-port string and host serializing: no leading zero, 1 to 65535, and never the scheme's
default, which a serialised origin leaves out.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Final

from crossgate.lint.proof.automaton import DEAD, Automaton, bits, reverse
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT, build
from crossgate.lint.proof.parse import parse
from crossgate.policy.origin import DEFAULT_PORTS, PORT_PATTERN

_DIGITS: Final = "0123456789"
_MOST_DIGITS: Final = 5


@cache
def _grammar() -> tuple[tuple[dict[str, int], bool], ...]:
    """Ports as a table: for each state what each digit leads to, and whether a port may end there."""
    automaton = Automaton(build(parse(PORT_PATTERN), Budget()), Budget())
    rows: list[tuple[dict[str, int], bool]] = []
    numbers = {automaton.start: 0}
    queue = [automaton.start]
    for state in queue:
        row = {}
        for digit in _DIGITS:
            after = automaton.run(digit, state)
            if after == DEAD:
                continue
            if after not in numbers:
                numbers[after] = len(numbers)
                queue.append(after)
            row[digit] = numbers[after]
        rows.append((row, automaton.accepts(state)))
    return tuple(rows)


def find_colons(automaton: Automaton) -> frozenset[int]:
    """The positions that may consume the colon before a port: few enough digits lead to acceptance."""
    colons = frozenset(bits(automaton.takers(":")))
    if not colons:
        return colons
    before = reverse(automaton.nfa)
    digits = {position for digit in _DIGITS for position in bits(automaton.takers(digit))}
    found, layer = {ACCEPT}, [ACCEPT]
    for _ in range(_MOST_DIGITS + 1):
        further: list[int] = []
        for number in layer:  # grows by conditions, which take no room
            for earlier in before[number]:
                if earlier not in found:
                    found.add(earlier)
                    (layer if earlier in automaton.conditions else further).append(earlier)
        layer = [position for position in further if position in digits]
    return colons & found


class Ports:
    """Counts the ports an expression admits behind a state, for one scheme."""

    def __init__(self, automaton: Automaton, scheme: str) -> None:
        default = DEFAULT_PORTS.get(scheme)
        self._automaton = automaton
        self._default = "" if default is None else str(default)
        self._colon = automaton.class_of[ord(":")]
        self._counts: dict[tuple[int, int], int] = {}
        self._rows: dict[int, dict[tuple[int, int], int]] = {}

    def count(self, state: int) -> int:
        """How many ports may follow a host that ends in ``state``; no port is not counted."""
        after_colon = self._automaton.step(state, self._colon)
        if after_colon == DEAD:
            return 0
        admitted = self._count(after_colon, 0)
        if self._default and self._automaton.accepts(self._automaton.run(self._default, after_colon)):
            admitted -= 1
        return admitted

    def _count(self, state: int, row: int) -> int:
        known = self._counts.get((state, row))
        if known is not None:
            return known
        self._automaton.budget.spend(2)
        _, complete = _grammar()[row]
        total = int(complete and self._automaton.accepts(state))
        for (klass, following), digits in self._steps(row).items():
            after = self._automaton.step(state, klass)
            if after != DEAD:
                total += digits * self._count(after, following)
        self._counts[state, row] = total
        return total

    def _steps(self, row: int) -> dict[tuple[int, int], int]:
        """How many digits of a class lead from one row to another."""
        known = self._rows.get(row)
        if known is None:
            ways, _ = _grammar()[row]
            steps = ((self._automaton.class_of[ord(digit)], to) for digit, to in ways.items())
            known = self._rows[row] = Counter(steps)
        return known

    def example(self, state: int) -> str:
        """The shortest and then smallest admitted port, with its colon; empty if there is none."""
        after_colon = self._automaton.step(state, self._colon)
        queue = [("", after_colon, 0)] if after_colon != DEAD else []
        seen: set[tuple[int, int, bool]] = set()
        for text, reached, row in queue:
            ways, complete = _grammar()[row]
            if complete and self._automaton.accepts(reached) and text != self._default:
                return ":" + text
            for digit, following in ways.items():
                after = self._automaton.run(digit, reached)
                longer = text + digit
                # What may yet become the default port leads elsewhere than what cannot.
                key = (after, following, self._default.startswith(longer))
                if after != DEAD and key not in seen:
                    seen.add(key)
                    queue.append((longer, after, following))
        return ""
