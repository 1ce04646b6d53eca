"""`(?i)`, although browsers send lower case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin

_FLAG = re.compile(r"\(\?[a-zA-Z]*i")


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, RegexOrigin) and _FLAG.search(entry.pattern.pattern):
            yield Violation(entry.path, "browsers send origins in lower case", found=entry.source)


RULE = Rule(
    code="needless-case-flag",
    title="Origins are always in lower case",
    severity=Severity.INFO,
    rationale=("Browsers serialise scheme and host in lower case, so ignoring case has no effect."),
    remedy="Remove (?i), and write the pattern in lower case",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "(?i)https://.*\\.Example\\.com"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}]}),),
)
