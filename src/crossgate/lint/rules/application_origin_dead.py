"""An application's origin that nothing can match."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.catalogue.model import Application
from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if entry.proof.verdict is Verdict.NEVER:
            yield Violation(entry.path, "no browser can send this origin", found=entry.source)


RULE = Rule(
    code="application-origin-dead",
    title="No browser can send the application's origin",
    severity=Severity.ERROR,
    kinds=frozenset({SubjectKind.APPLICATION}),
    rationale=(
        "The origin is well-formed, but no page can have it: a label is longer than 63 characters, the "
        "host is longer than 253, or a label begins with xn-- and is not valid punycode."
    ),
    remedy="Write the origin of the application's pages",
    find=_find,
    bad=(
        Example({}, application=Application("shop", (f"https://{'a' * 64}.example.com",), ("petstore/1.0",))),
        Example({}, application=Application("shop", ("https://xn--.example.com",), ("petstore/1.0",))),
    ),
    good=(
        Example({}, application=Application("shop", ("https://xn--bcher-kva.example",), ("petstore/1.0",))),
    ),
)
