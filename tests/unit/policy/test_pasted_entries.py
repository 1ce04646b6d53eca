"""Entries in the notation of other tools: the error says what to write."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import re2

from crossgate.catalogue.reader import refuse_files
from crossgate.diagnostics import Diagnostic
from crossgate.policy import parse_exact_origin, parse_origin_pattern, read_server_policy
from crossgate.policy.javascript_regex import between_slashes
from crossgate.policy.origin_pattern import RegexOrigin
from crossgate.policy.port_range import parse_port_range
from crossgate.policy.server_cors import PREFIX

NETWORK = "List the addresses, or write a regular expression in the policy of an API: {regex: ...}"


def test_a_range_of_ports_becomes_an_expression() -> None:
    found = parse_origin_pattern("http://localhost:3000-3010")
    assert isinstance(found, Diagnostic)
    assert found.message == "the origin has a range of ports"
    assert found.remedy == r"Write {regex: 'http://localhost:(?:300[0-9]|3010)'}"
    exact = parse_exact_origin("http://localhost:3000-3010")
    assert isinstance(exact, Diagnostic)
    assert exact.remedy == "Write one origin for each port"


def test_a_range_of_ports_of_a_wildcard_stays_one_of_a_wildcard() -> None:
    found = parse_origin_pattern("https://*.example.com:3000-3010")
    assert isinstance(found, Diagnostic)
    regex = found.remedy.removeprefix("Write {regex: '").removesuffix("'}")
    matcher = re2.compile(regex)
    assert matcher.fullmatch("https://a.b.example.com:3010")
    for other in ("https://example.com:3010", "https://a.example.com:3011"):
        assert not matcher.fullmatch(other)


@pytest.mark.parametrize("parse", [parse_origin_pattern, parse_exact_origin])
def test_a_star_that_is_not_a_wildcard_is_the_error_before_its_ports(
    parse: Callable[[object], object],
) -> None:
    found = parse("https://a*.example.com:3000-3010")
    assert isinstance(found, Diagnostic)
    assert found.message == "the origin has a wildcard where none is possible"


@pytest.mark.parametrize("seed", range(40))
def test_the_expression_matches_the_ports_and_nothing_else(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - test cases, not secrets
    first = rng.choice([1, 9, 80, 99, 3000, rng.randrange(1, 65536)])
    last = min(65535, first + rng.choice([0, 1, 10, 999, rng.randrange(60000)]))
    ports = parse_port_range(f"http://localhost:{first}-{last}")
    assert ports is not None
    matcher = re2.compile(f"(?:{ports.digits})")
    tried = {first - 1, first, last, last + 1, *(rng.randrange(0, 70000) for _ in range(300))}
    for port in tried:
        assert (matcher.fullmatch(str(port)) is not None) == (first <= port <= last), (port, ports)


@pytest.mark.parametrize(
    "text", ["http://localhost:3010-3000", "http://localhost:1-99999", "http://a b:1-2", "x-y"]
)
def test_other_strings_are_not_ranges(text: str) -> None:
    assert parse_port_range(text) is None


@pytest.mark.parametrize(
    ("text", "regex"),
    [
        (r"/^https:\/\/app\.example\.com$/", r"https://app\.example\.com"),
        (r"/^https:\/\/.*\.example\.com$/i", r"https://.*\.example\.com"),
        (r"/\.example\.com$/", r".*\.example\.com"),
        (r"/a\.example|b\.example/", r".*(?:a\.example|b\.example).*"),
        (r"/^https:\/\/a\.example$|^https:\/\/b\.example$/", r"https://a\.example$|^https://b\.example"),
    ],
)
def test_an_expression_between_slashes(text: str, regex: str) -> None:
    found = parse_origin_pattern(text)
    assert isinstance(found, Diagnostic)
    assert found.remedy == f"Write {{regex: '{regex}'}}"
    assert between_slashes(text) == regex
    assert isinstance(parse_origin_pattern({"regex": regex}), RegexOrigin)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("http://localhost:3000-3001", "Write r:http://localhost:(?:300[0-1])"),
        (r"/^https:\/\/a\.example\.com$/", r"Write r:https://a\.example\.com"),
    ],
)
def test_server_level_settings_have_their_own_notation(text: str, remedy: str) -> None:
    _, (found,) = read_server_policy(
        {f"{PREFIX}allowedOrigins": text, f"{PREFIX}enabled": True}, refuse_files
    )
    assert found.remedy == remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        *((network, NETWORK) for network in ("http://10.0.0.0/8", "10.0.0.0/8", "2001:db8::/32")),
        ("*.nip.io", "Write https://*.nip.io"),
        ("*.example.com", "Write https://*.example.com"),
        ("*.example.com:8443", "Write https://*.example.com:8443"),
        ("chrome-extension://*", f"Write the extension's ID: chrome-extension://{'abcdefghijklmnop' * 2}"),
        (r"^https://x\.example\.com$", r"Write {regex: 'https://x\.example\.com'}"),
        (r"~^https://x\.example\.com$", r"Write {regex: 'https://x\.example\.com'}"),
        (r"~*^https://x\.example\.com$", r"Write {regex: 'https://x\.example\.com'}"),
        (r"~ \.example\.com$", r"Write {regex: '.*\.example\.com'}"),
    ],
)
def test_the_notation_of_other_tools(text: str, remedy: str) -> None:
    found = parse_origin_pattern(text)
    assert isinstance(found, Diagnostic)
    assert found.remedy == remedy


def test_a_wildcard_without_a_scheme_is_none_where_only_exact_origins_are_possible() -> None:
    found = parse_exact_origin("*.example.com")
    assert isinstance(found, Diagnostic)
    assert "Write https://*.example.com" not in found.remedy
