"""Patterns that match no origin, origins without a domain, and the number of ports."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import FactCode, Verdict, prove


@pytest.mark.parametrize(
    "pattern", ["", "https://", "https://a\n.b", r"https://a\.b/.", "https://A.b", "https://" + "x" * 64]
)
def test_nothing_is_admitted(pattern: str) -> None:
    assert prove(pattern).verdict is Verdict.NEVER


@pytest.mark.parametrize(
    "pattern", [r"https://x.[a-c]9", r"https://x\.b9", r"https://127\.0\.0.1", "a.+://b"]
)
def test_something_is_admitted_that_has_no_domain(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.PROVED
    assert proof.domains == ()


@pytest.mark.parametrize("pattern", [r"\*", r".", r"\*|https://A\.b", r"\*|https://x{64}"])
def test_the_string_star_is_not_an_origin(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.NEVER
    assert proof.fact(FactCode.MATCHES_STAR) is not None
    assert prove(rf"{pattern}|null").verdict is Verdict.UNOWNED


def test_a_surrogate_is_named_as_the_reason() -> None:
    assert "not valid UTF-8" in (prove("https://\udcff").reason or "")


@pytest.mark.parametrize(
    ("pattern", "ports"),
    [
        (r"https://a\.com", 0),
        (r"https://a\.com(:443)?", 0),  # the default port is never sent
        (r"http://a\.com:(80|443)", 1),
        (r"https://a\.com:1\d\d|https://a\.com:2\d\d", 200),
        (r"https://a\.com:1\d\d|https://b\.com:2\d\d", 100),
        (r"https://[ab]\.com:1\d\d|https://b\.com:[12]\d\d", 200),
        (r"https://a\.com\b:0?1\d\b", 10),
        (r"https://a\.com:0\d+|https://a\.com:\d{6,}", 0),
        (r"https?://a\.com(:\d+)?", 65_534),
    ],
)
def test_the_ports_of_one_host(pattern: str, ports: int) -> None:
    assert prove(pattern).ports == ports


def test_ports_of_different_hosts_do_not_add_up_to_any_port() -> None:
    branches = "|".join(rf"https://{name}\.com:{n}\d\d" for n, name in enumerate("abcdefghi", start=10))
    assert prove(f"{branches}|https://j\\.com:1\\d\\d").fact(FactCode.ANY_PORT) is None
    together = "|".join(rf"https://a\.com:{n}\d\d" for n in range(10, 20))
    assert prove(together).fact(FactCode.ANY_PORT) is not None
