"""An address of a private network."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject,
        FactCode.PRIVATE_IP,
        "the entry admits {example}, which is a different machine in every network",
    )


RULE = Rule(
    code="private-ip",
    title="An address of a private network is admitted",
    severity=Severity.WARNING,
    rationale=(
        "10.1.2.3 is a different machine in every network. A user who takes the device into a café "
        "trusts the machine that has the address there."
    ),
    remedy="Use a domain name with a certificate",
    find=_find,
    bad=(
        Example({"allowed_origins": ["http://192.168.1.20:8080"]}),
        Example({"allowed_origins": [{"regex": "https?://10\\.\\d+\\.\\d+\\.\\d+"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
