"""Changes that may allow a group of refusals: what the policy lacks, and where it can be added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, Settings
from crossgate.catalogue.reader import read_settings
from crossgate.diagnostics import Diagnostic, InvalidInput, printable
from crossgate.lint.proof import SuffixList, Verdict, can_be_sent, prove_pattern, suffix_list
from crossgate.policy import (
    EffectivePolicy,
    ExactOrigin,
    Origin,
    OriginPattern,
    PlainOptions,
    Request,
    SameOrigin,
    ServerPolicy,
    is_well_formed,
    parse_exact_origin,
    parse_origin_pattern,
)
from crossgate.policy.names import ANY, NULL, is_forbidden_method, is_token
from crossgate.policy.origin_pattern import serialise_origin_pattern
from crossgate.policy.request import OPTIONS
from crossgate.policy.same_origin import SAME_ORIGIN
from crossgate.policy.server_cors import CONTENT_TYPE, DEFAULT_METHODS, PREFIX
from crossgate.service.changes import (
    Associate,
    Change,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    ResumeApplication,
)
from crossgate.service.refusal_signs import Sign, find_signs
from crossgate.service.refusals import DismissalReason, Disposition, RefusalGroup
from crossgate.service.replay import FateKind, Situation


class ChangeForm(StrEnum):
    """What a suggested change adds."""

    POLICY_ORIGIN = "policy-origin"
    """The exact origin, to the policy of the API or to the server-level settings."""
    APPLICATION_ORIGIN = "application-origin"
    """The exact origin, to an application of the API; or an application that has it, to the API."""
    DOMAIN_PATTERN = "domain-pattern"
    """A wildcard that is proven to admit one registrable domain only."""
    METHOD = "method"
    HEADERS = "headers"
    PLAIN_OPTIONS = "plain-options"
    """``plain_options: forward``, for OPTIONS requests that are not preflights."""
    PUBLIC_ORIGIN = "public-origin"
    """The exact origin, to the gateway's own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that may allow a group."""

    form: ChangeForm
    sentence: str
    changes: tuple[Change, ...]
    verdict: str
    """Whom it lets in, in few words."""
    cautions: tuple[str, ...] = ()


ONLY_THIS_ORIGIN: Final = "Only this origin"
_EVERY: Final = "For every allowed origin"
_MOST_APPLICATIONS: Final = 3
_MOST_HEADERS: Final = 64
_MOST_JUDGED: Final = 100
"""Groups whose signs are looked for to find a pattern. What attackers send is not to take long."""
_HTTP: Final = "Plain http: anyone on the network path can inject scripts into that page"
_LOOPBACK_CAUTION: Final = "Any program on a visitor's machine can serve that page"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_ATTACKS: Final = frozenset({DismissalReason.ATTACK, DismissalReason.BOT})


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
    lacks = _Lacks.of(policy, request)
    if lacks is None:
        return
    if isinstance(policy, ServerPolicy):
        found = _server_candidates(catalogue.settings, lacks)
    else:
        api = catalogue.apis.get(group.key.api)
        if api is None or api.cors is None:
            return
        hostile = bool(warnings)
        found = _ApiCandidates(catalogue, api, policy, lacks, group, groups, hostile=hostile).all()
    for one in found:
        yield replace(one, cautions=(*warnings, *one.cautions))


@dataclass(frozen=True, slots=True)
class _Lacks:
    """What a policy lacks to allow a request."""

    origin: str = ""
    method: str = ""
    headers: tuple[str, ...] = ()
    plain_options: bool = False

    @classmethod
    def of(cls, policy: EffectivePolicy | ServerPolicy, request: Request) -> _Lacks | None:
        """What it lacks; None if no change that can be suggested provides it."""
        value = request.origin
        origin = "" if policy.origins.admits(value) else value
        if origin and not _can_be_listed(origin):
            return None
        requested = request.request_method if request.method == OPTIONS else ""
        if isinstance(policy, EffectivePolicy):
            if request.method != OPTIONS:
                return cls(origin)
            if not requested or not value:
                return cls(origin, plain_options=True)
            method = "" if policy.admits_method(requested) else requested
        else:
            judged = requested or request.method
            method = "" if judged in policy.supported_methods else judged
        if method and (not is_token(method) or is_forbidden_method(method)):
            return None
        headers: tuple[str, ...] = ()
        if requested:
            headers = policy.header_names.find_refused(request.request_headers, _MOST_HEADERS)
        elif isinstance(policy, ServerPolicy) and not policy.admits_content_type(request.content_type):
            headers = (CONTENT_TYPE,)
        if ANY in (method, *headers):
            return None  # a request asks for that one name; in a policy it stands for all names
        return cls(origin, method, headers)

    @property
    def form(self) -> ChangeForm:
        """What the change adds first."""
        if self.origin:
            return ChangeForm.POLICY_ORIGIN
        if self.method:
            return ChangeForm.METHOD
        return ChangeForm.HEADERS if self.headers else ChangeForm.PLAIN_OPTIONS

    def verdict(self, only: str = ONLY_THIS_ORIGIN) -> str:
        """Whom a change lets in that adds all this; ``only`` is the verdict on its entry for the origin."""
        if not self.origin:
            return f"{_EVERY}, and for requests without one" if self.plain_options else _EVERY
        lists = (
            ("the method", self.method),
            ("the headers", self.headers),
            ("OPTIONS requests", self.plain_options),
        )
        others = [noun for noun, lacks in lists if lacks]
        return f"{only}; {' and '.join(others)} for every allowed origin" if others else only

    def sentence(self, names: tuple[str, str, str], of: str, entry: str = "") -> str:
        """What is added to which of three lists, and to whose."""
        added = (entry or self.origin, self.method, ", ".join(self.headers))
        parts = [f"{printable(what)} to {name}" for what, name in zip(added, names, strict=True) if what]
        if not parts:
            return f"Write plain_options: forward in the policy of {of}"
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        more = ", and write plain_options: forward" if self.plain_options else ""
        return f"Add {listed} of {of}{more}"


def _can_be_listed(origin: str) -> bool:
    return origin != NULL and isinstance(parse_exact_origin(origin), ExactOrigin) and can_be_sent(origin)


def _cautions(origin: str) -> tuple[str, ...]:
    if not origin or not is_well_formed(origin):
        return ()
    parts = Origin.of(origin)
    if parts.host in _LOOPBACK or parts.host.endswith(".localhost"):
        return (_LOOPBACK_CAUTION,)
    return (_HTTP,) if parts.scheme == "http" else ()


_POLICY_LISTS: Final = ("allowed_origins", "allowed_methods", "allow_headers")
_SERVER_LISTS: Final = ("allowedOrigins", "supportedMethods", "supportedHeaders")


@dataclass(frozen=True, slots=True)
class _ApiCandidates:
    catalogue: Catalogue
    api: Api
    policy: EffectivePolicy
    lacks: _Lacks
    group: RefusalGroup
    groups: Sequence[RefusalGroup]
    hostile: bool

    def all(self) -> Iterator[Candidate]:
        """Every candidate, the smallest first."""
        lacks = self.lacks
        added = [ExactOrigin(lacks.origin)] if lacks.origin else []
        sentence = lacks.sentence(_POLICY_LISTS, self.api.key)
        yield Candidate(lacks.form, sentence, (self._put(added),), lacks.verdict(), _cautions(lacks.origin))
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
        return (self._put(()),) if rest != _Lacks() else ()

    def _and_rest(self) -> str:
        rest = replace(self.lacks, origin="")
        if rest == _Lacks():
            return ""
        sentence = rest.sentence(_POLICY_LISTS, self.api.key)
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
            (*_cautions(self.lacks.origin), *cautions),
        )

    def _pattern(self) -> Iterator[Candidate]:
        parent = self._common_parent()
        if parent is None:
            return
        domain, below = parent
        origin = Origin.of(self.lacks.origin)
        pattern = parse_origin_pattern(str(Origin(origin.scheme, f"*.{below}", origin.port)))
        if isinstance(pattern, Diagnostic):
            return
        proof = prove_pattern(pattern, self._suffixes())
        if proof.verdict is not Verdict.PROVED or proof.domains != (domain,):
            return
        entry = str(serialise_origin_pattern(pattern))
        yield Candidate(
            ChangeForm.DOMAIN_PATTERN,
            self.lacks.sentence(_POLICY_LISTS, self.api.key, entry),
            (self._put([pattern]),),
            self.lacks.verdict(f"Only {below}"),
            (
                f"It admits every name below {below}, also those that do not exist yet",
                *_cautions(str(origin)),
            ),
        )

    def _common_parent(self) -> tuple[str, str] | None:
        """The registrable domain, and the longest name below which several refused origins are."""
        origin = Origin.of(self.lacks.origin)
        domain = self._suffixes().registrable_domain(origin.host)
        if domain is None or origin.scheme != "https" or origin.host == domain:
            return None
        hosts = {origin.host, *self._refused_hosts(origin, domain)}
        names = origin.host.split(".")
        for count in range(1, len(names)):
            below = ".".join(names[count:])
            if sum(host.endswith(f".{below}") for host in hosts) > 1:
                return domain, below
            if below == domain:
                break
        return None

    def _refused_hosts(self, origin: Origin, domain: str) -> Iterator[str]:
        """Hosts below the domain of the API's refused origins with that scheme and port.

        Without dismissed attacks, and without what looks like one.
        """
        for one in islice(self._below(origin, domain), _MOST_JUDGED):
            if not any(sign.hostile for sign in find_signs(self.catalogue, self.policy, one)):
                yield Origin.of(one.key.origin).host

    def _below(self, origin: Origin, domain: str) -> Iterator[RefusalGroup]:
        for one in self.groups:
            if (
                one.key.api != self.api.key
                or not is_well_formed(one.key.origin)
                or _is_attack(one.disposition)
            ):
                continue
            other = Origin.of(one.key.origin)
            alike = (other.scheme, other.port) == (origin.scheme, origin.port)
            if alike and other.host != origin.host and other.host.endswith(f".{domain}"):
                yield one

    def _suffixes(self) -> SuffixList:
        domains = self.catalogue.gateway.lint.domains
        return suffix_list(domains.shared, domains.single_owner)

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


def _is_attack(disposition: Disposition | None) -> bool:
    return disposition is not None and disposition.reason in _ATTACKS


def _server_candidates(settings: Settings, lacks: _Lacks) -> Iterator[Candidate]:
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
                return  # the file is not part of the catalogue
            values[PREFIX + name] = ", ".join((before, *words))
        elif isinstance(before, list | tuple):
            values[PREFIX + name] = [*before, *words]
    try:
        changed = read_settings(values)
    except InvalidInput:
        return
    sentence = lacks.sentence(_SERVER_LISTS, "the server-level settings")
    cautions = ("It holds for every API", *_cautions(lacks.origin))
    yield Candidate(lacks.form, sentence, (PutSettings(changed),), lacks.verdict(), cautions)
