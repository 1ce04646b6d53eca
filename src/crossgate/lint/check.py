"""Runs the rules over one API, one application, or a catalogue; of a catalogue, only over what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Step
from crossgate.lint.rule import Finding, Scope
from crossgate.lint.rules import all_rules, rules_by_code
from crossgate.lint.subject import Subject
from crossgate.lint.suppressions import apply_suppressions
from crossgate.policy import CorsPolicy

CATALOGUE_CODES: Final = frozenset({"suffix-list-stale"})
"""Rules whose finding is the same for every API: it is reported once."""
ORIGIN_CODES: Final = frozenset({"empty-policy", "untrusted-domain"})
"""Rules that examine the origins of an API's applications; the findings of no other rule depend on them."""
NATIVE_CODES: Final = frozenset({"native-also-cors"})
"""Rules that need an answer of the native service to a preflight; without one they find nothing."""


def check_subject(
    subject: Subject, scope: Scope = Scope.POLICY, codes: Collection[str] | None = None
) -> list[Finding]:
    """The findings of every rule of that scope, ordered by place; places are relative to the subject.

    With ``codes``, only the rules with these codes are run.
    """
    rules = (rule for rule in all_rules() if rule.scope is scope and (codes is None or rule.code in codes))
    found = [finding for rule in rules for finding in rule.findings(subject)]
    return sorted(found, key=lambda finding: tuple(map(str, finding.diagnostic.place.path)))


def check_api(
    api: Api, application_origins: frozenset[str], *, native_cors: bool | None = None
) -> tuple[Finding, ...]:
    """The findings of an API, with its suppressions applied; places are relative to it.

    ``native_cors`` says whether the native service does CORS itself; None if that is unknown.
    """
    findings = _check_policy(api, application_origins, native_cors=native_cors)
    unjudged = NATIVE_CODES if native_cors is None else ()
    return tuple(apply_suppressions(findings, api.lint.allow, unjudged))


def check_api_codes(
    api: Api, application_origins: frozenset[str], codes: Collection[str]
) -> tuple[Finding, ...]:
    """Those findings of :func:`check_api` that have one of these codes of rules; runs no other rules."""
    wanted = set(codes) - _suppressed(api)
    return tuple(_check_policy(api, application_origins, codes=wanted))


def _suppressed(api: Api) -> set[str]:
    return {suppression.code for suppression in api.lint.allow}


def _check_policy(
    api: Api,
    application_origins: frozenset[str],
    *,
    native_cors: bool | None = None,
    codes: Collection[str] | None = None,
) -> Iterator[Finding]:
    if api.cors is None:
        return
    subject = Subject(api.cors, application_origins, api.trusted_domains, native_cors)
    for finding in check_subject(subject, codes=codes):
        yield finding.within("cors")


def check_origins(api: Api, origins: frozenset[str], gained: frozenset[str]) -> tuple[Finding, ...]:
    """The findings that applications can cause by adding ``gained``, so that they bring ``origins`` in all.

    An application may have hundreds of APIs. Their policies have not changed, and are not proved again.
    """
    if api.cors is None:
        return ()
    subjects = {
        "empty-policy": Subject(api.cors, origins),
        "untrusted-domain": Subject(CorsPolicy(), gained, api.trusted_domains),
    }
    return tuple(
        finding.within("cors")
        for code in sorted(ORIGIN_CODES - _suppressed(api))
        for finding in rules_by_code()[code].findings(subjects[code])
    )


def check_application(application: Application) -> tuple[Finding, ...]:
    """The findings of an application; places are relative to it."""
    return tuple(check_subject(Subject(CorsPolicy(), application=application), Scope.APPLICATION))


@dataclass(frozen=True, slots=True)
class _CheckedApi:
    """What the findings of an API depend on, and the findings."""

    api: Api
    origins: frozenset[str]
    native_cors: bool | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """The findings of a catalogue, kept so that the next check costs only what changed."""

    apis: Mapping[str, _CheckedApi] = field(default_factory=dict)
    applications: Mapping[str, tuple[Application, tuple[Finding, ...]]] = field(default_factory=dict)
    general: tuple[Finding, ...] = ()
    """Findings that belong to no API in particular."""
    checked: int = 0
    """How many APIs and applications were checked for this result; the others were known."""
    associations: Associations = field(default_factory=Associations)
    """Those of the applications that were checked."""

    def findings(self) -> Iterator[Finding]:
        """All findings, with places as in a document: APIs and applications by their position."""
        yield from self.general
        for index, checked in enumerate(self.apis.values()):
            yield from _within(checked.findings, "apis", index)
        for index, (_, findings) in enumerate(self.applications.values()):
            yield from _within(findings, "applications", index)

    def of_api(self, key: str) -> tuple[Finding, ...]:
        """The findings of one API; places are relative to it."""
        return self.apis[key].findings if key in self.apis else ()


def _within(findings: Iterable[Finding], *steps: Step) -> Iterator[Finding]:
    return (finding.within(*steps) for finding in findings)


def check_catalogue(
    catalogue: Catalogue,
    previous: CatalogueFindings | None = None,
    today: dt.date | None = None,
    native_cors: Mapping[str, bool] | None = None,
) -> CatalogueFindings:
    """The findings of every API and application; what equals its state in ``previous`` is not checked again.

    ``native_cors`` says, by the API's key, whether its native service does CORS itself.
    """
    before = previous or CatalogueFindings()
    answers = native_cors or {}
    associations, touched = before.associations.advance(catalogue.applications)
    fresh = 0
    apis: dict[str, _CheckedApi] = {}
    for key, api in catalogue.apis.items():
        known, answer = before.apis.get(key), answers.get(key)
        if known is None or key in touched or known.api is not api or known.native_cors is not answer:
            origins = associations.origins(key)
            if known is None or (known.origins, known.native_cors, known.api) != (
                origins,
                answer,
                api,
            ):
                found = check_api(api, origins, native_cors=answer)
                known = _CheckedApi(api, origins, answer, found)
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
        finding for code in sorted(CATALOGUE_CODES) for finding in rules_by_code()[code].findings(subject)
    )
