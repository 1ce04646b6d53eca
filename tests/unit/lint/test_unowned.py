"""What an attacker can have without a domain: ``null`` and ranges of public addresses."""

from __future__ import annotations

import json

import pytest
from tests.command import crossgate

from crossgate.lint.check import check_subject
from crossgate.lint.proof import FactCode, MatchMode, Verdict, prove, prove_pattern
from crossgate.lint.subject import Subject
from crossgate.policy import OriginArgument, build_policy
from crossgate.policy.origin_pattern import parse_origin_pattern

RANGES = [
    r"https://[0-9.]+",
    r"https://54\.[0-9]+\.[0-9]+\.[0-9]+",
    r"https://203\.0\.113\.\d+",
    r"https?://(\d+\.){3}\d+(:\d+)?",
    r"http://8\.8\.8\.\d\d:8080",
    r"https://\[2001:db8::[0-9a-f]+\]",
    r"https://\[[0-9a-f:]+\](:\d+)?",
    r"https://\[::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}\]",
    r"https://(example\.com|203\.0\.113\.\d+)",
]
NULL = ["null", "null|https://example\\.com", "(?:https://a\\.example\\.com)|n.ll"]
FIXED = [
    r"https://203\.0\.113\.7",
    r"https://203.0.113.7",
    r"https://203\.0\.113\.[1-9]",
    r"https://\[2001:db8::1\]",
    r"https://\[2001:db8::[0-9a-f]\]",
    r"https://(?:" + "|".join(rf"203\.0\.113\.{n}" for n in range(200)) + r")(?::\d+)?",
]
PRIVATE = [
    r"http://10\.\d+\.\d+\.\d+",
    r"https?://127\.\d+\.\d+\.\d+",
    r"http://192\.168\.[0-9.]+",
    r"http://\[fd[0-9a-f]{2}:[0-9a-f:]+\]",
    r"http://\[fe80::[0-9a-f:]+\]",
]


@pytest.mark.parametrize("pattern", [*RANGES, *NULL])
def test_what_nobody_owns_is_not_proved(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.UNOWNED
    assert proof.witness is not None
    assert proof.witness_domain is None
    assert proof.cause is not None


def test_the_domains_beside_it_are_listed() -> None:
    assert prove(r"https://(example\.com|203\.0\.113\.\d+)").domains == ("example.com",)


@pytest.mark.parametrize("pattern", FIXED)
def test_addresses_that_the_author_spelled_out_or_that_are_few_are_proved_with_their_fact(
    pattern: str,
) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.PROVED
    assert proof.fact(FactCode.PUBLIC_IP) or proof.fact(FactCode.IPV6)


@pytest.mark.parametrize("pattern", PRIVATE)
def test_a_range_of_private_addresses_is_proved_with_its_fact(pattern: str) -> None:
    assert prove(pattern).verdict is Verdict.PROVED


def test_a_domain_that_an_attacker_can_register_decides_first() -> None:
    assert prove(r"null|https://.*example\.com").verdict is Verdict.UNBOUNDED
    assert prove(r"null|https://.*\.vercel\.app").verdict is Verdict.TENANT
    assert prove(r"https://[^/]*[0-9]", MatchMode.PREFIX).verdict is Verdict.UNBOUNDED


def test_the_entry_null_is_unowned() -> None:
    parsed = parse_origin_pattern("null")
    proof = prove_pattern(parsed)  # type: ignore[arg-type]
    assert proof.verdict is Verdict.UNOWNED
    assert proof.witness == "null"


@pytest.mark.parametrize("pattern", RANGES)
def test_a_range_of_addresses_is_an_error_with_credentials(pattern: str) -> None:
    for credentials, severity in ((True, "error"), (False, "warning")):
        policy = build_policy(allowed_origins=[{"regex": pattern}], allow_credentials=credentials)
        found = {one.diagnostic.code: one for one in check_subject(Subject(policy))}
        assert found["public-ip-range"].diagnostic.severity.value == severity
        assert found["public-ip-range"].witness is not None
        assert "public-ip" not in found


@pytest.mark.parametrize(
    "arguments", [("null",), ("--regex", RANGES[0]), ("--regex", RANGES[1]), ("--regex", RANGES[5])]
)
def test_the_command_exits_with_1(arguments: tuple[str, ...]) -> None:
    result = crossgate("prove", *arguments)
    assert result.returncode == 1
    assert result.stdout.startswith("UNOWNED ")
    as_json = crossgate("prove", *arguments, "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["verdict"] == "unowned"


@pytest.mark.parametrize("pattern", ["null", {"regex": "null|https://example\\.com"}, {"regex": RANGES[1]}])
def test_what_nobody_owns_is_outside_of_the_trusted_domains(pattern: OriginArgument) -> None:
    policy = build_policy(allowed_origins=[pattern])
    subject = Subject(policy, trusted_domains=("example.com",))
    assert "untrusted-domain" in {one.diagnostic.code for one in check_subject(subject)}


@pytest.mark.parametrize("origin", ["capacitor://app.example.com", "chrome-extension://example.com"])
def test_a_domain_proves_nothing_about_origins_of_other_schemes(origin: str) -> None:
    """Any app can be built with ``capacitor://app.example.com``: nobody checks who owns the name."""
    subjects = (
        Subject(build_policy(allowed_origins=[origin]), trusted_domains=("example.com",)),
        Subject(build_policy(allowed_origins=[{"regex": origin}]), trusted_domains=("example.com",)),
        Subject(build_policy(allowed_origins=["https://example.com"]), frozenset([origin]), ("example.com",)),
    )
    for subject in subjects:
        assert "untrusted-domain" in {one.diagnostic.code for one in check_subject(subject)}
