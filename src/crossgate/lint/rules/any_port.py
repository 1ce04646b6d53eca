"""Any port of a host."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode, Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import AnyOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        proof = entry.proof
        if isinstance(entry.pattern, AnyOrigin) or proof.verdict is Verdict.UNBOUNDED:
            continue
        if proof.fact(FactCode.ANY_PORT):
            local = proof.fact(FactCode.LOOPBACK) and not proof.domains
            yield Violation(
                entry.path,
                f"the entry admits {proof.ports:,} ports of one host",
                found=entry.source,
                severity=Severity.INFO if local else None,
            )


RULE = Rule(
    code="any-port",
    title="Any port is admitted",
    severity=Severity.WARNING,
    rationale=(
        "Every service on the host is trusted, including one that another team or user starts on a high port."
    ),
    remedy="List the ports",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com:*"]}),
        Example({"allowed_origins": [{"regex": "https://example\\.com(:\\d+)?"}]}),
    ),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com(:8443)?"}]}),),
)
