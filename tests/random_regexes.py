"""Random regular expressions over RE2's syntax, and strings that are likely to match them.

Used by the fuzzers in the test suite and, at any size, by ``make fuzz-proof``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.budget import Budget, ExhaustedError
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse
from crossgate.policy.re2 import Matcher, RegexRefused, compile_regex

_LITERALS = [
    *"aabbcK01-_. \n:/",
    "s",
    "x",
    "]",
    "}",
    "{",
    ",",
    "é",
    "\u017f",
    "\u212a",
    "\\.",
    "\\-",
    "\\n",
    "\\t",
]
_LITERALS += [
    "\\x41",
    "\\x{212A}",
    "\\101",
    "\\0",
    "\\07",
    "\\a",
    "\\_",
    "\\\\",
    "{01}",
    "{,2}",
    "{1,",
    "\\x{61}",
]
_CLASSES = [
    ".",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\pL",
    "\\PL",
    "\\p{Greek}",
    "\\p{^Lu}",
    "\\P{Nd}",
]
_CLASSES += [
    "[a-c]",
    "[^a-c]",
    "[]a]",
    "[^]a]",
    "[a\\]b]",
    "[[:alpha:]-]",
    "[[:^digit:]a]",
    "[[:word:]]",
    "[a-]",
]
_CLASSES += [
    "[-a]",
    "[\\w.-]",
    "[\\x41-\\x5A]",
    "[[a]",
    "[a[:b]",
    "[\\p{Lu}\\d]",
    "[^\\n]",
    "[^\\S]",
    "\\C",
    "\\pN",
]
_CLASSES += ["[+-[:alpha:]", "[\\101-c]", "[a\\-z]", "[^^]", "[K]", "[[=a=]]"]
_ASSERTIONS = ["^", "$", "\\A", "\\z", "\\b", "\\B"]
_QUOTED = ["\\Qa.b\\E", "\\Q\\E", "\\Qa*", "\\Q[a]\\E"]
_REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,3}?", "{0}", "{3}", "{01}", "{,2}"]
_GROUPS = ["(", "(", "(?:", "(?:", "(?i:", "(?s:", "(?-s:", "(?m:", "(?ms-i:", "(?P<n>", "(?<m>", "(?U:"]
_FLAGS = ["(?i)", "(?-i)", "(?s)", "(?m)", "(?-m)", "(?is-m)", "(?U)"]
_CHARACTERS = "aabbccKkSs01-_. \n:/]}{,AxÿZz\\\t^"


def random_pattern(rng: random.Random, depth: int = 0) -> str:
    """An expression that RE2 is likely to accept."""
    parts = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
        roll = rng.random()
        if roll < 0.42:
            part = rng.choice(_LITERALS)
        elif roll < 0.62:
            part = rng.choice(_CLASSES)
        elif roll < 0.72:
            part = rng.choice(_ASSERTIONS)
        elif roll < 0.75:
            part = rng.choice(_QUOTED)
        elif roll < 0.79:
            part = rng.choice(_FLAGS)
        elif depth < 4:
            inside = "|".join(random_pattern(rng, depth + 1) for _ in range(rng.choice((1, 1, 2, 3))))
            part = f"{rng.choice(_GROUPS)}{inside})"
        else:
            part = rng.choice(_LITERALS)
        if rng.random() < 0.3:
            part += rng.choice(_REPEATS)
        parts.append(part)
    body = "".join(parts)
    return f"{body}|{random_pattern(rng, 4)}" if depth == 0 and rng.random() < 0.15 else body


def strings(rng: random.Random, automaton: Automaton, count: int) -> Iterator[str]:
    """ASCII strings: some random, most along the automaton, some of those changed at one place."""
    for number in range(count):
        if number % 4 == 0:
            yield "".join(rng.choices(_CHARACTERS, k=rng.randrange(6))).encode("ascii", "ignore").decode()
            continue
        string = _walk(rng, automaton)
        if number % 4 == 1 and string:
            at = rng.randrange(len(string))
            string = string[:at] + rng.choice("ab.K\n_-") + string[at + rng.randrange(2) :]
        yield string


def _walk(rng: random.Random, automaton: Automaton) -> str:
    state, string = automaton.start, ""
    for _ in range(rng.randrange(1, 12)):
        ways = [
            (number, after)
            for number in range(len(automaton.blocks))
            if (after := automaton.step(state, number)) != DEAD
        ]
        if not ways or (automaton.accepts(state) and rng.random() < 0.3):
            break
        klass, state = rng.choice(ways)
        string += chr(rng.choice([c for c in range(128) if automaton.blocks[klass] >> c & 1]))
    return string


def pairs(rng: random.Random) -> Iterator[tuple[str, Matcher, Automaton]]:
    """Endlessly: an accepted expression, RE2's matcher of it, and its automaton."""
    while True:
        pattern = random_pattern(rng)
        try:
            matcher = compile_regex(pattern)
        except RegexRefused:
            continue
        budget = Budget(2_000_000)
        try:
            yield pattern, matcher, Automaton(build(parse(pattern), budget), budget)
        except ExhaustedError:
            continue
