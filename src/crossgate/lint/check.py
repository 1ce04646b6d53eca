"""Runs the rules: over one API, one application, or a whole catalogue, of which only what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Step
from crossgate.lint.rule import Finding, Scope
from crossgate.lint.rules import all_rules
from crossgate.lint.subject import Subject
from crossgate.lint.suppressions import without_suppressed
from crossgate.policy import CorsPolicy

CATALOGUE_CODES = frozenset({"suffix-list-stale"})
"""Rules whose finding is the same for every API: it is reported once."""
ORIGIN_CODES = ("empty-policy", "untrusted-domain")
"""Rules that look at the origins of an API's applications; no other's finding depends on them."""


def check_subject(
    subject: Subject, scope: Scope = Scope.POLICY, codes: Collection[str] | None = None
) -> list[Finding]:
    """What every rule has to say, places relative to the policy (or application), in their order.

    With ``codes``, only the rules of these codes are asked.
    """
    rules = (rule for rule in all_rules() if rule.scope is scope and (codes is None or rule.code in codes))
    found = [finding for rule in rules for finding in rule.findings(subject)]
    return sorted(found, key=lambda finding: tuple(map(str, finding.diagnostic.place.path)))


def check_api(api: Api, application_origins: frozenset[str]) -> tuple[Finding, ...]:
    """The findings of an API, places relative to it; none if it has no policy."""
    return tuple(without_suppressed(_of_policy(api, application_origins), api.suppressions))


def check_api_for(
    codes: Collection[str], api: Api, application_origins: frozenset[str]
) -> tuple[Finding, ...]:
    """Those of :func:`check_api` with one of these codes, which are codes of rules; asks no other rules."""
    accepted = {suppression.code for suppression in api.suppressions}
    return tuple(_of_policy(api, application_origins, set(codes) - accepted))


def _of_policy(
    api: Api, application_origins: frozenset[str], codes: Collection[str] | None = None
) -> Iterator[Finding]:
    if api.cors is None:
        return
    subject = Subject(api.cors, application_origins, api.trusted_domains)
    for finding in check_subject(subject, codes=codes):
        yield finding.within("cors")


def check_origins(api: Api, origins: frozenset[str], gained: frozenset[str]) -> tuple[Finding, ...]:
    """What can be new once applications bring ``gained`` and ``origins`` is all that they bring then.

    An application may have hundreds of APIs: what their policies list is as it was, and is not proven again.
    """
    if api.cors is None:
        return ()
    subjects = (Subject(api.cors, origins), Subject(CorsPolicy(), gained, api.trusted_domains))
    rules = (rule for rule in all_rules() if rule.code in ORIGIN_CODES)
    accepted = {suppression.code for suppression in api.suppressions}
    return tuple(
        finding.within("cors")
        for rule, subject in zip(rules, subjects, strict=True)
        if rule.code not in accepted
        for finding in rule.findings(subject)
    )


def check_application(application: Application) -> tuple[Finding, ...]:
    """The findings of an application, places relative to it."""
    subject = Subject(CorsPolicy(), application=application)
    return tuple(check_subject(subject, Scope.APPLICATION))


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was looked at, and what was found; holds as long as the former is the same."""

    api: Api
    origins: frozenset[str]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """The findings of a catalogue, kept so that the next one costs only what changed."""

    apis: Mapping[str, _Checked] = field(default_factory=dict)
    applications: Mapping[str, tuple[Application, tuple[Finding, ...]]] = field(default_factory=dict)
    general: tuple[Finding, ...] = ()
    """Of no API in particular."""
    checked: int = 0
    """How many APIs and applications were looked at for this report; the rest was known."""
    associations: Associations = field(default_factory=Associations)
    """Of the applications that were looked at."""

    def findings(self) -> Iterator[Finding]:
        """Everything, places as in a document: APIs and applications by their position."""
        yield from self.general
        for index, checked in enumerate(self.apis.values()):
            yield from _within(checked.findings, "apis", index)
        for index, (_, findings) in enumerate(self.applications.values()):
            yield from _within(findings, "applications", index)

    def of_api(self, key: str) -> tuple[Finding, ...]:
        """The findings of one API, places relative to it."""
        return self.apis[key].findings if key in self.apis else ()


def _within(findings: Iterable[Finding], *steps: Step) -> Iterator[Finding]:
    return (finding.within(*steps) for finding in findings)


def check_catalogue(
    catalogue: Catalogue, previous: CatalogueFindings | None = None, today: dt.date | None = None
) -> CatalogueFindings:
    """The findings of every API and application; what is as in ``previous`` is not checked again."""
    before = previous or CatalogueFindings()
    associations, touched = before.associations.advance(catalogue.applications)
    fresh = 0
    apis: dict[str, _Checked] = {}
    for key, api in catalogue.apis.items():
        known = before.apis.get(key)
        if known is None or key in touched or known.api is not api:
            origins = associations.origins(key)
            if known is None or known.origins != origins or known.api != api:
                known = _Checked(api, origins, check_api(api, origins))
                fresh += 1
        apis[key] = known
    applications: dict[str, tuple[Application, tuple[Finding, ...]]] = {}
    for name, application in catalogue.applications.items():
        checked = before.applications.get(name)
        if checked is None or (checked[0] is not application and checked[0] != application):
            checked = (application, check_application(application))
            fresh += 1
        applications[name] = checked
    return CatalogueFindings(apis, applications, _check_general(today), fresh, associations)


def _check_general(today: dt.date | None) -> tuple[Finding, ...]:
    subject = Subject(CorsPolicy(), today=today)
    return tuple(
        finding for rule in all_rules() if rule.code in CATALOGUE_CODES for finding in rule.findings(subject)
    )
