"""Lists of header names: RE2 reads them as the standard says, in bounded work, whatever they hold."""

from __future__ import annotations

import random
from functools import partial

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st
from tests.counting import calls, peak_memory

from crossgate.policy.header_list import MAX_LIST_LENGTH, HeaderNames, list_regexes, skip_separators
from crossgate.policy.names import is_token

MEBIBYTE = 2**20
NAMES = ("X-Token", "Content-Type", "a.b*c+d", "k")
POLICIES = (
    NAMES,
    (),
    ("*",),
    ("*", "Authorization"),
    tuple(f"x-{number}" for number in range(300)) + NAMES,  # too many for one expression
)
ELEMENTS = st.sampled_from(
    [
        *NAMES,
        "x-token",
        "a.bc",
        "Authorization",
        "authorizatio",
        "authorizationx",
        "aurhorization",
        "x y",
        "é",
        "",
    ]
)
SPACES = st.text(st.sampled_from(" \t"), max_size=2)


def admits(names: tuple[str, ...], value: str) -> bool:
    """As the specification says it, element by element."""
    lower = {name.lower() for name in names}
    for element in value.split(","):
        name = element.strip(" \t")
        if name and name.lower() not in lower:
            covered = "*" in names and is_token(name) and name.lower() != "authorization"
            if not covered:
                return False
    return value.isascii()


@given(st.sampled_from(POLICIES), st.lists(st.tuples(SPACES, ELEMENTS, SPACES), max_size=6))
def test_a_value_is_admitted_if_its_elements_are(
    names: tuple[str, ...], elements: list[tuple[str, str, str]]
) -> None:
    value = ",".join(map("".join, elements))
    assert HeaderNames(names).admit(value) == admits(names, value)


@given(st.sampled_from(POLICIES), st.text(st.sampled_from('aAuthorizn-tx,;: \t\n"*')))
def test_any_string_is_admitted_if_its_elements_are(names: tuple[str, ...], value: str) -> None:
    assert HeaderNames(names).admit(value) == admits(names, value)


def test_unicode_letters_that_fold_to_ascii_are_not_such_letters() -> None:
    names = HeaderNames(("k", "s", "X-Token"))
    assert names.admit("K, S, x-TOKEN")
    for value in ("\u212a", "\u017f", "X-To\u212aen", "x-token, \u212a"):
        assert not names.admit(value)
        assert not HeaderNames(("*",)).admit(value)


@given(
    st.sampled_from(POLICIES),
    st.text(st.sampled_from('abk-* \t,;:"K\u212a\xff\x0b\n'), max_size=20)
    | st.sampled_from(["authorization"]),
)
def test_the_expressions_for_envoy_admit_the_same_values(names: tuple[str, ...], value: str) -> None:
    allowed, refused = (re2.compile(regex.encode()) for regex in list_regexes(names))
    encoded = value.encode()
    matched = allowed.fullmatch(encoded) is not None and (value == "" or refused.fullmatch(encoded) is None)
    assert HeaderNames(names).admit(value) == matched


@given(
    st.lists(st.tuples(st.sampled_from(", \t"), st.integers(1, 9000)), max_size=4),
    st.sampled_from(["", "x-token", "x-other"]),
)
def test_separators_in_front_change_nothing(runs: list[tuple[str, int]], rest: str) -> None:
    value = "".join(separator * length for separator, length in runs) + rest
    assert value.endswith(skip_separators(value))
    assert skip_separators(value).lstrip(", \t") == rest
    assert HeaderNames(NAMES).admit(value) == (rest != "x-other")


def test_the_longest_list_is_read_and_a_longer_one_is_not() -> None:
    longest = "x-token" + "," * (MAX_LIST_LENGTH - len("x-token"))
    assert HeaderNames(NAMES).admit(longest)
    assert not HeaderNames(NAMES).admit(longest + ",")


def hostile(size: int) -> dict[str, str]:
    seeded = random.Random(size)  # noqa: S311 - any numbers do
    return {
        "commas": "," * size,
        "spaces": " " * size,
        "commas and spaces": ", " * (size // 2),
        "tabs and commas": "\t," * (size // 2),
        "commas, then a name": "," * size + "x-other",
        "separators at random": "".join(seeded.choices(", \t", k=size)),
        "a name over and over": "x-token," * (size // 8),
        "a name, spaces, a name": "x-token" + " " * size + ",x-token",
        "a name, commas, a name": "x-token" + "," * size + "x-other",
        "names with spaces": ("x-token" + " " * 100 + ",") * (size // 108),
        "one long name": "z" * size,
        "letters and spaces": "a " * (size // 2),
        "not ASCII at the end": "a, " * (size // 3) + "\xff",
        "junk": "".join(chr(seeded.randrange(32, 256)) for _ in range(size)),
    }


@pytest.mark.parametrize("size", [2**10, 2**16, MEBIBYTE])
@pytest.mark.parametrize("names", [NAMES, ("*",), ("*", "Authorization"), ()], ids=str)
def test_hostile_lists_take_few_calls_and_little_memory(names: tuple[str, ...], size: int) -> None:
    header_names = HeaderNames(names)
    header_names.admit("x, y")  # compiles
    for what, value in hostile(size).items():
        assert calls(partial(header_names.admit, value)) < 600, what
        assert peak_memory(partial(header_names.admit, value)) < 4 * MEBIBYTE, what
