"""The proofs of one call are limited together, and no verdict depends on that."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import Verdict, included, prove
from crossgate.lint.quota import QuotaSpentError, limited_proofs


def pattern(number: int) -> str:
    return rf"https://(?:[a-z]{{1,60}}\.)?(?:a|b|c)+[a-z0-9.-]{{1,60}}quota{number}\.example\.com"


def test_next_proof_is_not_begun_once_the_quota_is_spent() -> None:
    with pytest.raises(QuotaSpentError), limited_proofs(60_000):
        for number in range(1000):
            prove(pattern(number))


def test_what_was_not_proved_is_proved_later() -> None:
    with pytest.raises(QuotaSpentError), limited_proofs(10):
        prove(r"https://later\.example\.com")

    assert prove(r"https://later\.example\.com").verdict is Verdict.PROVED
    with limited_proofs(10):
        assert prove(r"https://later\.example\.com").verdict is Verdict.PROVED


def test_inclusion_counts_too() -> None:
    with pytest.raises(QuotaSpentError), limited_proofs(10):
        included(r"https://inner\.example\.com", r"https://[a-z]+\.example\.com")

    assert included(r"https://inner\.example\.com", r"https://[a-z]+\.example\.com").holds
