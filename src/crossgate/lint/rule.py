"""What a rule is: when it speaks, why, what to do, and examples that are its tests and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from crossgate.catalogue.model import Application
from crossgate.diagnostics import Diagnostic, Place, Severity, Step
from crossgate.lint.subject import Subject


@dataclass(frozen=True, slots=True)
class Violation:
    """Where in a policy a rule found something, and what; the rule knows the rest."""

    path: tuple[Step, ...]
    message: str
    found: str | None = None
    remedy: str | None = None
    """In place of the rule's own, if something better is known here."""
    severity: Severity | None = None
    witness: str | None = None
    """An origin that is admitted and should not be; RE2 has matched it."""
    fix: str | None = None
    """What to write instead; it has been verified."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic of the linter, with the attacker's origin and the repair where there are any."""

    diagnostic: Diagnostic
    witness: str | None = None
    fix: str | None = None

    def within(self, *steps: Step) -> Finding:
        """The same, seen from an enclosing object."""
        return Finding(self.diagnostic.within(*steps), self.witness, self.fix)

    def as_json(self) -> dict[str, object]:
        """JSON-ready values."""
        return {**self.diagnostic.as_json(), "witness": self.witness, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Example:
    """A policy, as a document has it, that the rule speaks of or is silent about."""

    policy: Mapping[str, object]
    about: str = ""
    application_origins: tuple[str, ...] = ()
    trusted_domains: tuple[str, ...] = ()
    native_speaks_cors: bool = False
    application: Application | None = None


class Scope(Enum):
    """What a rule is about."""

    POLICY = "policy"
    APPLICATION = "application"


Find = Callable[[Subject], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is legal in a policy but unsafe, useless or surprising."""

    code: str
    title: str
    severity: Severity
    rationale: str
    remedy: str
    find: Find
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    with_credentials: Severity | None = None
    """How bad it is where requests carry credentials, if that differs."""
    scope: Scope = Scope.POLICY

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Everything the rule has to say of a policy; places are relative to the policy."""
        severity = self.severity
        if subject.policy.allow_credentials and self.with_credentials is not None:
            severity = self.with_credentials
        for violation in self.find(subject):
            yield Finding(
                Diagnostic(
                    code=self.code,
                    message=violation.message,
                    remedy=violation.remedy or self.remedy,
                    place=Place(violation.path),
                    found=violation.found,
                    severity=violation.severity or severity,
                ),
                violation.witness,
                violation.fix,
            )
