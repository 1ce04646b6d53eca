"""Lints a change: only what the change touches.

Objects that the change leaves alone are not linted. So a catalogue that already contains lint errors accepts
every other change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Severity
from crossgate.lint.check import check_api, check_api_codes, check_application, check_origins
from crossgate.lint.rule import Finding
from crossgate.policy import Mode
from crossgate.service.objects import Difference


@dataclass(frozen=True, slots=True)
class LintResult:
    """The findings for everything that a change touches, and those for which it is refused."""

    findings: tuple[Finding, ...]
    refusing: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Compared:
    """The associations of the touched APIs before and after the change."""

    before: Associations
    after: Associations


def lint_change(base: Catalogue, after: Catalogue, difference: Difference) -> LintResult:
    """The findings for the change from ``base`` to ``after``, whose difference is given.

    Places are paths into a document whose APIs and applications are found by key.
    """
    findings: list[Finding] = []
    refusing: list[Finding] = []
    for finding, refuses in _lint(base, after, difference):
        shown = _with_suppression(finding) if refuses else finding
        findings.append(shown)
        if refuses:
            refusing.append(shown)
    return LintResult(tuple(findings), tuple(refusing))


def _lint(base: Catalogue, after: Catalogue, difference: Difference) -> Iterator[tuple[Finding, bool]]:
    changed = {one.key: one.before for one in difference if isinstance(one.after, Api)}
    associated = (_associated(difference) & after.apis.keys()) - changed.keys()
    compared = _compare(
        base, after, {key for key in changed.keys() | associated if _needs_origins(after, key)}
    )
    for key, before in sorted(changed.items()):
        old = before if isinstance(before, Api) else None
        yield from _lint_api(old, after.apis[key], compared)
    for key in sorted(associated):
        yield from _lint_origins(after.apis[key], compared)
    for one in difference:
        if isinstance(one.after, Application):
            yield from _lint_application(one.before, one.after)


def _associated(difference: Difference) -> set[str]:
    """The APIs that a changed application is or was associated with."""
    return {
        key
        for one in difference
        for side in (one.before, one.after)
        if isinstance(side, Application)
        for key in side.apis
    }


def _needs_origins(catalogue: Catalogue, key: str) -> bool:
    """Whether a rule looks at the origins of the API's applications."""
    # Collecting them for every change takes 4 ms with 20,000 applications: too much of the 15 ms from an edit
    # to its enforcement (docs/explanation/performance.md, bench/store_propagation.py).
    api = catalogue.apis[key]
    return api.cors is not None and (bool(api.trusted_domains) or not api.cors.allowed_origins)


def _compare(base: Catalogue, after: Catalogue, keys: set[str]) -> _Compared:
    return _Compared(_associations(base.applications, keys), _associations(after.applications, keys))


def _associations(applications: Mapping[str, Application], keys: set[str]) -> Associations:
    if not keys:
        return Associations()
    return Associations.of({name: one for name, one in applications.items() if not keys.isdisjoint(one.apis)})


def _lint_api(old: Api | None, new: Api, compared: _Compared) -> Iterator[tuple[Finding, bool]]:
    found = check_api(new, compared.after.origins(new.key))
    known: frozenset[object] = frozenset()
    errors = {finding.diagnostic.code for finding in found if _is_error(finding)}
    if errors and old is not None and not _riskier(old, new):
        known = frozenset(map(_identity, check_api_codes(old, compared.before.origins(new.key), errors)))
    for finding in found:
        refuses = _is_error(finding) and _identity(finding) not in known
        yield finding.within("apis", new.key), refuses


def _riskier(old: Api, new: Api) -> bool:
    """Whether origins that were allowed before can do more harm now, so that known errors count as new."""
    if old.cors is None or new.cors is None:
        return True
    enforced = old.cors.mode is not Mode.ENFORCE and new.cors.mode is Mode.ENFORCE
    return enforced or (new.cors.allow_credentials and not old.cors.allow_credentials)


def _lint_origins(api: Api, compared: _Compared) -> Iterator[tuple[Finding, bool]]:
    origins = compared.after.origins(api.key)
    gained = origins - compared.before.origins(api.key)
    for finding in check_origins(api, origins, gained):
        yield finding.within("apis", api.key), _is_error(finding)


def _lint_application(before: object, new: Application) -> Iterator[tuple[Finding, bool]]:
    known = (
        frozenset(map(_identity, check_application(before)))
        if isinstance(before, Application)
        else frozenset[object]()
    )
    for finding in check_application(new):
        refuses = _is_error(finding) and _identity(finding) not in known
        yield finding.within("applications", new.name), refuses


def _is_error(finding: Finding) -> bool:
    return finding.diagnostic.severity is Severity.ERROR


def _identity(finding: Finding) -> object:
    """Equal for the same finding at another position of a list."""
    what = finding.diagnostic
    return what.code, what.severity, what.message, what.found, finding.witness


def _with_suppression(finding: Finding) -> Finding:
    """The finding, with a remedy that also names the suppression; only APIs have suppressions."""
    what = finding.diagnostic
    if what.place.path[:1] != ("apis",):
        return finding
    suppress = f"or suppress it in lint.allow of the API, with the code {what.code} and a reason"
    return replace(finding, diagnostic=replace(what, remedy=f"{what.remedy}; {suppress}"))
