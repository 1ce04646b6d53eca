"""Lints a change: only what the change touches.

Objects that the change leaves alone are not linted. So a catalogue that already contains lint errors accepts
every other change. An object is also touched if a change of another one lets its origins do more: an
application that brings an origin to an API, and an API that begins to allow credentials to its applications.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, Settings
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.diagnostics import Severity, Step
from crossgate.lint.check import find, find_for_origins, unjudged_codes
from crossgate.lint.objects import Context, LintedObject, common_context, credentialed_apis
from crossgate.lint.rule import Finding
from crossgate.lint.rules import all_rules, header_underscore
from crossgate.lint.suppressions import apply_suppressions, covered_by, is_suppressed
from crossgate.policy import Mode
from crossgate.service.objects import Difference

_NAMES: Final = {"apis": "the API {}", "applications": "the application {}"}
"""How messages name an object by its place; the gateway and the settings are named by their section."""


@dataclass(frozen=True, slots=True)
class LintResult:
    """The findings for everything that a change touches, and those for which it is refused."""

    findings: tuple[Finding, ...]
    refusing: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Associated:
    """The associations of the touched APIs before and after the change."""

    before: Associations
    after: Associations


@dataclass(frozen=True, slots=True)
class _Touched:
    """An object before and after a change, with what bears on it; None before if it is new."""

    path: tuple[Step, ...]
    before: LintedObject | None
    after: LintedObject
    then: Context
    now: Context


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
    changed = {one.key for one in difference if isinstance(one.after, Api)}
    brought = (_associated(difference) & after.apis.keys()) - changed
    associated = _associations(base, after, {key for key in changed | brought if _needs_origins(after, key)})
    for touched in _touched(base, after, difference, associated):
        yield from _judged(touched)
    for key in sorted(brought):
        yield from _lint_origins(after.apis[key], associated)
    for touched in _exposed(base, after, difference):
        yield from _judged(touched, _CREDENTIAL_CODES)
    for touched in _promising_too_much(base, after):
        yield from _judged(touched, {header_underscore.RULE.code})


def _touched(
    base: Catalogue, after: Catalogue, difference: Difference, associated: _Associated
) -> Iterator[_Touched]:
    """The objects that change, and are not removed."""
    for one in difference:
        match one.after:
            case Api() as api:
                before = one.before if isinstance(one.before, Api) else None
                then, now = (side.origins(api.key) for side in (associated.before, associated.after))
                yield _Touched(("apis", api.key), before, api, _context(base, then), _context(after, now))
            case Application() as application:
                yield _touched_application(base, after, application)
            case Gateway() | Settings() as found:
                before_ = one.before if isinstance(one.before, Gateway | Settings) else None
                yield _Touched((one.kind.value,), before_, found, _context(base), _context(after))
            case None:
                pass


def _context(catalogue: Catalogue, application_origins: frozenset[str] = frozenset()) -> Context:
    """What bears on an API, the settings or the gateway object."""
    return replace(common_context(catalogue), application_origins=application_origins)


def _promising_too_much(base: Catalogue, after: Catalogue) -> Iterator[_Touched]:
    """Objects that did not change, and may allow headers that the gateway refuses from now on."""
    refuses = after.gateway.underscore_headers is UnderscoreHeaders.REJECT
    if not refuses or base.gateway.underscore_headers is UnderscoreHeaders.REJECT:
        return
    then, now = _context(base), _context(after)
    if base.settings == after.settings:
        yield _Touched(("settings",), base.settings, after.settings, then, now)
    for key, api in after.apis.items():
        if _names_underscore(api) and base.apis.get(key) == api:
            yield _Touched(("apis", key), api, api, then, now)


def _names_underscore(api: Api) -> bool:
    return api.cors is not None and any("_" in name for name in api.cors.allow_headers)


def _touched_application(base: Catalogue, after: Catalogue, application: Application) -> _Touched:
    before = base.applications.get(application.name)
    then = frozenset[tuple[str, Mode]]() if before is None else credentialed_apis(before, base.apis)
    now = credentialed_apis(application, after.apis)
    path = ("applications", application.name)
    contexts = (
        replace(common_context(base), credentialed=then),
        replace(common_context(after), credentialed=now),
    )
    return _Touched(path, before, application, *contexts)


def _exposed(base: Catalogue, after: Catalogue, difference: Difference) -> Iterator[_Touched]:
    """Applications that did not change, but one of whose APIs allows credentials to them from now on."""
    gained = {
        one.key
        for one in difference
        if isinstance(one.after, Api)
        and _exposure(one.after) - (_exposure(one.before) if isinstance(one.before, Api) else frozenset())
    }
    # Only then all applications are examined: 3 ms with 20,000 of them.
    for application in after.applications.values() if gained else ():
        if not gained.isdisjoint(application.apis) and base.applications.get(application.name) is application:
            yield _touched_application(base, after, application)


def _exposure(api: Api) -> frozenset[tuple[str, Mode]]:
    return credentialed_apis(Application("", apis=(api.key,)), {api.key: api})


_CREDENTIAL_CODES: Final = frozenset(rule.code for rule in all_rules() if rule.with_credentials is not None)
"""Rules whose findings are worse with credentials."""


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


def _associations(base: Catalogue, after: Catalogue, keys: set[str]) -> _Associated:
    return _Associated(_of_some(base.applications, keys), _of_some(after.applications, keys))


def _of_some(applications: Mapping[str, Application], keys: set[str]) -> Associations:
    if not keys:
        return Associations()
    return Associations.of({name: one for name, one in applications.items() if not keys.isdisjoint(one.apis)})


def _judged(touched: _Touched, codes: Collection[str] | None = None) -> Iterator[tuple[Finding, bool]]:
    """The findings for the object, each with whether it refuses the change."""
    found = find(touched.after, touched.now, codes)
    allow = touched.after.lint.allow
    errors = {one.diagnostic.code for one in found if _is_error(one) and not is_suppressed(one, allow, ())}
    unbound = {one.code for one in allow if one.entry is None}
    earlier: tuple[Finding, ...] = ()
    # The state before is only proved again where the answer depends on it.
    if touched.before is not None and (errors or unbound):
        earlier = find(touched.before, touched.then, errors | unbound)
    known: frozenset[object] = frozenset()
    if touched.before is not None and not _riskier(touched):
        accepted = touched.before.lint.allow
        known = frozenset(_identity(one) for one in earlier if not is_suppressed(one, accepted))
    if codes is None:
        covered = frozenset(map(covered_by, earlier))
        shown = apply_suppressions(found, allow, unjudged_codes(touched.now), covered)
    else:
        shown = (one for one in found if not is_suppressed(one, allow, frozenset(map(covered_by, earlier))))
    for finding in shown:
        refuses = _is_error(finding) and _identity(finding) not in known
        yield finding.within(*touched.path), refuses


def _riskier(touched: _Touched) -> bool:
    """Whether origins that were allowed before can do more harm now, so that known errors count as new."""
    match touched.before, touched.after:
        case Api(cors=old), Api(cors=new):
            if old is None or new is None:
                return True
            enforced = old.mode is not Mode.ENFORCE and new.mode is Mode.ENFORCE
            return enforced or (new.allow_credentials and not old.allow_credentials)
        case Application() as before, Application() as after:
            resumed = before.suspended and not after.suspended
            return resumed or bool(touched.now.credentialed - touched.then.credentialed)
        case Settings(policy=then), Settings(policy=now):
            return now is not None and (then is None or now.supports_credentials > then.supports_credentials)
        case _:
            return False


def _lint_origins(api: Api, associated: _Associated) -> Iterator[tuple[Finding, bool]]:
    origins = associated.after.origins(api.key)
    gained = origins - associated.before.origins(api.key)
    for finding in find_for_origins(api, origins, gained):
        # What an application gains is new, so that a suppression without an entry never covers it.
        if not is_suppressed(finding, api.lint.allow, ()):
            yield finding.within("apis", api.key), _is_error(finding)


def _is_error(finding: Finding) -> bool:
    return finding.diagnostic.severity is Severity.ERROR


def _identity(finding: Finding) -> object:
    """Equal for the same finding at another position of a list."""
    what = finding.diagnostic
    return what.code, what.severity, what.message, what.found, finding.witness


def _with_suppression(finding: Finding) -> Finding:
    """The finding, with a remedy that also names the suppression that accepts it."""
    what = finding.diagnostic
    section, name = (*what.place.path, "", "")[:2]
    owner = _NAMES.get(str(section), f"the section {section}").format(name)
    item = {"code": what.code, "entry": what.found, "reason": "…"}
    shown = json.dumps({key: value for key, value in item.items() if value is not None}, ensure_ascii=False)
    remedy = f"{what.remedy}; or accept it: add {shown} to lint.allow of {owner}"
    return replace(finding, diagnostic=replace(what, remedy=remedy))
