"""The compiler's short cut for plain expressions never contradicts the proof's automata.

``compiler/plain_regex.py`` recognises expressions with expressions. If it is wrong, Envoy admits ill-formed
origins. Here the automaton of each expression that it accepts is compared with the grammar of origins.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest
import re2
from tests.fuzz_proof import generator
from tests.random_origin_patterns import random_origin_pattern
from tests.random_regexes import random_pattern
from tests.unit.lint.test_parser import CORNERS

from crossgate.compiler.plain_regex import EMPTY_LABEL, has_labels, is_plain
from crossgate.lint.proof import grammar
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.bitset import State
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse
from crossgate.lint.proof.product import find_string
from crossgate.lint.proof.syntax_tree import Symbol, walk
from crossgate.policy.origin import is_well_formed
from crossgate.policy.re2 import RegexRefused, compile_regex

CORPUS: Final = Path(__file__).parents[2] / "data" / "origin-regex-corpus.json"
# All of the first planes' scripts that fold into ASCII or are digits or letters, and both ends of the range.
NON_ASCII: Final = "".join(map(chr, [*range(0x80, 0xD7FF), *range(0xFF00, 0xFFF0), 0x1D7CE, 0x10FFFF]))
ATOMS: Final = ["a", "z9", "-", "_", "7", r"\.", r"\-", r"\d", "[a-z]", "[a-f0-9_-]", "[0x]", "[a-z0-9-]"]
QUANTIFIERS: Final = ["", "", "", "+", "*", "?", "{2}", "{0,2}", "{1,}"]
MUTATIONS = [*r"\[](){}|?*+.^$:/-,_aAzZ09", "\u017f", "\u00e9", "{01}", "{1,02}", "{,2}", "{1,"]
MUTATIONS += [r"\.", r"\C", r"\w", r"\D", r"\x41", r"\Q", "[A-z]", "[.-z]", ".*", "(?i)", "(?:", ":80"]


def plain_expression(rng: random.Random) -> str:
    """An expression of the kind that is plain."""
    return rng.choice(["http://", "https://", "https?://"]) + _body(rng) + rng.choice([r"\.com", r"\.a\.org"])


def _body(rng: random.Random, *, nested: bool = False) -> str:
    parts = []
    for _ in range(rng.randrange(5)):
        if not nested and rng.random() < 0.3:
            branches = [_body(rng, nested=True) for _ in range(rng.randrange(1, 3))]
            part = f"{rng.choice(['(', '(?:'])}{'|'.join(branches)})"
        else:
            part = rng.choice(ATOMS)
        parts.append(part + rng.choice(QUANTIFIERS))
    return "".join(parts)


def mutated_expression(rng: random.Random) -> str:
    """A plain expression with a few edits at random places."""
    regex = plain_expression(rng)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(regex) + 1)
        regex = regex[:at] + rng.choice(["", *MUTATIONS]) + regex[at + rng.randrange(3) :]
    return regex


def contradiction(regex: str) -> str | None:
    """What the expression matches against the compiler's claim; None if the claim is true, or there is none.

    ``is_plain`` claims: every match is a well-formed origin or has an empty label. ``has_labels`` claims of a
    plain expression: every match is well-formed.
    """
    if not is_plain(regex):
        return None
    return _non_ascii_match(regex) or _ill_formed_match(regex, empty_labels=not has_labels(regex))


def _non_ascii_match(regex: str) -> str | None:
    # The automata know ASCII only.
    tokens = {regex[node.start : node.end] for node in walk(parse(regex)) if isinstance(node, Symbol)}
    return next((f"{token} matches beyond ASCII" for token in tokens if _matches_non_ascii(token)), None)


@cache
def _matches_non_ascii(token: str) -> bool:
    return re2.search(token, NON_ASCII) is not None


def _ill_formed_match(regex: str, *, empty_labels: bool) -> str | None:
    """A match of the expression that is not well-formed; with ``empty_labels`` those may have any."""
    budget = Budget(2_000_000)
    expression = Automaton(build(parse(regex), budget), budget)
    origins, defaults = grammar.origin_grammar(), grammar.default_port_grammar()
    empty = grammar.automaton_of(EMPTY_LABEL)

    def accepts(states: Sequence[State]) -> bool:
        well_formed = origins.accepts(states[1]) and not defaults.accepts(states[2])
        excused = empty_labels and empty.accepts(states[3])
        return expression.accepts(states[0]) and not well_formed and not excused

    automata = (expression, origins, defaults, empty)
    return find_string(automata, accepts, budget, branching=0, may_die=frozenset({1, 2, 3}))


def accepted(expressions: Iterator[str]) -> Iterator[str]:
    """Those that RE2 accepts; the compiler gets no others."""
    for regex in expressions:
        try:
            compile_regex(regex)
        except RegexRefused:
            continue
        yield regex


def _accepted_random(random_expression: Callable[[random.Random], str], seed: int) -> Iterator[str]:
    rng = generator(seed)
    return accepted(random_expression(rng) for _ in count())


def test_the_corpus() -> None:
    patterns = [case["pattern"] for case in json.loads(CORPUS.read_text()) if case["mode"] != "wildcard"]
    assert [found for regex in patterns if (found := contradiction(regex))] == []


def test_the_corners_of_the_syntax() -> None:
    # On their own, and where a plain expression would have a label.
    embedded = [rf"https://{corner}\.com" for corner in CORNERS]
    assert [found for regex in accepted(iter([*CORNERS, *embedded])) if (found := contradiction(regex))] == []


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("random_expression", [random_pattern, random_origin_pattern, mutated_expression])
def test_random_expressions(random_expression: Callable[[random.Random], str], seed: int) -> None:
    expressions = islice(_accepted_random(random_expression, seed), 1500)
    assert {regex: found for regex in expressions if (found := contradiction(regex))} == {}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_random_expressions_that_are_plain(seed: int) -> None:
    expressions = islice(_accepted_random(plain_expression, seed), 300)
    plain = [regex for regex in expressions if is_plain(regex)]
    assert len(plain) > 250
    assert sum(map(has_labels, plain)) > 50
    assert {regex: found for regex in plain if (found := contradiction(regex))} == {}


@pytest.mark.parametrize(
    ("regex", "match"),
    [
        (r"https://[A-z]\.com", "https://A.com"),
        (r"https://[.-z]\.com", "https://[.com"),
        (r"https://a\.com|a", "a"),
        (r"https://a\.com:443", "https://a.com:443"),
        (r"https://a\.1", "https://a.1"),
    ],
)
def test_a_wrong_claim_would_be_found(regex: str, match: str) -> None:
    found = _ill_formed_match(regex, empty_labels=True)
    assert found is not None
    assert re2.fullmatch(regex, found)
    assert len(found) == len(match)
    assert not is_well_formed(found)


def test_an_empty_label_is_found_and_excused() -> None:
    assert _ill_formed_match(r"https://a*\.com", empty_labels=False) == "https://.com"
    assert _ill_formed_match(r"https://a*\.com", empty_labels=True) is None


def test_tokens_that_match_beyond_ascii_are_known() -> None:
    assert all(map(_matches_non_ascii, ["(?i)s", "(?i)k", r"\pL", r"\D", r"\W", "[^a]", "."]))
    assert not any(map(_matches_non_ascii, [r"\d", r"\w", "[a-z]", "a", r"\."]))
