"""POST, PUT or PATCH without Content-Type."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import names


def _find(subject: Subject) -> Iterator[Violation]:
    sends = subject.allowed_methods & {"POST", "PUT", "PATCH", names.ANY}
    if sends and not subject.header_names & {"content-type", names.ANY}:
        yield Violation(("allow_headers",), "Content-Type is not allowed, so JSON requests are refused")


RULE = Rule(
    code="header-content-type-missing",
    title="JSON requests are refused",
    severity=Severity.WARNING,
    rationale=(
        "Before a request of the type application/json, browsers ask in the preflight for the header "
        "Content-Type. If the policy does not allow it, every such request is refused."
    ),
    remedy="Add Content-Type to allow_headers",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["POST"]}),),
    good=(
        Example(
            {
                "allowed_origins": ["https://example.com"],
                "allowed_methods": ["POST"],
                "allow_headers": ["Content-Type"],
            }
        ),
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["GET"]}),
    ),
)
