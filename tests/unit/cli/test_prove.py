"""``crossgate prove``: verdicts, exit codes, JSON."""

from __future__ import annotations

import json

import pytest
from tests.command import crossgate


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("https://example.com",), 0, "PROVED"),
        (("https://*.example.com",), 0, "PROVED"),
        (("https://*.github.io",), 1, "TENANT"),
        (("--regex", r"https://.*example\.com"), 1, "UNBOUNDED"),
        (("--regex", "("), 1, "INVALID"),
        (("--regex", r"localhost:\d+"), 1, "NEVER"),
        (("--regex", r"\*"), 1, "NEVER"),
        (("--regex", "--mode", "search", r"^https://example\.com"), 1, "UNBOUNDED"),
        (("--regex", "--mode", "search", r"^https://example\.com$"), 0, "PROVED"),
    ],
)
def test_the_verdict_and_the_exit_code(arguments: tuple[str, ...], code: int, word: str) -> None:
    done = crossgate("prove", *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(f"{word} {arguments[-1]}: ")


def test_the_attack_and_the_fix_are_shown() -> None:
    done = crossgate("prove", "--regex", "https://www.example.com")
    assert "  attack  https://wwwxexample.com (domain wwwxexample.com)\n" in done.stdout
    assert "  cause   unescaped dot" in done.stdout
    assert done.stdout.endswith("  fix     https://www\\.example\\.com\n")


def test_json() -> None:
    done = crossgate("prove", "--regex", "--json", r"https?://(localhost|.*\.example\.com)")
    proof = json.loads(done.stdout)
    assert {"verdict", "domains", "witness", "cause", "facts", "fix"} <= set(proof)
    assert (proof["verdict"], proof["domains"]) == ("proved", ["example.com"])
    assert {fact["code"] for fact in proof["facts"]} == {"http", "loopback"}


@pytest.mark.parametrize(
    "arguments",
    [("https://example.com/path",), ("example.com",), ("--mode", "search", "https://example.com")],
)
def test_an_invalid_pattern_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = crossgate("prove", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
