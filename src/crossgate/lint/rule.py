"""A rule: what it finds and why, what to do, and examples that are its tests and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crossgate.catalogue.model import Application
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.diagnostics import Diagnostic, Place, Severity, Step
from crossgate.lint.subject import Subject, SubjectKind
from crossgate.policy import read_policy


@dataclass(frozen=True, slots=True)
class Violation:
    """One place in a policy that a rule objects to; code, severity and remedy come from the rule."""

    path: tuple[Step, ...]
    message: str
    found: str | None = None
    remedy: str | None = None
    """Replaces the rule's own, if something more specific is known."""
    severity: Severity | None = None
    """Replaces the rule's own."""
    witness: str | None = None
    """An origin that is admitted and should not be; RE2 has matched it."""
    fix: str | None = None
    """A replacement for the entry; it has been verified."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic of the linter, with the attacker's origin and the verified fix if there are any."""

    diagnostic: Diagnostic
    witness: str | None = None
    fix: str | None = None

    def within(self, *steps: Step) -> Finding:
        """The same finding, with its place seen from an enclosing object."""
        return Finding(self.diagnostic.within(*steps), self.witness, self.fix)

    def as_json(self) -> dict[str, object]:
        """JSON-ready values."""
        return {**self.diagnostic.as_json(), "witness": self.witness, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Example:
    """A policy as it is written in a document, with what else a subject may have."""

    policy: Mapping[str, object]
    about: str = ""
    application_origins: tuple[str, ...] = ()
    trusted_domains: tuple[str, ...] = ()
    native_cors: bool = False
    application: Application | None = None
    underscore_headers: UnderscoreHeaders = UnderscoreHeaders.REJECT
    trusted_proxies: tuple[str, ...] = ()

    @property
    def kind(self) -> SubjectKind:
        """The kind of object that it shows."""
        if self.trusted_proxies:
            return SubjectKind.GATEWAY
        return SubjectKind.API if self.application is None else SubjectKind.APPLICATION

    def subject(self, **fields: object) -> Subject:
        """The subject that the example describes; ``fields`` replace those of its policy."""
        origins = self.application.javascript_origins if self.application is not None else ()
        policy, _ = read_policy({"allowed_origins": origins, **self.policy, **fields})
        return Subject(
            policy,
            frozenset(self.application_origins),
            self.trusted_domains,
            self.native_cors,
            application=self.application,
            kind=self.kind,
            underscore_headers=self.underscore_headers,
            trusted_proxies=self.trusted_proxies,
        )


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
    """Policies in which the rule finds something."""
    good: tuple[Example, ...]
    """Policies in which it finds nothing."""
    with_credentials: Severity | None = None
    """The severity where requests carry credentials, if it differs."""
    kinds: frozenset[SubjectKind] = frozenset(SubjectKind)
    """The kinds of objects that it examines."""

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Everything that the rule finds; places are relative to the policy or application."""
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
