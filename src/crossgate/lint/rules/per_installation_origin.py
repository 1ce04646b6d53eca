"""An origin that belongs to one installation of an extension."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import PER_INSTALLATION, advice_for
from crossgate.lint.subject import Subject
from crossgate.policy import ExactOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, ExactOrigin) and entry.source.partition("://")[0] in PER_INSTALLATION:
            yield Violation(
                entry.path,
                "the entry admits the extension of one installation",
                found=entry.source,
                remedy=advice_for(entry.source),
            )


RULE = Rule(
    code="per-installation-origin",
    title="The extension has another origin in each installation",
    severity=Severity.WARNING,
    rationale=(
        "Firefox and Safari give an extension a random ID when it is installed, so that pages cannot "
        "recognise users by it. An entry with such an ID works for the user who copied it, and for no other."
    ),
    remedy="Remove the entry, and request the API's host in the extension's host_permissions",
    find=_find,
    bad=(Example({"allowed_origins": ["moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc"]}),),
    good=(Example({"allowed_origins": ["chrome-extension://abcdefghijklmnopabcdefghijklmnop"]}),),
)
