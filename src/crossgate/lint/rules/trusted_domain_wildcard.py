"""A wildcard among the trusted domains."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind
from crossgate.policy.names import ANY


def _find(subject: Subject) -> Iterator[Violation]:
    for index, domain in enumerate(subject.trusted_domains):
        if ANY in domain:
            bare = domain.lstrip(f"{ANY}.")
            yield Violation(
                ("trusted_domains", index),
                "* is compared as a character here, not as a wildcard",
                found=domain,
                remedy=None
                if ANY in bare or not bare
                else f"Write {bare}, which includes every name below it",
            )


RULE = Rule(
    code="trusted-domain-wildcard",
    title="A trusted domain has a wildcard",
    severity=Severity.ERROR,
    kinds=frozenset({SubjectKind.API}),
    rationale=(
        "A trusted domain stands for itself and for every name below it. With a star in it, only hosts that "
        "contain a star lie within it, which no registry gives out, so every useful entry lies outside."
    ),
    remedy="Write a domain, such as example.com, which includes every name below it",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://app.example.com"]}, trusted_domains=("*.example.com",)),
        Example({"allowed_origins": ["https://app.example.com"]}, trusted_domains=("example.com", "*")),
    ),
    good=(Example({"allowed_origins": ["https://app.example.com"]}, trusted_domains=("example.com",)),),
)
