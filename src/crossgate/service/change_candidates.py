"""Changes that may allow a group of refusals: what the policy lacks, and where it can be added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, Settings
from crossgate.catalogue.reader import read_settings
from crossgate.diagnostics import InvalidInput
from crossgate.lint.origin_verdict import ONLY_THIS_ORIGIN
from crossgate.policy import (
    EffectivePolicy,
    ExactOrigin,
    OriginPattern,
    PlainOptions,
    SameOrigin,
    ServerPolicy,
)
from crossgate.policy.origin_pattern import serialise_origin_pattern
from crossgate.policy.same_origin import SAME_ORIGIN
from crossgate.policy.server_cors import DEFAULT_METHODS, PREFIX
from crossgate.service.changes import (
    Associate,
    Change,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    ResumeApplication,
)
from crossgate.service.pattern_candidates import PatternFinder
from crossgate.service.policy_gaps import POLICY_LISTS, SERVER_LISTS, ChangeForm, PolicyGap, origin_cautions
from crossgate.service.refusal_signs import Sign
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import FateKind, Situation


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that may allow a group."""

    form: ChangeForm
    sentence: str
    changes: tuple[Change, ...]
    verdict: str
    """Whom it lets in, in few words."""
    cautions: tuple[str, ...] = ()


_MOST_APPLICATIONS: Final = 3


def find_candidates(
    catalogue: Catalogue,
    situation: Situation,
    group: RefusalGroup,
    groups: Sequence[RefusalGroup],
    signs: Sequence[Sign],
) -> Iterator[Candidate]:
    """Changes that may allow the group, the smallest first."""
    warnings = tuple(sign.sentence for sign in signs if sign.hostile)
    request, policy = situation.request, situation.policy
    refused = situation.fate is not None and situation.fate.kind in (FateKind.REFUSED, FateKind.OBSERVED)
    if request is None or policy is None or not refused:
        return
    lacks = PolicyGap.of(policy, request)
    if lacks is None:
        return
    found: Iterable[Candidate]
    if isinstance(policy, ServerPolicy):
        found = filter(None, [find_server_candidate(catalogue.settings, lacks)])
    else:
        api = catalogue.apis.get(group.key.api)
        if api is None or api.cors is None:
            return
        hostile = bool(warnings)
        found = _ApiCandidates(catalogue, api, policy, lacks, group, groups, hostile=hostile).all()
    for one in found:
        yield replace(one, cautions=(*warnings, *one.cautions))


@dataclass(frozen=True, slots=True)
class _ApiCandidates:
    catalogue: Catalogue
    api: Api
    policy: EffectivePolicy
    lacks: PolicyGap
    group: RefusalGroup
    groups: Sequence[RefusalGroup]
    hostile: bool

    def all(self) -> Iterator[Candidate]:
        """Every candidate, the smallest first."""
        lacks = self.lacks
        added = [ExactOrigin(lacks.origin)] if lacks.origin else []
        sentence = lacks.sentence(POLICY_LISTS, self.api.key)
        yield Candidate(
            lacks.form, sentence, (self._put(added),), lacks.verdict(), origin_cautions(lacks.origin)
        )
        if not lacks.origin:
            return
        yield from self._applications()
        if not self.hostile:
            yield from self._pattern()
            yield from self._public_origin()

    def _put(self, added: Sequence[OriginPattern]) -> PutPolicy:
        """The policy with all that it lacks, and with these origins."""
        policy, lacks = self.api.cors, self.lacks
        assert policy is not None  # noqa: S101 - without a policy there are no candidates
        return PutPolicy(
            self.api.key,
            replace(
                policy,
                allowed_origins=(*policy.allowed_origins, *added),
                allowed_methods=(*policy.allowed_methods, *filter(None, [lacks.method])),
                allow_headers=(*policy.allow_headers, *lacks.headers),
                plain_options=PlainOptions.FORWARD if lacks.plain_options else policy.plain_options,
            ),
        )

    def _rest(self) -> tuple[Change, ...]:
        """What the policy lacks besides the origin."""
        rest = replace(self.lacks, origin="")
        return (self._put(()),) if rest != PolicyGap() else ()

    def _and_rest(self) -> str:
        rest = replace(self.lacks, origin="")
        if rest == PolicyGap():
            return ""
        sentence = rest.sentence(POLICY_LISTS, self.api.key)
        return f"; {sentence[:1].lower()}{sentence[1:]}"

    def _applications(self) -> Iterator[Candidate]:
        origin, key = self.lacks.origin, self.api.key
        having = [one for one in self._sorted() if origin in one.javascript_origins]
        for one in having[:_MOST_APPLICATIONS]:
            if key in one.apis:
                # Associated and not enough: it is suspended.
                yield self._application(
                    ResumeApplication(one.name),
                    f"Resume the application {one.name}, which has {origin}",
                    ("Somebody suspended the application", *_others(one)),
                )
            elif not one.suspended:
                yield self._application(
                    Associate(one.name, key),
                    f"Associate the application {one.name}, which has {origin}, with {key}",
                    _others(one),
                )
        associated = [one for one in self._sorted() if key in one.apis and not one.suspended]
        for one in associated[:_MOST_APPLICATIONS] if not having else ():
            others = len(one.apis) - 1
            caution = (f"It is allowed for {others} other APIs of the application too",) if others else ()
            yield self._application(
                PutApplication(replace(one, javascript_origins=(*one.javascript_origins, origin))),
                f"Add {origin} to javascript_origins of {one.name}",
                caution,
            )

    def _sorted(self) -> list[Application]:
        return [one for _, one in sorted(self.catalogue.applications.items())]

    def _application(self, change: Change, sentence: str, cautions: tuple[str, ...]) -> Candidate:
        return Candidate(
            ChangeForm.APPLICATION_ORIGIN,
            f"{sentence}{self._and_rest()}",
            (change, *self._rest()),
            self.lacks.verdict(),
            (*origin_cautions(self.lacks.origin), *cautions),
        )

    def _pattern(self) -> Iterator[Candidate]:
        found = PatternFinder(self.catalogue, self.policy, self.api.key, self.groups).find(self.lacks.origin)
        if found is None:
            return
        entry = str(serialise_origin_pattern(found.pattern))
        yield Candidate(
            ChangeForm.DOMAIN_PATTERN,
            self.lacks.sentence(POLICY_LISTS, self.api.key, entry),
            (self._put([found.pattern]),),
            self.lacks.verdict(f"Only {found.below}"),
            (
                f"It admits every name below {found.below}, also those that do not exist yet",
                *origin_cautions(self.lacks.origin),
            ),
        )

    def _public_origin(self) -> Iterator[Candidate]:
        gateway = self.catalogue.gateway
        detected = gateway.same_origin is SameOrigin.DETECT
        if detected or SAME_ORIGIN not in self.group.seen_in.fetch_sites:
            return
        public = (*gateway.public_origins, self.lacks.origin)
        yield Candidate(
            ChangeForm.PUBLIC_ORIGIN,
            f"Add {self.lacks.origin} to public_origins of the gateway",
            (PutGateway(replace(gateway, public_origins=public)),),
            ONLY_THIS_ORIGIN,
            ("It is then allowed for every API, as a page of the gateway itself",),
        )


def _others(application: Application) -> tuple[str, ...]:
    others = len(application.javascript_origins) - 1
    return (f"It allows {others} other origins of the application too",) if others else ()


def find_server_candidate(settings: Settings, lacks: PolicyGap) -> Candidate | None:
    """The change of the server-level settings; None if it cannot be made."""
    values = dict(settings.values)
    added: tuple[tuple[str, Sequence[str], Sequence[str]], ...] = (
        ("allowedOrigins", [lacks.origin] if lacks.origin else [], ()),
        ("supportedMethods", [lacks.method] if lacks.method else [], DEFAULT_METHODS),
        ("supportedHeaders", lacks.headers, ()),
    )
    for name, words, default in added:
        before = values.get(PREFIX + name) or list(default)
        if not words:
            continue
        if isinstance(before, str):
            if before.startswith("file:"):
                return None  # the file is not part of the catalogue
            values[PREFIX + name] = ", ".join((before, *words))
        elif isinstance(before, list | tuple):
            values[PREFIX + name] = [*before, *words]
    try:
        changed = read_settings(values)
    except InvalidInput:
        return None
    sentence = lacks.sentence(SERVER_LISTS, "the server-level settings")
    cautions = ("It holds for every API", *origin_cautions(lacks.origin))
    return Candidate(lacks.form, sentence, (PutSettings(changed),), lacks.verdict(), cautions)
