"""A range of public IP addresses."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof.addresses import MOST_ADDRESSES
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject, FactCode.PUBLIC_IP_RANGE, "the entry admits {example}, one of a range of public addresses"
    )


RULE = Rule(
    code="public-ip-range",
    title="A range of public IP addresses is admitted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "A range of addresses has no one owner, as a domain has. Cloud providers give an address to the "
        "next customer who asks, so an attacker can get one that the pattern admits. The rule reports "
        f"more than {MOST_ADDRESSES} addresses that the pattern does not spell out one by one."
    ),
    remedy="Use domain names with certificates, or list the addresses that are yours",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://54\\.[0-9]+\\.[0-9]+\\.[0-9]+"}]}),
        Example({"allowed_origins": [{"regex": "https://[0-9.]+"}]}),
        Example({"allowed_origins": [{"regex": "https://\\[2001:db8:[0-9a-f:]+\\]"}]}),
    ),
    good=(
        Example({"allowed_origins": ["https://203.0.113.7"]}),
        Example({"allowed_origins": [{"regex": "http://10\\.[0-9]+\\.[0-9]+\\.[0-9]+"}]}),
    ),
)
