"""A method that is not in upper case."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for index, method in enumerate(subject.policy.allowed_methods):
        if method != method.upper():
            yield Violation(
                ("allowed_methods", index),
                f"browsers ask for {method.upper()}, which this entry does not allow",
                found=method,
                remedy=f"Write {method.upper()}",
            )


RULE = Rule(
    code="method-case",
    title="The method is not in upper case",
    severity=Severity.WARNING,
    rationale=(
        "Methods are case-sensitive. Browsers convert delete, get, head, options, post and put to upper "
        "case, so an entry in lower case never matches. They do not convert patch, and most scripts "
        "write PATCH."
    ),
    remedy="Write the method in upper case",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["patch"]}),
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["get"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["PATCH", "GET"]}),),
)
