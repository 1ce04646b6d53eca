"""An entry that nothing can match."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if entry.proof.verdict is Verdict.NEVER:
            yield Violation(entry.path, "no browser can send an origin that this matches", found=entry.text)


RULE = Rule(
    code="dead-entry",
    title="No browser can send an origin that the entry matches",
    severity=Severity.ERROR,
    rationale=(
        "Browsers serialise origins in one way: scheme, host in lower case and punycode, the port "
        "unless it is the default, nothing else. An entry that matches something else only allows "
        "nobody, and its author thinks somebody is allowed."
    ),
    remedy="Write the origin as browsers send it: scheme://host[:port]",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://example\\.com/api/.*"}]}),
        Example({"allowed_origins": [{"regex": "https://EXAMPLE\\.com"}]}),
        Example({"allowed_origins": [{"regex": "localhost:\\d+"}]}),
    ),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),),
)
