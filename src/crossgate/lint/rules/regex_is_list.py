"""A regular expression for a few exact origins."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict, listed_origins
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, RegexOrigin) and entry.proof.verdict is Verdict.PROVED:
            origins = listed_origins(entry.pattern.pattern)
            if origins:
                yield Violation(
                    entry.path,
                    f"the pattern stands for {len(origins)} exact origin{'s' * (len(origins) > 1)}",
                    found=entry.source,
                    remedy="Write " + ", ".join(origins),
                )


RULE = Rule(
    code="regex-is-list",
    title="The regular expression is a list of exact origins",
    severity=Severity.INFO,
    rationale=(
        "The pattern stands for a few origins that could be listed. Exact origins are easier to read, "
        "cannot have the mistakes of patterns, and are looked up in one step."
    ),
    remedy="List the origins",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://(app|admin)\\.example\\.com"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://pr-[0-9]+\\.example\\.com"}]}),),
)
