"""A header whose name has an underscore, and which therefore never arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.catalogue.underscore_headers import UnderscoreHeaders, is_dropped
from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject

_REMEDY: Final = "Write the name with hyphens, and let scripts send that"


def _find(subject: Subject) -> Iterator[Violation]:
    rejects = subject.underscore_headers is UnderscoreHeaders.REJECT
    for index, name in enumerate(subject.policy.allow_headers):
        place = ("allow_headers", index)
        if rejects and "_" in name:
            allow = "" if is_dropped(name) else "; or set gateway.underscore_headers to allow"
            yield Violation(
                place,
                "requests with this header are answered 400: its name has an underscore",
                found=name,
                remedy=f"{_REMEDY}{allow}",
            )
        elif is_dropped(name):
            yield Violation(
                place, "the gateway removes this header: programs may take it for another one", found=name
            )


RULE = Rule(
    code="header-underscore",
    title="Requests with the header are refused, or lose it",
    severity=Severity.ERROR,
    rationale=(
        "Programs that turn header names into variables read X_Real_IP as X-Real-IP. So by default the "
        "gateway answers requests with an underscore in a header name with 400, and a preflight that "
        "allowed the name has promised too much. With gateway.underscore_headers: allow, such names are "
        "forwarded, except those that may be taken for a header that the gateway sets, removes or judges, "
        "and all that begin with x_. The entry * allows these names in preflights too, and is not reported: "
        "it names none of them."
    ),
    remedy=_REMEDY,
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["api_key"]}),
        Example(
            {"allowed_origins": ["https://example.com"], "allow_headers": ["x_api_key"]},
            underscore_headers=UnderscoreHeaders.ALLOW,
        ),
        Example(
            {"allowed_origins": ["https://example.com"], "allow_headers": ["Content_Type"]},
            underscore_headers=UnderscoreHeaders.ALLOW,
        ),
    ),
    good=(
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Api-Key"]}),
        Example(
            {"allowed_origins": ["https://example.com"], "allow_headers": ["api_key", "X-My_Header"]},
            underscore_headers=UnderscoreHeaders.ALLOW,
        ),
    ),
)
