"""What a draft of a policy would do, before it is saved: errors, verdicts, who gains and who loses access.

A draft with errors is previewed without the entries that are wrong, so that the rest keeps its findings while
somebody types. Importing this module loads the linter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api, Application, Catalogue, Suppression
from crossgate.catalogue.reader import read_api
from crossgate.catalogue.serialise import api_to_dict
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Step
from crossgate.lint.check import find
from crossgate.lint.objects import common_context
from crossgate.lint.origin_verdict import OriginVerdict, origin_verdict
from crossgate.lint.proof import SuffixList, suffix_list
from crossgate.lint.rule import Finding
from crossgate.lint.suppressions import is_suppressed
from crossgate.policy import CorsPolicy, ExactOrigin, OriginSet, parse_origin_pattern, read_policy
from crossgate.policy.origin_pattern import serialise_origin_pattern
from crossgate.service.access import AccessChange
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.service.errors import InvalidChange
from crossgate.service.objects import Difference, ObjectKind
from crossgate.service.permission import Permission
from crossgate.service.recorded_effect import PERIOD, RecordedEffect, recorded_effect, records_since
from crossgate.service.refusal_changes import render_patch
from crossgate.service.replay import TelemetryRecords

MOST_ENTRIES: Final = 2000
"""Entries of the allowed origins, and origins of applications, that get a verdict."""


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """What somebody is about to save, as raw values."""

    policy: Mapping[str, object] | None
    """None for an API without a policy."""
    lint: Mapping[str, object] | None = None
    """The API's ``lint``; None if it stays."""


@dataclass(frozen=True, slots=True)
class JudgedEntry:
    """One entry of the allowed origins, with its verdict; none if it cannot be parsed."""

    index: int
    entry: object
    verdict: OriginVerdict | None


@dataclass(frozen=True, slots=True)
class ApplicationOrigin:
    """An origin that an application brings to the API."""

    application: str
    origin: str
    suspended: bool
    verdict: OriginVerdict
    also: object | None
    """The entry of the policy that admits it too."""


@dataclass(frozen=True, slots=True)
class AcceptedFinding:
    """A suppression of the API, and what it accepts in the draft; None if there is nothing left."""

    index: int
    suppression: Suppression
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """Everything that there is to know about a draft before it is saved.

    Places are relative to the policy; ``lint`` stands beside it.
    """

    base: int
    errors: tuple[Diagnostic, ...]
    findings: tuple[Finding, ...]
    refusing: tuple[Finding, ...]
    """Those of the findings for which saving would be refused."""
    entries: tuple[JudgedEntry, ...]
    application_origins: tuple[ApplicationOrigin, ...]
    accepted: tuple[AcceptedFinding, ...]
    difference: Difference
    access: AccessChange | None
    """None if nobody gains or loses access."""
    effect: RecordedEffect | None
    """None if nothing is recorded."""

    @property
    def valid(self) -> bool:
        """Whether it could be saved."""
        return not self.errors and not self.refusing

    @property
    def patch(self) -> str:
        """The difference as a unified diff of the API as a document has it."""
        return render_patch(self.difference)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A draft without its errors."""

    api: Api
    errors: tuple[Diagnostic, ...]
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Of each list that lost entries: the indices of those that were kept."""

    def placed(self, found: Finding) -> Finding:
        """The finding with its place in the draft."""
        what = found.diagnostic
        path = _relative(what.place.path, self.api.key)
        kept = self.kept.get(str(path[0])) if path else None
        if kept is not None and len(path) > 1 and isinstance(path[1], int):
            path = (path[0], kept[path[1]], *path[2:])
        return replace(found, diagnostic=replace(what, place=Place(path)))


def preview_policy(
    service: CatalogueService,
    api: Api,
    draft: PolicyDraft,
    *,
    associations: Associations,
    records: TelemetryRecords | None,
    permission: Permission,
) -> PolicyPreview:
    """The preview of a draft on top of the newest revision.

    ``associations`` are those that the caller can see; ``records`` are of this API, with their hours.

    Raises:
        Forbidden, NotFound: as for :meth:`CatalogueService.plan`.

    """
    head = service.store.head
    parsed = _parse(api, draft)
    errors = parsed.errors
    since = service.clock() - PERIOD
    recent = None if records is None else records_since(records, since)
    try:
        plan = service.plan([PutApi(parsed.api)], permission, recent or None)
    except InvalidChange as invalid:
        found = [replace(one, place=Place(_relative(one.place.path, api.key))) for one in invalid.diagnostics]
        errors = (*errors, *found)
        plan = service.plan([PutApi(api)], permission)
    shown = plan.findings if plan.difference else service.findings((ObjectKind.API, api.key))
    domains = head.catalogue.gateway.lint.domains
    suffixes = suffix_list(domains.shared, domains.single_owner)
    policy = parsed.api.cors
    return PolicyPreview(
        head.revision,
        errors,
        tuple(map(parsed.placed, shown)),
        tuple(map(parsed.placed, plan.refusing)),
        tuple(_judge_entries(draft, suffixes)),
        tuple(_application_origins(associations.of_api(api.key), policy, suffixes)),
        tuple(_accepted(head.catalogue, parsed, associations)),
        plan.difference,
        next((one for one in plan.access if one.api == api.key), None),
        None if recent is None else recorded_effect(recent, plan.replay),
    )


def _parse(api: Api, draft: PolicyDraft) -> _Parsed:
    errors: list[Diagnostic] = []
    kept: dict[str, Sequence[int]] = {}
    raw = draft.policy
    if raw is not None:
        _, errors = read_policy(raw)
        raw, kept = _without(raw, errors)
    written = {name: value for name, value in api_to_dict(api).items() if name not in ("cors", "lint")}
    if raw is not None:
        written["cors"] = raw
    own = api_to_dict(api).get("lint")
    lint = own if draft.lint is None else draft.lint
    try:
        made = read_api({**written, "lint": lint} if lint else written)
    except InvalidInput as invalid:
        errors += [replace(one, place=Place(_stripped(one.place.path))) for one in invalid.diagnostics]
        made = read_api({**written, "lint": own} if own else written)
    return _Parsed(made, tuple(errors), kept)


def _without(
    raw: Mapping[str, object], errors: Iterable[Diagnostic]
) -> tuple[dict[str, object], dict[str, Sequence[int]]]:
    """The policy without what is wrong, and which entries of its lists were kept."""
    wrong = defaultdict[Step, set[Step]](set)
    found = dict(raw)
    for one in errors:
        path = one.place.path
        if len(path) > 1:
            wrong[path[0]].add(path[1])
        elif path:
            found.pop(str(path[0]), None)
    kept: dict[str, Sequence[int]] = {}
    for name, indices in wrong.items():
        entries = found.get(str(name))
        if isinstance(entries, Sequence) and not isinstance(entries, str):
            kept[str(name)] = [index for index in range(len(entries)) if index not in indices]
            found[str(name)] = [entries[index] for index in kept[str(name)]]
        else:
            found.pop(str(name), None)
    return found, kept


def _stripped(path: tuple[Step, ...]) -> tuple[Step, ...]:
    return path[1:] if path[:1] == ("cors",) else path


def _relative(path: tuple[Step, ...], key: str) -> tuple[Step, ...]:
    """A path below the API, relative to its policy; others, such as of applications, stay."""
    return _stripped(path[2:]) if path[:2] == ("apis", key) else path


def _judge_entries(draft: PolicyDraft, suffixes: SuffixList) -> Iterator[JudgedEntry]:
    entries = (draft.policy or {}).get("allowed_origins", ())
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return
    for index, entry in enumerate(entries[:MOST_ENTRIES]):
        pattern = parse_origin_pattern(entry)
        verdict = None if isinstance(pattern, Diagnostic) else origin_verdict(pattern, suffixes)
        yield JudgedEntry(index, entry, verdict)


def _application_origins(
    applications: Iterable[Application], policy: CorsPolicy | None, suffixes: SuffixList
) -> Iterator[ApplicationOrigin]:
    patterns = () if policy is None else policy.allowed_origins
    own = OriginSet.of(patterns)
    left = MOST_ENTRIES
    for application in applications:
        for origin in application.javascript_origins[:left]:
            left -= 1
            also = None
            if own.admits(origin):
                admits = (one for one in patterns if OriginSet.of([one]).admits(origin))
                also = serialise_origin_pattern(next(admits))
            verdict = origin_verdict(ExactOrigin(origin), suffixes)
            yield ApplicationOrigin(application.name, origin, application.suspended, verdict, also)


def _accepted(catalogue: Catalogue, parsed: _Parsed, associations: Associations) -> Iterator[AcceptedFinding]:
    api = parsed.api
    if not api.lint.allow:
        return
    context = replace(common_context(catalogue), application_origins=associations.origins(api.key))
    findings = find(api, context)
    for index, suppression in enumerate(api.lint.allow):
        found = next((one for one in findings if is_suppressed(one, [suppression])), None)
        placed = None if found is None else parsed.placed(found.within("apis", api.key))
        yield AcceptedFinding(index, suppression, placed)
