"""An outdated public suffix list."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import list_date
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject

MOST_DAYS = 180


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.today is None:
        return
    age = subject.today - list_date()
    if age.days > MOST_DAYS:
        yield Violation((), f"the public suffix list is {age.days} days old")


RULE = Rule(
    code="suffix-list-stale",
    title="The public suffix list is old",
    severity=Severity.WARNING,
    rationale=(
        "New top-level domains and new hosting companies are added to the list every week. With an old "
        "list, the names below them look like those of one owner."
    ),
    remedy="Upgrade the package publicsuffixlist",
    find=_find,
    bad=(),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
