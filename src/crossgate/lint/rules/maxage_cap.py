"""A max_age above the limits of browsers."""

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
                f"{browser} caches the response to a preflight for at most {cap:,} seconds",
                str(age),
                severity=severity,
            )
            return


RULE = Rule(
    code="maxage-cap",
    title="Browsers cache the response for a shorter time",
    severity=Severity.INFO,
    rationale=(
        "WebKit caches the response to a preflight for at most 600 seconds, Chromium for 7,200 and "
        "Firefox for 86,400. A larger value has no effect. A change of the policy reaches users only "
        "when the response has expired."
    ),
    remedy="Set max_age to 600, or to 7200 at most and accept this finding",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "max_age": 601}),
        Example({"allowed_origins": ["https://example.com"], "max_age": 7201}),
        Example({"allowed_origins": ["https://example.com"], "max_age": 100000}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
