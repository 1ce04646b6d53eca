"""A public IP address."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    message = "the entry admits {example}, an address that may be reassigned"
    for code in (FactCode.PUBLIC_IP, FactCode.IPV6):
        for violation in facts(subject, code, message):
            # A range is worse, and has a rule of its own: public-ip-range.
            if subject.entries[int(violation.path[1])].proof.fact(FactCode.PUBLIC_IP_RANGE) is None:
                yield violation


RULE = Rule(
    code="public-ip",
    title="A public IP address is admitted",
    severity=Severity.WARNING,
    rationale=(
        "Addresses are reassigned. A cloud provider gives an address that you release to its next "
        "customer, who then has an origin that your API trusts."
    ),
    remedy="Use a domain name with a certificate",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://203.0.113.7"]}),
        Example({"allowed_origins": ["https://[2001:db8::1]"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
