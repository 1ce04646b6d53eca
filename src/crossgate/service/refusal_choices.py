"""A change that somebody chose to allow a group of refusals: an entry, or an application's origin.

Importing this module loads the linter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, LintSettings, Suppression
from crossgate.catalogue.names import parse_application_name
from crossgate.diagnostics import Diagnostic, Place, printable
from crossgate.lint.entry_report import EntryReport, report_entry
from crossgate.lint.origin_verdict import ONLY_THIS_ORIGIN, Safety
from crossgate.lint.proof import FactCode, Verdict, suffix_list
from crossgate.policy import EffectivePolicy, ServerPolicy, parse_exact_origin, read_policy
from crossgate.policy.names import ANY, NULL
from crossgate.service.change_candidates import Candidate, find_server_candidate
from crossgate.service.changes import Change, PutApi, PutApplication
from crossgate.service.errors import InvalidChange
from crossgate.service.policy_gaps import POLICY_LISTS, ChangeForm, PolicyGap, origin_cautions
from crossgate.service.refusal_signs import Sign
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import Situation

_SHARED: Final = (FactCode.PUBLIC_SUFFIX_HOST, FactCode.SHARED_HOST)


@dataclass(frozen=True, slots=True)
class RefusalChoice:
    """What to add for a group of refusals. What the policy lacks besides an origin is added as well."""

    entry: object = None
    """For the allowed origins, as a document has it; None for the origin itself."""
    application: str = ""
    """Add the origin to this application, existing or new, in place of the policy."""
    method: str | None = None
    """In place of the refused one."""
    headers: tuple[str, ...] | None = None
    """In place of the refused ones."""
    accept: tuple[Suppression, ...] = ()
    """Findings that are accepted, each for its entry and with a reason."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What must be typed before a change is made, and why."""

    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice as a change, with the report on the entry that it adds; none if it adds none."""

    candidate: Candidate
    report: EntryReport | None
    confirm: Confirmation | None


def choose(
    catalogue: Catalogue,
    situation: Situation,
    group: RefusalGroup,
    choice: RefusalChoice,
    signs: Sequence[Sign],
) -> Chosen:
    """The choice as a change.

    Raises:
        InvalidChange: it cannot be made, or is invalid; with every reason.

    """
    request, policy = situation.request, situation.policy
    gap = None if request is None or policy is None else PolicyGap.of(policy, request, any_origin=True)
    if policy is None or gap is None:
        raise _invalid("not-allowable", "no change of a policy allows these requests", "Dismiss the group")
    gap = replace(
        gap,
        method=gap.method if choice.method is None else choice.method,
        headers=gap.headers if choice.headers is None else choice.headers,
    )
    api = catalogue.apis.get(group.key.api)
    domains = catalogue.gateway.lint.domains
    raw = gap.origin if choice.entry is None else choice.entry
    credentials = isinstance(policy, EffectivePolicy) and policy.policy.allow_credentials
    suffixes = suffix_list(domains.shared, domains.single_owner)
    report = report_entry(raw, suffixes, credentials=credentials) if gap.origin else None
    if report is not None and report.invalid is not None:
        raise InvalidChange([replace(report.invalid, place=Place(("entry",)))])
    if isinstance(policy, ServerPolicy) or api is None or api.cors is None:
        candidate = _for_server(catalogue, gap, choice)
    elif choice.application and gap.origin:
        candidate = _for_application(catalogue, api, gap, choice)
    else:
        changed = _policy_change(api, gap, [raw] if gap.origin else [], choice.accept)
        only = report.verdict.words if report else ONLY_THIS_ORIGIN
        sentence = gap.sentence(POLICY_LISTS, api.key, _shown(raw))
        form = gap.form if choice.entry in (None, gap.origin) else ChangeForm.DOMAIN_PATTERN
        candidate = Candidate(form, sentence, (changed,), gap.verdict(only), origin_cautions(gap.origin))
    hostile = tuple(sign.sentence for sign in signs if sign.hostile)
    candidate = replace(candidate, cautions=(*hostile, *candidate.cautions))
    return Chosen(candidate, report, confirmation(gap.origin and _shown(raw), report, hostile))


def confirmation(value: str, report: EntryReport | None, hostile: Sequence[str]) -> Confirmation | None:
    """What must be typed before ``value`` is allowed; None if nothing."""
    if not value:
        return None
    if value == NULL:
        return Confirmation(value, "Any page can send null from a sandboxed frame")
    if value == ANY:
        return Confirmation(value, "Every origin gets in")
    if hostile:
        return Confirmation(value, hostile[0])
    proof = None if report is None else report.proof
    if report is None or proof is None:
        return None
    shared = any(proof.fact(code) for code in _SHARED) or proof.verdict is Verdict.TENANT
    if shared or (proof.verdict is Verdict.UNOWNED and report.verdict.safety is Safety.UNSAFE):
        return Confirmation(value, report.sentence)
    return None


def _for_server(catalogue: Catalogue, gap: PolicyGap, choice: RefusalChoice) -> Candidate:
    if choice.application or choice.entry not in (None, gap.origin):
        raise _invalid(
            "server-level-choice",
            "server-level CORS is enforced, which has no applications and another form of patterns",
            "Choose the origin itself, or edit the settings",
        )
    found = find_server_candidate(catalogue.settings, gap)
    if found is None:
        raise _invalid("server-level-choice", "the settings cannot be changed so", "Edit the settings")
    return found


def _for_application(catalogue: Catalogue, api: Api, gap: PolicyGap, choice: RefusalChoice) -> Candidate:
    name, origin = choice.application, gap.origin
    if isinstance(parse_exact_origin(origin), Diagnostic):
        raise _invalid(
            "origin-not-exact", "an application has exact origins only", "Choose the policy", found=origin
        )
    known = catalogue.applications.get(name)
    if known is None:
        parsed = parse_application_name(name)
        if isinstance(parsed, Diagnostic):
            raise InvalidChange([replace(parsed, place=Place(("application",)))])
    elif known.suspended:
        raise _invalid(
            "application-suspended",
            "the application is suspended, so that its origins are not allowed",
            "Resume it first, or choose another one",
            found=name,
        )
    old = known or Application(name)
    new = replace(
        old,
        javascript_origins=_with(old.javascript_origins, origin),
        apis=_with(old.apis, api.key),
        lint=_accepting(old.lint, choice.accept),
    )
    rest = replace(gap, origin="")
    more = (_policy_change(api, rest, [], ()),) if rest != PolicyGap() else ()
    others = len(new.apis) - 1
    cautions = (f"It is allowed for {others} other APIs of the application too",) if others else ()
    added = origin not in old.javascript_origins
    what = f"Add {printable(origin)} to javascript_origins of {name}" if added else f"Use {name}"
    with_api = "" if api.key in old.apis else f", and associate it with {api.key}"
    return Candidate(
        ChangeForm.APPLICATION_ORIGIN,
        f"{what}{with_api}",
        (PutApplication(new), *more),
        gap.verdict(),
        (*origin_cautions(origin), *cautions),
    )


def _policy_change(
    api: Api, gap: PolicyGap, entries: Sequence[object], accept: Sequence[Suppression]
) -> Change:
    """The API with a policy that has what it lacks.

    Raises:
        InvalidChange: the policy would be invalid.

    """
    assert api.cors is not None  # noqa: S101 - without a policy nothing is refused
    raw = api.cors.to_dict()
    for name, added in (
        ("allowed_origins", entries),
        ("allowed_methods", [gap.method] if gap.method else []),
        ("allow_headers", gap.headers),
    ):
        before = raw.get(name, [])
        if added:
            raw[name] = [*(before if isinstance(before, list | tuple) else ()), *added]
    if gap.plain_options:
        raw["plain_options"] = "forward"
    policy, errors = read_policy(raw)
    if errors:
        raise InvalidChange(errors)
    return PutApi(replace(api, cors=policy, lint=_accepting(api.lint, accept)))


def _accepting(lint: LintSettings, accept: Sequence[Suppression]) -> LintSettings:
    return replace(lint, allow=(*lint.allow, *accept)) if accept else lint


def _with(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if value in values else (*values, value)


def _shown(raw: object) -> str:
    return str(raw.get("regex", "")) if isinstance(raw, dict) else str(raw)


def _invalid(code: str, message: str, remedy: str, *, found: str | None = None) -> InvalidChange:
    return InvalidChange([Diagnostic(code, message, remedy, found=found)])
