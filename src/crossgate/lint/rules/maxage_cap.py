"""More than browsers keep."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    age = subject.policy.max_age or 0
    for browser, cap in (("Firefox", 86_400), ("Chromium", 7_200), ("WebKit", 600)):
        if age > cap:
            severity = Severity.WARNING if browser == "Firefox" else Severity.INFO
            yield Violation(
                ("max_age",),
                f"{browser} keeps an answer for {cap:,} seconds at most",
                str(age),
                severity=severity,
            )
            return


RULE = Rule(
    code="maxage-cap",
    title="Browsers keep the answer for a shorter time",
    severity=Severity.INFO,
    rationale=(
        "WebKit keeps an answer for 600 seconds at most, Chromium for 7,200, Firefox for 86,400. "
        "Beyond the last nobody keeps it; and a change of the policy reaches users only when they "
        "ask again."
    ),
    remedy="Write 600 to 7200",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "max_age": 601}),
        Example({"allowed_origins": ["https://example.com"], "max_age": 7201}),
        Example({"allowed_origins": ["https://example.com"], "max_age": 100000}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
