"""An entry that matches no origin."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import advice_for
from crossgate.lint.subject import OriginEntry, Subject, SubjectKind
from crossgate.policy.javascript_regex import between_slashes


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if entry.proof.verdict is Verdict.NEVER:
            yield _dead(entry)


def _dead(entry: OriginEntry) -> Violation:
    unwrapped = between_slashes(entry.source)
    if unwrapped is not None:
        return Violation(
            entry.path,
            "the slashes around the expression are part of it, unlike in JavaScript, so it matches no origin",
            found=entry.source,
            remedy=f"Write {unwrapped}",
        )
    return Violation(
        entry.path,
        "no browser can send an origin that matches this entry",
        found=entry.source,
        remedy=advice_for(entry.source),
    )


RULE = Rule(
    code="dead-entry",
    title="No browser can send an origin that matches the entry",
    severity=Severity.ERROR,
    rationale=(
        "Browsers serialise an origin in one way: scheme, host in lower case and punycode, and the port "
        "unless it is the default. An entry that matches only other strings allows nobody, although its "
        "author thinks that it does."
    ),
    remedy="Write the origin as browsers send it: scheme://host[:port]",
    find=_find,
    kinds=frozenset(SubjectKind) - {SubjectKind.APPLICATION},
    bad=(
        Example({"allowed_origins": [{"regex": "https://example\\.com/api/.*"}]}),
        Example({"allowed_origins": [{"regex": "https://EXAMPLE\\.com"}]}),
        Example({"allowed_origins": [{"regex": "localhost:\\d+"}]}),
        Example({"allowed_origins": [{"regex": "/^https:\\/\\/.*\\.example\\.com$/"}]}),
        Example({"allowed_origins": [{"regex": "capacitor://LOCALHOST"}]}),
    ),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),),
)
