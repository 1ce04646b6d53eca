"""Any customer of a hosting company is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.proof_violations import attacks
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacks(subject, Verdict.TENANT, RegexOrigin)


RULE = Rule(
    code="suffix-tenant",
    title="Any customer of a hosting company is admitted",
    severity=Severity.ERROR,
    rationale=(
        "The pattern leaves open the name below a public suffix at which a company gives names to its "
        "customers, such as vercel.app or github.io. An attacker gets such a name in minutes, often "
        "free of charge."
    ),
    remedy="Name your own tenant (https://pr-[0-9]+\\.myapp\\.pages\\.dev), or use a domain of your own",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://.*\\.vercel\\.app"}]}),
        Example({"allowed_origins": [{"regex": "https://deploy-preview-\\d+--mysite\\.netlify\\.app"}]}),
    ),
    good=(Example({"allowed_origins": [{"regex": "https://pr-[0-9]+\\.myapp\\.pages\\.dev"}]}),),
)
