"""The forms of allowed origins: what is read as what, and what is refused with which remedy."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.policy import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    RegexOrigin,
    WildcardOrigin,
    parse_exact_origin,
    parse_origin_pattern,
)
from crossgate.policy.origin_pattern import serialise_origin_pattern

FORMS = [
    ("https://example.com", ExactOrigin("https://example.com")),
    ("http://[::1]:3000", ExactOrigin("http://[::1]:3000")),
    ("capacitor://localhost", ExactOrigin("capacitor://localhost")),
    ("file://", ExactOrigin("file://")),
    ("app://.", ExactOrigin("app://.")),
    ("*", AnyOrigin()),
    ("null", NullOrigin()),
    ("https://*.example.com", WildcardOrigin("https", "example.com", None, True, False)),
    ("https://*.example.com:8443", WildcardOrigin("https", "example.com", 8443, True, False)),
    ("https://example.com:*", WildcardOrigin("https", "example.com", None, False, True)),
    ("https://*.example.com:*", WildcardOrigin("https", "example.com", None, True, True)),
    ("http://[::1]:*", WildcardOrigin("http", "[::1]", None, False, True)),
]


@pytest.mark.parametrize(("raw", "pattern"), FORMS, ids=lambda value: str(value))
def test_each_form_is_read_as_what_it_spells(raw: str, pattern: object) -> None:
    parsed = parse_origin_pattern(raw)
    assert parsed == pattern
    assert not isinstance(parsed, Diagnostic)
    assert serialise_origin_pattern(parsed) == raw


def test_a_regex_is_only_what_says_so() -> None:
    parsed = parse_origin_pattern({"regex": r"https://a\.com"})
    assert isinstance(parsed, RegexOrigin)
    assert serialise_origin_pattern(parsed) == {"regex": r"https://a\.com"}
    assert parsed.matcher.fullmatch(b"https://a.com")
    assert not parsed.matcher.fullmatch(b"https://a.com.evil.org")
    assert isinstance(parse_origin_pattern(r"https://a\.com"), Diagnostic)
    assert isinstance(parse_origin_pattern("https://(a|b).com"), ExactOrigin | Diagnostic)


# String that is refused; a part of the message; a part of the remedy.
REFUSED = [
    ("", "no scheme", "https://example.com"),
    ("example.com", "no scheme", "https://example.com"),
    ("example.com:8443", "no scheme", "https://example.com:8443"),
    ("//example.com", "no scheme", "scheme://host[:port]"),
    ("data:x", "no scheme", "scheme://host[:port]"),
    ("NULL", "exact", "null"),
    ("https://", "no host", "scheme://host[:port]"),
    ("1://example.com", "invalid scheme", "scheme://host[:port]"),
    (" https://example.com", "white space", "send https://example.com:"),
    ("https://example.com\n", "white space", "send https://example.com:"),
    ("https://a.com, https://b.com", "more than one", "scheme://host[:port]"),
    ("https://a.com https://b.com", "more than one", "scheme://host[:port]"),
    ("https://example.com/", "path", "send https://example.com:"),
    ("https://example.com/a?b#c", "path", "send https://example.com:"),
    ("https://example.com?q", "query", "send https://example.com:"),
    ("https://example.com#f", "fragment", "send https://example.com:"),
    ("https://u:p@example.com", "user information", "send https://example.com:"),
    ("HTTPS://Example.COM:443/", "path", "send https://example.com:"),
    ("https://Example.com", "upper-case", "send https://example.com:"),
    ("https://München.example", "ASCII", "send https://xn--mnchen-3ya.example:"),
    (f"https://{'ü' * 300}.example", "ASCII", "scheme://host[:port]"),
    ("https://example.com:443", "default port", "send https://example.com:"),
    ("ws://example.com:80", "default port", "send http://example.com:"),
    ("wss://example.com/chat", "path", "send https://example.com:"),
    ("https://example.com:", "invalid port", "send https://example.com:"),
    ("https://example.com:0", "invalid port", "scheme://host[:port]"),
    ("https://example.com:08443", "invalid port", "send https://example.com:8443:"),
    ("https://example.com:65536", "invalid port", "scheme://host[:port]"),
    ("https://example.com:http", "invalid port", "scheme://host[:port]"),
    ("https://example.com:" + "1" * 5000, "invalid port", "scheme://host[:port]"),
    ("https://a..com", "invalid host", "scheme://host[:port]"),
    ("https://1.2.3", "invalid host", "scheme://host[:port]"),
    ("https://[::1", "invalid host", "scheme://host[:port]"),
    ("https://[::ffff:1.2.3.4]", "invalid host", "scheme://host[:port]"),
    ("http://[0:0:0:0:0:0:0:1]", "IPv6", "http://[::1]"),
    ("http://[1::2:0:0:0:3]:3000", "IPv6", "http://[1:0:0:2::3]:3000"),
    ("http://[1:0:0:0:5:6:7:8]", "IPv6", "http://[1::5:6:7:8]"),
    ("https://*", "wildcard", "https://*.example.com"),
    ("https://*:8443", "wildcard", "regex"),
    ("https://*:*", "wildcard", "regex"),
    ("https://a*.example.com", "wildcard", "regex"),
    ("https://a.*.example.com", "wildcard", "regex"),
    ("https://*.*.example.com", "wildcard", "regex"),
    ("https://**.example.com", "wildcard", "regex"),
    ("https://*example.com", "wildcard", "regex"),
    ("*://example.com", "wildcard", "regex"),
    ("*.example.com", "wildcard", "https://*.example.com"),
    ("https://*.1.2.3.4", "IP address", "address itself"),
    ("https://*.[::1]", "IP address", "address itself"),
    ("https://*.example.com:1:*", "two ports", "https://*.example.com:*"),
    ("https://*.Example.com", "upper-case", "Beside the wildcard"),
    ("https://*.", "no host", "Beside the wildcard"),
    ("https://:*", "no host", "Beside the wildcard"),
    ("app://*.", "no host", "Write app://, or *"),
    ("file://:*", "no host", "Write file://, or *"),
    ("file:///", "path", "Browsers send file://: write that"),
    ("App://./index.html", "path", "Browsers send app://.: write that"),
    ("https://.", "invalid host", "scheme://host"),
    ("https://*.example.com:443", "default port", "Beside the wildcard"),
]


@pytest.mark.parametrize(("text", "message", "remedy"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_no_origin_is_refused_with_a_remedy(text: str, message: str, remedy: str) -> None:
    diagnostic = parse_origin_pattern(text)
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "origin-invalid"
    assert message in diagnostic.message
    assert remedy in diagnostic.remedy


@pytest.mark.parametrize("text", [text for text, *_ in REFUSED])
def test_what_a_remedy_says_to_write_is_valid(text: str) -> None:
    diagnostic = parse_exact_origin(text)
    assert isinstance(diagnostic, Diagnostic)
    if diagnostic.remedy.startswith("Browsers send "):
        written = diagnostic.remedy.removeprefix("Browsers send ").removesuffix(": write that")
        assert parse_exact_origin(written) == ExactOrigin(written)


@pytest.mark.parametrize(
    "raw",
    [3, None, True, 1.5, b"https://a.com", ["https://a.com"], {}, {"regex": 3}, {"regex": "a", "x": 1}],
)
def test_other_values_are_no_form_of_an_origin(raw: object) -> None:
    diagnostic = parse_origin_pattern(raw)
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "origin-form"


@pytest.mark.parametrize("regex", ["(", "a(?=b)", r"(a)\1", "x{1001}", "(?<!a)b", "[z-a]", "*", "\ud800"])
def test_what_re2_refuses_is_refused_at_its_place(regex: str) -> None:
    diagnostic = parse_origin_pattern({"regex": regex})
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "origin-regex"
    assert diagnostic.place.path == ("regex",)
    str(diagnostic).encode()


@pytest.mark.parametrize("text", ["*", "null", "https://*.example.com", "https://example.com:*", "https://*"])
def test_an_application_has_exact_origins_only(text: str) -> None:
    assert isinstance(parse_exact_origin(text), Diagnostic)


@pytest.mark.parametrize("raw", [{"regex": "x"}, None, 3])
def test_an_exact_origin_is_a_text(raw: object) -> None:
    diagnostic = parse_exact_origin(raw)
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "origin-form"
