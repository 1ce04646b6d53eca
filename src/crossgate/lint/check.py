"""Runs the rules over one object or a whole catalogue; of a catalogue, only over what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Step
from crossgate.lint.objects import (
    Context,
    LintedObject,
    common_context,
    credentialed_apis,
    linted_objects,
    placed,
    subject_of,
)
from crossgate.lint.rule import Finding
from crossgate.lint.rules import all_rules, rules_by_code
from crossgate.lint.subject import Subject
from crossgate.lint.suppressions import apply_suppressions
from crossgate.policy import CorsPolicy, Mode

CATALOGUE_CODES: Final = frozenset({"suffix-list-stale"})
"""Rules whose finding is the same for every API: it is reported once."""
ORIGIN_CODES: Final = frozenset({"empty-policy", "untrusted-domain"})
"""Rules that examine the origins of an API's applications; the findings of no other rule depend on them."""
NATIVE_CODES: Final = frozenset({"native-also-cors"})
"""Rules that need to know what the native service does; nothing found means nothing known."""


def check_subject(subject: Subject, codes: Collection[str] | None = None) -> list[Finding]:
    """The findings of every rule for the subject; places are relative to its policy.

    With ``codes``, only the rules with these codes are run.
    """
    return [
        finding
        for rule in all_rules()
        if subject.kind in rule.kinds and (codes is None or rule.code in codes)
        for finding in rule.findings(subject)
    ]


def find(found: LintedObject, context: Context, codes: Collection[str] | None = None) -> tuple[Finding, ...]:
    """The findings of every rule for the object, accepted ones included, ordered by place.

    Places are relative to the object. ``codes`` are those of :func:`check_subject`.
    """
    subject = subject_of(found, context)
    if subject is None:
        return ()
    findings = (placed(finding, found, subject) for finding in check_subject(subject, codes))
    return tuple(sorted(findings, key=lambda finding: tuple(map(str, finding.diagnostic.place.path))))


def check_object(found: LintedObject, context: Context) -> tuple[Finding, ...]:
    """The findings for the object, with its suppressions applied; places are relative to it."""
    return tuple(apply_suppressions(find(found, context), found.lint.allow, unjudged_codes(context)))


def unjudged_codes(context: Context) -> frozenset[str]:
    """The codes of rules that found nothing for want of a fact."""
    return NATIVE_CODES if context.native_cors is None else frozenset()


def find_for_origins(api: Api, origins: frozenset[str], gained: frozenset[str]) -> tuple[Finding, ...]:
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
        for code in sorted(ORIGIN_CODES)
        for finding in rules_by_code()[code].findings(subjects[code])
    )


@dataclass(frozen=True, slots=True)
class _Checked:
    """What the findings of an object depend on, and the findings."""

    found: LintedObject
    context: Context
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """The findings of a catalogue, kept so that the next check costs only what changed."""

    sections: Mapping[str, Mapping[str, _Checked]] = field(default_factory=dict)
    """By the section of a document and the object's key, in the order of a document."""
    general: tuple[Finding, ...] = ()
    """Findings that belong to no object in particular."""
    checked: int = 0
    """How many objects were checked for this result; the others were known."""
    associations: Associations = field(default_factory=Associations)
    """Those of the applications that were checked."""
    credentialed: Mapping[str, Mode] = field(default_factory=dict)
    """The modes of the policies that allow credentials, by the API's key."""
    common: Context = field(default_factory=Context)
    """What bore on all objects."""

    def findings(self) -> Iterator[Finding]:
        """All findings, with places as in a document: APIs and applications by their position."""
        yield from self.general
        for section, objects in self.sections.items():
            for index, (key, checked) in enumerate(objects.items()):
                path: tuple[Step, ...] = (section, index) if key else (section,)
                for finding in checked.findings:
                    yield finding.within(*path)

    def by_object(self) -> Mapping[tuple[str, str], tuple[Finding, ...]]:
        """The findings of each object that has some, with places relative to it."""
        found = {
            (section, key): checked.findings
            for section, objects in self.sections.items()
            for key, checked in objects.items()
            if checked.findings
        }
        return {("", ""): self.general, **found}

    def of_api(self, key: str) -> tuple[Finding, ...]:
        """The findings of one API; places are relative to it."""
        checked = self.sections.get("apis", {}).get(key)
        return () if checked is None else checked.findings


def check_catalogue(
    catalogue: Catalogue,
    previous: CatalogueFindings | None = None,
    today: dt.date | None = None,
    native_cors: Mapping[str, bool] | None = None,
) -> CatalogueFindings:
    """The findings of every object; what equals its state in ``previous`` is not checked again.

    ``native_cors`` says, by the API's key, whether its native service does CORS itself.
    """
    before = previous or CatalogueFindings()
    answers = native_cors or {}
    associations, touched = before.associations.advance(catalogue.applications)
    common = common_context(catalogue)
    credentialed = {
        key: api.cors.mode
        for key, api in catalogue.apis.items()
        if api.cors is not None and api.cors.allow_credentials
    }
    same_common, same_credentials = common == before.common, credentialed == before.credentialed

    def context_of(found: LintedObject, known: _Checked | None) -> Context:
        # What was known is taken over where possible: after each save, every object comes here.
        match found:
            case Api(key=key) if known is not None and key not in touched:
                answer, then = answers.get(key), known.context
                if same_common and then.native_cors is answer:
                    return then
                origins = then.application_origins
                return replace(common, application_origins=origins, native_cors=answer)
            case Api(key=key):
                origins = associations.origins(key)
                return replace(common, application_origins=origins, native_cors=answers.get(key))
            case Application(apis=apis):
                if known is not None and same_common and same_credentials and _apis_of(known) == apis:
                    return known.context
                return replace(common, credentialed=credentialed_apis(found, catalogue.apis))
            case _:
                return common

    sections: dict[str, dict[str, _Checked]] = {}
    fresh = 0
    for section, objects in linted_objects(catalogue):
        earlier, now = before.sections.get(section, {}), sections.setdefault(section, {})
        for key, found in objects.items():
            known = earlier.get(key)
            context = context_of(found, known)
            same = known is not None and (known.found is found or known.found == found)
            if known is None or not same or (known.context is not context and known.context != context):
                known = _Checked(found, context, check_object(found, context))
                fresh += 1
            now[key] = known
    general = _check_general(today)
    return CatalogueFindings(sections, general, fresh, associations, credentialed, common)


def _apis_of(known: _Checked) -> tuple[str, ...]:
    return known.found.apis if isinstance(known.found, Application) else ()


def _check_general(today: dt.date | None) -> tuple[Finding, ...]:
    subject = Subject(CorsPolicy(), today=today)
    return tuple(
        finding for code in sorted(CATALOGUE_CODES) for finding in rules_by_code()[code].findings(subject)
    )
