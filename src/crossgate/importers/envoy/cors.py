"""Envoy's CORS policies: those of a route, its virtual host and its route configuration, taken together.

The most specific policy says whether the filter is enabled. Each property comes from the most specific policy
that has it (source/extensions/filters/http/cors/cors_filter.cc). Policies in ``cors``, the field of old
versions, count only if there is none in ``typed_per_filter_config``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.cors_values import (
    SAFELISTED_METHODS,
    boolean_of,
    methods_of,
    names_of,
    seconds_of,
    stars_of,
    without_literal_stars,
)
from crossgate.importers.cursor import Cursor
from crossgate.importers.envoy.fields import field, is_type
from crossgate.importers.envoy.origins import origins_of
from crossgate.importers.found import Found, FoundPolicy

FILTER_NAMES: Final = frozenset(("envoy.filters.http.cors", "envoy.cors"))
_DENOMINATORS: Final = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


@dataclass(frozen=True, slots=True)
class _Share:
    """The part of requests for which something is enabled."""

    numerator: int
    denominator: int = 100


def policy_of(
    owners: Sequence[Cursor],
    problems: list[Diagnostic],
    known: dict[tuple[object, ...], FoundPolicy | None],
) -> FoundPolicy | None:
    """The policy of a route; ``owners`` are the route and what it is in, the most specific first.

    None if there is none, or the filter is disabled. ``known`` has what was read for other routes.
    """
    policies = [found for owner in owners for found in _typed(owner)]
    policies = policies or [cors for owner in owners if isinstance((cors := owner["cors"]).value, dict)]
    key = tuple(policy.path for policy in policies)
    if key not in known:
        known[key] = _read(policies, problems)
    return known[key]


def _read(policies: Sequence[Cursor], problems: list[Diagnostic]) -> FoundPolicy | None:
    if not policies or not _is_enabled(policies[0], problems):
        return None
    methods = _methods(policies, problems)
    origins = _first(policies, "allow_origin_string_match", "allow_origin", "allow_origin_regex")
    headers, exposed, age, credentials = (
        _first(policies, name) for name in ("allow_headers", "expose_headers", "max_age", "allow_credentials")
    )
    policy = FoundPolicy(
        origins=() if origins is None else origins_of(origins, "allowed origin of Envoy", problems),
        methods=methods,
        allow_headers=_names(headers, "allow_headers", problems),
        expose_headers=_names(exposed, "expose_headers", problems),
        credentials=None
        if credentials is None
        else boolean_of(field(credentials, "allow_credentials"), "allow_credentials", problems),
        max_age=None if age is None else seconds_of(field(age, "max_age"), "max_age", problems),
    )
    policy = without_literal_stars(policy, problems, reflected_alone=True)
    problems += stars_of(policy, "Envoy")
    private = _first(policies, "allow_private_network_access")
    if private is not None and field(private, "allow_private_network_access").value is True:
        problems.append(
            field(private, "allow_private_network_access").diagnose(
                "private-network-access",
                "private network access is not taken over: Crossgate does not answer such preflights",
                "Serve the pages from the same network, or keep that route on Envoy",
            )
        )
    return policy


def _typed(owner: Cursor) -> list[Cursor]:
    found = []
    for name, config in field(owner, "typed_per_filter_config").items():
        message = config
        if is_type(config, "FilterConfig"):
            if config["disabled"].value is True and name in FILTER_NAMES:
                return [config]
            message = config["config"]
        if is_type(message, "CorsPolicy") or (name in FILTER_NAMES and not message["@type"].exists):
            found.append(message)
    return found


def _first(policies: Sequence[Cursor], *names: str) -> Cursor | None:
    """The most specific policy with one of the fields."""
    for policy in policies:
        if any(field(policy, name).value not in (None, "", []) for name in names):
            return policy
    return None


def _names(policy: Cursor | None, name: str, problems: list[Diagnostic]) -> tuple[Found[str], ...]:
    return () if policy is None else names_of(field(policy, name), name, problems)


def _methods(policies: Sequence[Cursor], problems: list[Diagnostic]) -> tuple[Found[str], ...]:
    policy = _first(policies, "allow_methods")
    if policy is not None:
        return methods_of(field(policy, "allow_methods"), "allow_methods", problems)
    reason = "no allow_methods: browsers still accept GET, HEAD and POST"
    return tuple(Found(name, policies[0].place, reason) for name in SAFELISTED_METHODS)


def _is_enabled(policy: Cursor, problems: list[Diagnostic]) -> bool:
    if is_type(policy, "FilterConfig") or policy["enabled"].value is False:
        return False
    enabled, shadow = _share(field(policy, "filter_enabled")), _share(field(policy, "shadow_enabled"))
    if enabled is not None and enabled.numerator < enabled.denominator:
        if enabled.numerator > 0:
            problems.append(
                field(policy, "filter_enabled").diagnose(
                    "cors-for-a-share",
                    "Envoy applies the policy to a share of requests, Crossgate to all",
                    "Set mode: observe for this API while you try the policy",
                )
            )
            return True
        if shadow is None or shadow.numerator == 0:
            return False
        problems.append(
            field(policy, "shadow_enabled").diagnose(
                "cors-in-shadow",
                "Envoy evaluates the policy and does not apply it; here it would be enforced",
                "Set mode: observe for this API, or import with --observe",
            )
        )
    return True


def _share(fraction: Cursor) -> _Share | None:
    default = field(fraction, "default_value")
    if not default.exists:
        return None
    numerator = default["numerator"].value
    denominator = _DENOMINATORS.get(str(default["denominator"].value), 100)
    return _Share(numerator if isinstance(numerator, int) else 0, denominator)


def lacks_filter(manager: Cursor) -> bool:
    """Whether the connection manager lists its filters, and the one for CORS is not among them."""
    filters = list(field(manager, "http_filters").entries())
    return bool(filters) and not any(
        one["name"].value in FILTER_NAMES or is_type(field(one, "typed_config"), "Cors") for one in filters
    )


def differences(place: Place) -> Diagnostic:
    """What is different under Crossgate for every route with a policy."""
    return Diagnostic(
        "behaviour-differs",
        "Envoy only decorates responses; Crossgate refuses requests that the policy does not allow",
        "Import with --observe first if clients may depend on that",
        place,
        severity=Severity.INFO,
    )
