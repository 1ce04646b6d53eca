"""Every object in which origins can be written, as a subject of the rules.

In the linter, only this file knows where origins stand: in policies, in server-level settings, in
applications, and in the public origins of the gateway. The test
``tests/unit/lint/test_every_origin_is_linted.py`` finds fields that are missing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, DomainOwnership, Gateway, Settings
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.diagnostics import Place, Step
from crossgate.lint.proof import suffix_list
from crossgate.lint.rule import Finding
from crossgate.lint.subject import Subject, SubjectKind
from crossgate.policy import CorsPolicy, ExactOrigin, Mode, RegexOrigin, ServerPolicy
from crossgate.policy.server_cors import PREFIX

LintedObject = Api | Application | Gateway | Settings

_SETTINGS: Final = {
    "allowed_origins": f"{PREFIX}allowedOrigins",
    "allowed_methods": f"{PREFIX}supportedMethods",
    "allow_headers": f"{PREFIX}supportedHeaders",
    "expose_headers": f"{PREFIX}exposedHeaders",
    "allow_credentials": f"{PREFIX}supportsCredentials",
    "max_age": f"{PREFIX}maxAge",
}
"""The settings by the properties of a policy that they stand for."""
_KEYS: Final[Mapping[SubjectKind, Mapping[str, str]]] = {
    SubjectKind.API: {},
    SubjectKind.SETTINGS: _SETTINGS,
    SubjectKind.GATEWAY: {"allowed_origins": "public_origins"},
    SubjectKind.APPLICATION: {"allowed_origins": "javascript_origins"},
}
_NO_CHANGES: Final = DomainOwnership()
_PROPERTY: Final = re.compile(r"\b(?:" + "|".join(_SETTINGS) + r")\b")


@dataclass(frozen=True, slots=True)
class Context:
    """What bears on an object from others."""

    application_origins: frozenset[str] = frozenset()
    """Of an API: the origins of its applications that are not suspended."""
    native_cors: bool | None = None
    """Of an API: whether its native service does CORS itself; None if nothing is known of it."""
    credentialed: frozenset[tuple[str, Mode]] = frozenset()
    """Of an application: the APIs that allow its origins to send credentials. One that enforces its policy is
    named with both modes, so that enforcing more is a superset."""
    underscore_headers: UnderscoreHeaders = UnderscoreHeaders.REJECT
    """Of an API and the settings: the gateway's setting of that name."""
    domains: DomainOwnership = _NO_CHANGES
    """What the gateway object says about shared domains."""


def common_context(catalogue: Catalogue) -> Context:
    """What bears on all objects: settings of the gateway object."""
    gateway = catalogue.gateway
    return Context(underscore_headers=gateway.underscore_headers, domains=gateway.lint.domains)


def linted_objects(catalogue: Catalogue) -> Iterator[tuple[str, Mapping[str, LintedObject]]]:
    """Every object that can contain origins: each section of a document, with its objects by key.

    The key of an object that is a whole section is empty.
    """
    yield "gateway", {"": catalogue.gateway}
    yield "settings", {"": catalogue.settings}
    yield "apis", catalogue.apis
    yield "applications", catalogue.applications


def credentialed_apis(application: Application, apis: Mapping[str, Api]) -> frozenset[tuple[str, Mode]]:
    """The application's APIs whose policies allow credentials: see :attr:`Context.credentialed`."""
    return frozenset(
        (key, mode)
        for key in application.apis
        if key in apis and (policy := apis[key].cors) is not None and policy.allow_credentials
        for mode in {Mode.OBSERVE, policy.mode}
    )


def subject_of(found: LintedObject, context: Context) -> Subject | None:
    """What the rules examine of an object; None if it has nothing that a rule looks at."""
    subject = _subject_of(found, context)
    if subject is None or context.domains == _NO_CHANGES:
        return subject
    domains = context.domains
    return replace(subject, suffixes=suffix_list(domains.shared, domains.single_owner))


def _subject_of(found: LintedObject, context: Context) -> Subject | None:
    match found:
        case Api():
            if found.cors is None:
                return None
            return Subject(
                found.cors,
                context.application_origins,
                found.trusted_domains,
                context.native_cors,
                underscore_headers=context.underscore_headers,
            )
        case Application():
            policy = _exact_origins(found.javascript_origins, credentials=bool(context.credentialed))
            return Subject(policy, application=found, kind=SubjectKind.APPLICATION)
        case Gateway():
            # A request from a public origin passes unjudged, with whatever credentials it has.
            policy = _exact_origins(found.public_origins, credentials=True)
            if not found.public_origins and not found.trusted_proxies:
                return None
            return Subject(policy, kind=SubjectKind.GATEWAY, trusted_proxies=found.trusted_proxies)
        case Settings():
            server = found.policy or found.disabled_policy
            if server is None:
                return None
            policy, underscores = _as_policy(server), context.underscore_headers
            return Subject(policy, kind=SubjectKind.SETTINGS, underscore_headers=underscores)


def _exact_origins(origins: tuple[str, ...], *, credentials: bool) -> CorsPolicy:
    return CorsPolicy(tuple(map(ExactOrigin, origins)), allow_credentials=credentials)


def _as_policy(server: ServerPolicy) -> CorsPolicy:
    return CorsPolicy(
        allowed_origins=server.allowed_origins,
        allowed_methods=server.supported_methods,
        allow_headers=server.supported_headers,
        expose_headers=server.exposed_headers,
        allow_credentials=server.supports_credentials,
        max_age=None if server.max_age < 0 else server.max_age,
    )


def placed(finding: Finding, found: LintedObject, subject: Subject) -> Finding:
    """The finding with its place in the object instead of in the subject's policy, and in its spelling."""
    what = finding.diagnostic
    path = what.place.path
    keys = _KEYS[subject.kind]
    match found:
        case Api():
            # The trusted domains stand beside the policy.
            return finding if path[:1] == ("trusted_domains",) else finding.within("cors")
        case Settings(values=values):
            finding = _spelled(finding, subject)
            steps = _step_in_settings(values, keys[str(path[0])], path[1:]) if path else ()
        case _:
            steps = (keys.get(str(path[0]), path[0]), *path[1:]) if path else ()
    return replace(finding, diagnostic=replace(finding.diagnostic, place=Place(steps)))


def _step_in_settings(values: Mapping[str, object], key: str, index: tuple[Step, ...]) -> tuple[Step, ...]:
    """The place of a word of a setting: of the whole value, if that is a string or a file's name."""
    value = values.get(key)
    if not index or not isinstance(value, list | tuple):
        return (key,)
    return key, [position for position, word in enumerate(value) if word][int(index[0])]


def _spelled(finding: Finding, subject: Subject) -> Finding:
    """The finding with the names of settings instead of properties, and with ``r:`` before expressions."""
    what, fix = finding.diagnostic, finding.fix
    path, found, remedy = what.place.path, what.found, what.remedy
    if (
        path[:1] == ("allowed_origins",)
        and len(path) > 1
        and isinstance(subject.entries[int(path[1])].pattern, RegexOrigin)
    ):
        found = f"r:{found}"
        if fix is not None:
            fix, remedy = f"r:{fix}", remedy.replace(f"Write {fix}", f"Write r:{fix}")
    remedy = _PROPERTY.sub(lambda property_: _SETTINGS[property_.group()], remedy)
    return Finding(replace(what, found=found, remedy=remedy), finding.witness, fix)
