"""Expressions of other programs and their translations admit the same origins."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.found import FoundOrigin
from crossgate.importers.regex_translation import Dialect, Extent, translate_regex
from crossgate.policy import CorsPolicy, EffectivePolicy, build_policy
from crossgate.policy.origin import is_well_formed

PCRE, JAVA, RE2, ECMASCRIPT = Dialect.PCRE, Dialect.JAVA, Dialect.RE2, Dialect.ECMASCRIPT
WHOLE, START, SEARCH, HOST = Extent.WHOLE, Extent.START, Extent.SEARCH, Extent.HOST_SEARCH


@pytest.mark.parametrize(
    ("pattern", "dialect", "extent", "expected"),
    [
        # Anchors are lost, escaped literals become exact origins.
        (r"^https://example\.com$", PCRE, SEARCH, "https://example.com"),
        (r"https:\/\/example\.com", ECMASCRIPT, WHOLE, "https://example.com"),
        (r"\Qhttps://example.com\E", JAVA, WHOLE, "https://example.com"),
        (r"\Ahttps://example\.com\Z", PCRE, SEARCH, "https://example.com"),
        ("^https://example[.]com$", RE2, WHOLE, "https://example.com"),
        ("(?i)^HTTPS://EXAMPLE\\.COM$", PCRE, SEARCH, "https://example.com"),
        # An unescaped dot stays one: the linter finds it.
        ("^https://example.com$", PCRE, SEARCH, {"regex": "https://example.com"}),
        # Any subdomain, any port.
        (r"^https://.*\.example\.com$", PCRE, SEARCH, "https://*.example.com"),
        (r"https://.+\.example\.com", JAVA, WHOLE, "https://*.example.com"),
        (r"^http://localhost(:\d+)?$", PCRE, SEARCH, "http://localhost:*"),
        (r"^http://localhost(?::[0-9]*)?$", PCRE, START, "http://localhost:*"),
        (r"^https://[a-z]+\.example\.com$", PCRE, SEARCH, {"regex": r"https://[a-z]+\.example\.com"}),
        (r"^https://.*example\.com$", PCRE, SEARCH, {"regex": r"https://.*example\.com"}),
        # A search finds a part, wherever it is not anchored.
        (r"example\.com$", PCRE, SEARCH, {"regex": r".*example\.com"}),
        (r"^https://example\.com", PCRE, SEARCH, {"regex": r"https://example\.com.*"}),
        (r"a|b$", PCRE, SEARCH, {"regex": r"(?:.*a.*|.*b)"}),
        (r"(^|\.)example\.com$", PCRE, SEARCH, {"regex": r"(?:example\.com|.*\.example\.com)"}),
        (r"https://a\.example\.com", JAVA, START, {"regex": r"https://a\.example\.com.*"}),
        (r"a\.*", PCRE, SEARCH, {"regex": r".*a\.*.*"}),
        ("", PCRE, SEARCH, {"regex": ".*"}),
        # The host only.
        (
            r"^example\.com$",
            PCRE,
            HOST,
            {"regex": r"[a-z][a-z0-9+.-]*://example\.com(?::[0-9]+)?"},
        ),
        (
            r"(^|\.)example\.com$",
            PCRE,
            HOST,
            {"regex": r"[a-z][a-z0-9+.-]*://(?:example\.com|[^:]*\.example\.com)(?::[0-9]+)?"},
        ),
        # Case is ignored: origins are in lower case.
        ("(?i)^https://PR-[0-9A-F]+\\.x\\.io$", JAVA, START, {"regex": r"https://pr-[0-9a-f]+\.x\.io"}),
        # A class that RE2 reads in another way is written by its characters.
        (r"^https://\p{Alpha}\.io$", JAVA, WHOLE, {"regex": r"https://[a-z]\.io"}),
        (r"^https://\h\.io$", PCRE, WHOLE, {"regex": r"https://[^\x00-\x{10FFFF}]\.io"}),
        (r"^https://[[:alpha:]]\.io$", PCRE, WHOLE, {"regex": r"https://[[:alpha:]]\.io"}),
        (r"^https://\u0061\.io$", JAVA, WHOLE, "https://a.io"),
        (r"^https://a\056io$", PCRE, WHOLE, "https://a.io"),
        # Characters of braces.
        (r"^https://a{x}\.io$", PCRE, WHOLE, "https://a{x}.io"),
        # What only RE2 has stays as it is.
        (r"https://\pN\C\.io", RE2, WHOLE, {"regex": r"https://\pN\C\.io"}),
    ],
)
def test_translation(pattern: str, dialect: Dialect, extent: Extent, expected: FoundOrigin) -> None:
    assert translate_regex(pattern, dialect, extent) == expected


@pytest.mark.parametrize(
    ("pattern", "dialects", "reason"),
    [
        (r"https://(?!evil).*", (PCRE, JAVA, ECMASCRIPT, RE2), "looks ahead or behind"),
        (r"(?<=https://)a", (PCRE, JAVA, ECMASCRIPT, RE2), "looks ahead or behind"),
        (r"(a)\1", (PCRE, JAVA, ECMASCRIPT, RE2), "refers back"),
        (r"(?<x>a)\k<x>", (PCRE, JAVA, ECMASCRIPT), "refers back"),
        (r"(?P=x)", (PCRE,), "a form that is not supported"),
        ("[a-z]++b", (PCRE, JAVA), "possessive"),
        ("(?>a+)b", (PCRE, JAVA), "atomic"),
        ("(?x) a b", (PCRE, JAVA), "flags"),
        ("(?|a|b)", (PCRE,), "a form that is not supported"),
        (r"\Ga", (PCRE, JAVA), r"the escape \\G"),
        (r"a\Kb", (PCRE,), r"the escape \\K"),
        (r"\R", (PCRE, JAVA), r"the escape \\R"),
        (r"\p{Greek}", (PCRE, JAVA), "class of characters"),
        (r"(?i)\p{Lu}", (PCRE, JAVA), "case is ignored"),
        ("(?i)[[:^upper:]]", (PCRE,), "case is ignored"),
        ("a{2000}", (PCRE, JAVA), "RE2 refuses"),
        ("(((a{100}){100}){100}", (PCRE,), "not closed"),
        ("((a{100}){100}){100}", (PCRE,), "RE2 refuses"),
        ("a)", (PCRE, JAVA), "not opened"),
        ("[a", (PCRE, JAVA), "not closed"),
        ("[z-a]", (PCRE, JAVA), "no order"),
        ("*", (PCRE, JAVA), "nothing to repeat"),
        ("a**", (PCRE, JAVA, ECMASCRIPT), "repeated"),
        ("a" * 5000, (PCRE,), "longer than"),
        ("(" * 60 + ")" * 60, (PCRE,), "nested"),
    ],
)
def test_what_cannot_be_expressed_is_refused(
    pattern: str, dialects: tuple[Dialect, ...], reason: str
) -> None:
    for dialect in dialects:
        refused = translate_regex(pattern, dialect, SEARCH)
        assert isinstance(refused, Diagnostic), refused
        assert refused.severity is Severity.WARNING
        assert re.search(reason, refused.message), refused.message


@pytest.mark.parametrize(
    ("pattern", "dialect"),
    [
        (r"^https://[a-z&&[^b]]\.io$", JAVA),
        (r"^https://[a-c[x-z]]\.io$", JAVA),
        (r"^https://[[:alpha:]]\.io$", JAVA),
        (r"^https://[]a]\.io$", JAVA),
        (r"^https://[]a]\.io$", ECMASCRIPT),
        (r"^(h)ttps://a\12\.io$", JAVA),
        (r"^(h)ttps://a\12\.io$", PCRE),
        (r"^\Ahttps://a\.io$", ECMASCRIPT),
        (r"^https://a\.io\z", ECMASCRIPT),
        (r"^\Qhttps://a.io\E$", ECMASCRIPT),
        (r"^https://\a\.io$", ECMASCRIPT),
        (r"^https://a{,3}\.io$", PCRE),
        (r"^https://a{,3}\.io$", JAVA),
        (r"^https://a{01}\.io$", PCRE),
        (r"^https://\x{61}\.io$", ECMASCRIPT),
        (r"^https://\pL\.io$", ECMASCRIPT),
    ],
)
def test_what_re2_reads_otherwise_is_refused(pattern: str, dialect: Dialect) -> None:
    assert isinstance(translate_regex(pattern, dialect, WHOLE), Diagnostic)


def test_vertical_space_is_no_vertical_tab_and_no_origin_has_either() -> None:
    translated = translate_regex(r"^https://\v*a\.io$", PCRE, WHOLE)
    assert isinstance(translated, dict)
    assert not _admits(translated, "https://\va.io")
    assert _admits(translated, "https://a.io")


_PIECES = st.sampled_from(
    [
        *("^", "$", "|", "https?", "://", ".*", ".+", ".", r"\.", "example", "com", "a", "b", r"a\.b"),
        *("[a-z0-9-]+", "[^.]+", "[^/]*", "[.]", "[ab-]", r"[\w-]", r"\w+", r"\d{1,3}", r"\d", "a{2}", "b?"),
        *("(a|b)", r"(?:^|\.)", "(?:$|:)", r"(:\d+)?", "(?:http|https)://", "(?i:EX)ample", r"\b", r"\B"),
        *(r"(?:a\.)*", r"(\w+\.)?", r"[^:]+", "(a|)", ".*?", "a+?", r"\S", r"\D", "null"),
    ]
)
_LABELS = st.sampled_from(
    ["example", "com", "a", "b", "aa", "ab", "www", "1", "127", "x-y", "a_b", "evilexample"]
)
_ORIGINS = st.builds(
    lambda scheme, labels, port: f"{scheme}://{'.'.join(labels)}{port}",
    st.sampled_from(["https", "http", "a.b", "chrome-extension"]),
    st.lists(_LABELS, min_size=1, max_size=4),
    st.sampled_from(["", "", ":8080", ":1"]),
).filter(is_well_formed)
_MATCHES: dict[Extent, Callable[[re.Pattern[str], str], object]] = {
    WHOLE: re.Pattern.fullmatch,
    START: re.Pattern.match,
    SEARCH: re.Pattern.search,
    HOST: lambda regex, origin: regex.search(_host(origin)) if "://" in origin else None,
}


def _host(origin: str) -> str:
    return re.sub(r"^.*?://|:[0-9]+$", "", origin)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_PIECES, max_size=7).map("".join),
    st.lists(_ORIGINS, min_size=3, max_size=8),
    st.sampled_from(Extent),
    st.sampled_from([PCRE, JAVA]),
    st.booleans(),
)
@example(r"a|b$", ["https://a.example", "http://b"], SEARCH, PCRE, False)
@example(r"example.+", ["https://example:8080"], HOST, PCRE, False)
@example(r"(?:^|\.)example(?:$|:)", ["https://example:8080", "https://a.example"], HOST, PCRE, False)
def test_the_same_origins_are_admitted(
    pattern: str, origins: list[str], extent: Extent, dialect: Dialect, ignore_case: bool
) -> None:
    """Python's engine stands in for PCRE and Java: their syntax and meaning agree here."""
    try:
        original = re.compile(pattern, re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except re.error:
        return
    translated = translate_regex(pattern, dialect, extent, ignore_case=ignore_case)
    if isinstance(translated, Diagnostic):
        return
    policy = _policy(translated)
    for origin in [*origins, "null"]:
        expected = _MATCHES[extent](original, origin) is not None
        assert (origin in policy.origins) == expected, (translated, origin)


def _policy(entry: FoundOrigin) -> EffectivePolicy:
    policy: CorsPolicy = build_policy(allowed_origins=[entry])
    return EffectivePolicy(policy)


def _admits(entry: FoundOrigin, origin: str) -> bool:
    return origin in _policy(entry).origins
