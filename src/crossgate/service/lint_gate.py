"""What the linter says of a change: of what it touches, and no more.

An object that the change leaves alone is not looked at: a catalogue that already holds something unsafe
takes every other change.
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
from crossgate.service.objects import Difference, ObjectChange, ObjectKey, find_object


@dataclass(frozen=True, slots=True)
class LintResult:
    """The findings for a change, and the errors among them for which it is refused."""

    findings: tuple[Finding, ...]
    refusing: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The origins that count for an API before and after; only of APIs that the change touches."""

    before: Associations
    after: Associations


def lint_change(base: Catalogue, after: Catalogue, difference: Difference) -> LintResult:
    """The findings for ``after``, which differs from ``base`` by the difference.

    Places are paths into a document whose APIs and applications are found by key.
    """
    findings: list[Finding] = []
    refusing: list[Finding] = []
    for finding, refuses in _look(base, after, difference):
        said = _refused(finding) if refuses else finding
        findings.append(said)
        if refuses:
            refusing.append(said)
    return LintResult(tuple(findings), tuple(refusing))


def lint_object(catalogue: Catalogue, key: ObjectKey) -> tuple[Finding, ...]:
    """What there is to say of one object as it is; nothing if it is not there."""
    found = find_object(catalogue, key)
    return lint_change(catalogue, catalogue, (ObjectChange(*key, found, found),)).findings


def _look(base: Catalogue, after: Catalogue, difference: Difference) -> Iterator[tuple[Finding, bool]]:
    changed = {one.key: one.before for one in difference if isinstance(one.after, Api)}
    joined = (_joined(difference) & after.apis.keys()) - changed.keys()
    sides = _sides(base, after, {key for key in changed.keys() | joined if _asks_for_origins(after, key)})
    for key, before in sorted(changed.items()):
        old = before if isinstance(before, Api) else None
        yield from _look_at_api(old, after.apis[key], sides)
    for key in sorted(joined):
        yield from _look_at_origins(after.apis[key], sides)
    for one in difference:
        if isinstance(one.after, Application):
            yield from _look_at_application(one.before, one.after)


def _joined(difference: Difference) -> set[str]:
    """The APIs for which the origins of an application count, or counted."""
    return {
        key
        for one in difference
        for side in (one.before, one.after)
        if isinstance(side, Application)
        for key in side.apis
    }


def _asks_for_origins(catalogue: Catalogue, key: str) -> bool:
    """Whether its applications' origins bear on any finding: few APIs are worth going through them all."""
    api = catalogue.apis[key]
    return api.cors is not None and (bool(api.trusted_domains) or not api.cors.allowed_origins)


def _sides(base: Catalogue, after: Catalogue, keys: set[str]) -> _Sides:
    return _Sides(_associations(base.applications, keys), _associations(after.applications, keys))


def _associations(applications: Mapping[str, Application], keys: set[str]) -> Associations:
    if not keys:
        return Associations()
    return Associations.of({name: one for name, one in applications.items() if not keys.isdisjoint(one.apis)})


def _look_at_api(old: Api | None, new: Api, sides: _Sides) -> Iterator[tuple[Finding, bool]]:
    found = check_api(new, sides.after.origins(new.key))
    known: frozenset[object] = frozenset()
    errors = {finding.diagnostic.code for finding in found if _is_error(finding)}
    if errors and old is not None and not _counts_for_more(old, new):
        known = frozenset(map(_identity, check_api_codes(old, sides.before.origins(new.key), errors)))
    for finding in found:
        refuses = _is_error(finding) and _identity(finding) not in known
        yield finding.within("apis", new.key), refuses


def _counts_for_more(old: Api, new: Api) -> bool:
    """Whether what was admitted before can do more harm now, so that it has to be looked at again."""
    if old.cors is None or new.cors is None:
        return True
    enforced = old.cors.mode is not Mode.ENFORCE and new.cors.mode is Mode.ENFORCE
    return enforced or (new.cors.allow_credentials and not old.cors.allow_credentials)


def _look_at_origins(api: Api, sides: _Sides) -> Iterator[tuple[Finding, bool]]:
    origins = sides.after.origins(api.key)
    gained = origins - sides.before.origins(api.key)
    for finding in check_origins(api, origins, gained):
        yield finding.within("apis", api.key), _is_error(finding)


def _look_at_application(before: object, new: Application) -> Iterator[tuple[Finding, bool]]:
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
    """What makes it the same finding although entries were put before it."""
    what = finding.diagnostic
    return what.code, what.severity, what.message, what.found, finding.witness


def _refused(finding: Finding) -> Finding:
    """The finding, its remedy naming the way past it where there is one."""
    what = finding.diagnostic
    if what.place.path[:1] != ("apis",):
        return finding
    accept = f"or accept it under the API's lint.allow, with the code {what.code} and a reason"
    return replace(finding, diagnostic=replace(what, remedy=f"{what.remedy}; {accept}"))
