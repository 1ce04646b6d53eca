"""The native service does CORS itself."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.native_cors:
        yield Violation((), "the native service's own CORS headers are replaced by those of this policy")


RULE = Rule(
    code="native-also-cors",
    title="The native service does CORS itself",
    severity=Severity.INFO,
    rationale=(
        "The gateway removes the native service's own CORS headers and sends those of the policy. Requests "
        "that only the native service allows are refused. `crossgate check --reach` finds this: it sends "
        "each native service one preflight. `crossgate import` finds it in a document that says so: with "
        "OPTIONS operations, response headers for CORS, or a vendor's extension. What a document says is "
        "not stored, so no other command finds this."
    ),
    remedy="Switch CORS off in the native service, or remove the policy to pass its responses through",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}, native_cors=True),),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
