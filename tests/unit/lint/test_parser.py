"""Special cases of RE2's syntax, each compared with RE2 itself."""

from __future__ import annotations

import itertools

import pytest
import re2

from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget, ExhaustedError
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse

CORNERS = [
    r"a{,2}",
    r"a{01}",
    r"a{1,",
    r"a{2}{",
    r"a*(?i)*b",
    r"a\Q\E*",
    r"\Qa.\E*b",
    r"\Qab",
    r"(?i)k\x{212a}",
    r"(?i:a|b)B",
    r"(a(?i)b|B)b",
    r"(?i)a(?-i)B|b",
    r"[]a]b",
    r"[^]a]",
    r"[a\]]b",
    r"[[:alpha:]b-]",
    r"[a[:b]",
    r"[+-[:alpha:]",
    r"[\x41-b]",
    r"\x{61}\101\0?",
    r"\p{^Lu}\PL?",
    r"(?m)^a$\n?^b?$",
    r"a$b|ab",
    r"\ba\b|\B.\B",
    r"(?s).(?-s).",
    r"(?P<n>a)(?<m>b)?",
    r"(|a)*b??",
    r"()+|a",
    r"^*a$?",
    r"(?U)a+?b",
    r"a.\z|\Ab.",
]


@pytest.mark.parametrize("pattern", CORNERS)
def test_the_automaton_decides_as_re2_does(pattern: str) -> None:
    budget = Budget()
    automaton = Automaton(build(parse(pattern), budget), budget)
    matcher = re2.compile(pattern)
    for length in range(4):
        for chars in itertools.product("abBk]{1\n.", repeat=length):
            text = "".join(chars)
            assert automaton.matches(text) == (matcher.fullmatch(text) is not None), text


def test_deep_nesting_is_given_up() -> None:
    with pytest.raises(ExhaustedError):
        parse("(" * 200 + "a" + ")" * 200)
    with pytest.raises(ExhaustedError):
        parse("a" + "*(?i)" * 200)
