"""Which ports may follow a host.

Source: URL, url-port string and host serializing (https://url.spec.whatwg.org/#url-writing): no leading
zero, 1 to 65535, and never the scheme's default, which a serialised origin leaves out.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Final

from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.bitset import State, bits
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT, build, reverse
from crossgate.lint.proof.parser import parse
from crossgate.policy.origin import DEFAULT_PORTS, PORT_PATTERN

_DIGITS: Final = "0123456789"
_MOST_DIGITS: Final = 5


@cache
def _grammar() -> tuple[tuple[dict[str, int], bool], ...]:
    """Ports as a table: for each row the row that each digit leads to, and whether a port may end there."""
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
    colons = frozenset(bits(automaton.consumers(":")))
    if not colons:
        return colons
    before = reverse(automaton.nfa)
    digits = {position for digit in _DIGITS for position in bits(automaton.consumers(digit))}
    found, layer = {ACCEPT}, [ACCEPT]
    for _ in range(_MOST_DIGITS + 1):
        further: list[int] = []
        for number in layer:  # the list grows by assertions, which consume no character
            for earlier in before[number]:
                if earlier not in found:
                    found.add(earlier)
                    (layer if earlier in automaton.assertions else further).append(earlier)
        layer = [position for position in further if position in digits]
    return colons & found


class Ports:
    """Counts the ports that an expression admits behind a state, for one scheme."""

    def __init__(self, automaton: Automaton, scheme: str) -> None:
        default = DEFAULT_PORTS.get(scheme)
        self._automaton = automaton
        self._default = "" if default is None else str(default)
        self._colon = automaton.class_of[ord(":")]
        self._counts: dict[tuple[State, int], int] = {}
        self._rows: dict[int, dict[tuple[int, int], int]] = {}

    def count(self, state: State) -> int:
        """How many ports may follow a host that ends in ``state``; a missing port is not counted."""
        after_colon = self._automaton.step(state, self._colon)
        if after_colon == DEAD:
            return 0
        admitted = self._count(after_colon, 0)
        if self._default and self._automaton.accepts(self._automaton.run(self._default, after_colon)):
            admitted -= 1
        return admitted

    def _count(self, state: State, row: int) -> int:
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
            following, _ = _grammar()[row]
            steps = ((self._automaton.class_of[ord(digit)], to) for digit, to in following.items())
            known = self._rows[row] = Counter(steps)
        return known

    def example(self, state: State) -> str:
        """The shortest and then smallest admitted port, with its colon; empty if there is none."""
        after_colon = self._automaton.step(state, self._colon)
        queue = [("", after_colon, 0)] if after_colon != DEAD else []
        seen: set[tuple[State, int, bool]] = set()
        for port, reached, row in queue:
            following, complete = _grammar()[row]
            if complete and self._automaton.accepts(reached) and port != self._default:
                return ":" + port
            for digit, to in following.items():
                after = self._automaton.run(digit, reached)
                longer = port + digit
                # A prefix of the default port must stay apart from others: it may complete to the default.
                key = (after, to, self._default.startswith(longer))
                if after != DEAD and key not in seen:
                    seen.add(key)
                    queue.append((longer, after, to))
        return ""
