"""Schemes other than http and https."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode, Verdict
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import advice_for
from crossgate.lint.subject import Subject
from crossgate.policy import ExactOrigin
from crossgate.policy.origin_error import page_entry


def _find(subject: Subject) -> Iterator[Violation]:
    for violation in facts(subject, FactCode.OTHER_SCHEME, "the entry admits {example}", if_unbounded=True):
        entry = subject.entries[int(violation.path[1])]
        if page_entry(entry.source) is not None:
            continue  # what no browser sends is the rule dead-entry's
        if entry.proof.verdict is Verdict.UNOWNED or not isinstance(entry.pattern, ExactOrigin):
            yield replace(violation, remedy=advice_for(entry.source))


RULE = Rule(
    code="other-scheme",
    title="Origins of other schemes are admitted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "file:// is the origin of every page that a web view opens from the device's storage. "
        "Other schemes belong to browser extensions and apps. chrome-extension://.* admits every "
        "extension that a user has installed. A pattern whose beginning is open admits schemes that its "
        "author did not think of."
    ),
    remedy="Name the one extension or app, or begin the pattern with https://",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "chrome-extension://.*"}]}),
        Example({"allowed_origins": [{"regex": ".*\\.example\\.com"}]}),
        Example({"allowed_origins": ["file://"]}),
    ),
    good=(
        Example({"allowed_origins": ["chrome-extension://abcdefghijklmnopabcdefghijklmnop"]}),
        Example({"allowed_origins": ["capacitor://localhost", "app://."]}),
        Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}]}),
    ),
)
