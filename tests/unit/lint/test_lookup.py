"""Exact origins are looked up, with the result that the automaton would give."""

from __future__ import annotations

import pytest
import re2

from crossgate.lint.proof import FactCode, Verdict, prove, prove_exact, prove_pattern
from crossgate.policy.origin_pattern import AnyOrigin, NullOrigin, WildcardOrigin, parse_origin_pattern

ORIGINS = [
    "https://example.com",
    "http://example.com:8080",
    "https://a.b.co.uk",
    "https://example.com.",
    "https://github.io",
    "https://mine.github.io",
    "https://www.ck",
    "https://a.b.ck",
    "https://x.amazonaws.com",
    "https://s3.amazonaws.com",
    "https://com",
    "http://localhost:3000",
    "http://app.localhost",
    "http://127.0.0.1",
    "http://10.1.2.3:81",
    "http://8.8.8.8",
    "http://[::1]:5173",
    "https://[2001:db8::1]",
    "http://intranet",
    "http://wiki.corp:8080",
    "chrome-extension://abcdefghijklmnop",
    "capacitor://localhost",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_look_up_agrees_with_the_automaton(origin: str) -> None:
    looked_up, worked_out = prove_exact(origin), prove(re2.escape(origin))
    assert looked_up.verdict is worked_out.verdict
    assert looked_up.domains == worked_out.domains
    assert {f.code for f in looked_up.facts} == {f.code for f in worked_out.facts}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("https://*.example.com", Verdict.PROVED),
        ("https://*.amazonaws.com", Verdict.TENANT),
        ("https://*.co.uk", Verdict.UNBOUNDED),
        ("https://*.github.io:8443", Verdict.TENANT),
        ("http://localhost:*", Verdict.PROVED),
    ],
)
def test_wildcards(text: str, verdict: Verdict) -> None:
    pattern = parse_origin_pattern(text)
    assert isinstance(pattern, WildcardOrigin)
    proof = prove_pattern(pattern)
    assert proof.verdict is verdict
    assert (proof.witness is None) == (verdict is Verdict.PROVED)


HOSTS = """
example.com a.b.example.co.uk github.io mine.github.io com amazonaws.com ck www.ck kobe.jp city.kobe.jp
x.kobe.jp localhost intranet eu-1.amazonaws.com b.ck
"""
WILDCARDS = [
    f"{scheme}://{star}{host}{port}"
    for scheme in ("https", "http")
    for host in HOSTS.split()
    for star, port in (("*.", ""), ("", ":*"), ("*.", ":*"), ("*.", ":8443"))
]


@pytest.mark.parametrize("text", [*WILDCARDS, "chrome-extension://abc:*", "http://127.0.0.1:*"])
def test_a_wildcard_has_the_same_proof_by_look_up_and_by_automaton(text: str) -> None:
    pattern = parse_origin_pattern(text)
    assert isinstance(pattern, WildcardOrigin)
    looked_up, worked_out = prove_pattern(pattern), prove(pattern.regex)
    assert looked_up.verdict is worked_out.verdict
    assert looked_up.domains == worked_out.domains
    assert {f.code for f in looked_up.facts} == {f.code for f in worked_out.facts}
    assert looked_up.ports == worked_out.ports or not looked_up.domains


def test_star_and_null() -> None:
    assert prove_pattern(AnyOrigin()).verdict is Verdict.UNBOUNDED
    assert prove_pattern(AnyOrigin()).witness == "https://evil.net"
    assert prove_pattern(NullOrigin()).fact(FactCode.NULL) is not None
