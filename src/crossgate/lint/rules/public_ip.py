"""A public IP address."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import plain, stated
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    text = "it admits {example}: addresses change hands"
    yield from stated(subject, FactCode.PUBLIC_IP, plain(text))
    yield from stated(subject, FactCode.IPV6, plain(text))


RULE = Rule(
    code="public-ip",
    title="A public IP address is admitted",
    severity=Severity.WARNING,
    rationale=(
        "Addresses change hands: a cloud gives the one that you release to the next customer, who "
        "then has an origin that your API trusts."
    ),
    remedy="Use a domain name with a certificate",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://203.0.113.7"]}),
        Example({"allowed_origins": ["https://[2001:db8::1]"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
