"""CORS extensions of WSO2, Kong, Tyk, Google, IBM and Zuplo in OpenAPI descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.combine import strictest, values_of
from crossgate.importers.cors_values import (
    SAFELISTED_METHODS,
    boolean_of,
    methods_of,
    names_of,
    seconds_of,
    stars_of,
    values_at,
)
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.importers.kong.cors_plugin import read_cors_plugin
from crossgate.policy.names import ANY
from crossgate.policy.re2 import quote

WSO2: Final = "x-wso2-cors"
KONG: Final = "x-kong-plugin-cors"
TYK: Final = "x-tyk-api-gateway"


def read_wso2(root: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    """The policy in ``x-wso2-cors``; it is enabled unless it says otherwise."""
    cors = root[WSO2]
    if not isinstance(cors.value, dict):
        return None
    if cors["corsConfigurationEnabled"].value is False:
        problems.append(_disabled(cors["corsConfigurationEnabled"]))
        return None
    policy = FoundPolicy(
        origins=names_of(cors["accessControlAllowOrigins"], "accessControlAllowOrigins", problems),
        methods=methods_of(cors["accessControlAllowMethods"], "accessControlAllowMethods", problems),
        allow_headers=names_of(cors["accessControlAllowHeaders"], "accessControlAllowHeaders", problems),
        expose_headers=names_of(cors["accessControlExposeHeaders"], "accessControlExposeHeaders", problems),
        credentials=boolean_of(
            cors["accessControlAllowCredentials"], "accessControlAllowCredentials", problems
        ),
        max_age=seconds_of(cors["accessControlMaxAge"], "accessControlMaxAge", problems),
    )
    problems += stars_of(policy, "WSO2's gateway")
    return policy


def _disabled(at: Cursor) -> Diagnostic:
    return at.diagnose(
        "vendor-cors-disabled",
        "the extension turns CORS off: the API gets the suggested policy, which names no origin",
        "Remove cors from the API for pass-through",
        Severity.INFO,
    )


def read_tyk(root: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    """The policy in ``x-tyk-api-gateway``, which Tyk gives to the package rs/cors.

    Empty lists have its defaults (https://tyk.io/docs/api-management/security-features/), a ``*`` in an
    origin stands for any characters, and methods are compared in upper case.
    """
    cors = root[TYK]["middleware"]["global"]["cors"]
    if cors["enabled"].value is not True:
        return None
    listed = names_of(cors["allowedOrigins"], "allowedOrigins", problems)
    origins: tuple[Found[FoundOrigin], ...] = tuple(
        Found(_tyk_origin(found.value.lower()), found.place, found.reason) for found in listed
    ) or (Found(ANY, cors.place, "no allowedOrigins: Tyk allows every origin"),)
    methods = tuple(
        Found(found.value.upper(), found.place, found.reason)
        for found in methods_of(cors["allowedMethods"], "allowedMethods", problems)
        if found.value != ANY  # no method has that name
    )
    if not cors["allowedMethods"].value:
        methods = tuple(Found(name, cors.place, "default of Tyk") for name in SAFELISTED_METHODS)
    headers = names_of(cors["allowedHeaders"], "allowedHeaders", problems) or tuple(
        Found(name, cors.place, "default of Tyk") for name in ("Accept", "Content-Type", "X-Requested-With")
    )
    age = seconds_of(cors["maxAge"], "maxAge", problems)
    policy = FoundPolicy(
        origins=origins,
        methods=methods,
        allow_headers=headers,
        expose_headers=names_of(cors["exposedHeaders"], "exposedHeaders", problems),
        credentials=boolean_of(cors["allowCredentials"], "allowCredentials", problems),
        max_age=age if age is not None and age.value else None,  # Tyk sends no 0
    )
    problems += stars_of(policy, "Tyk")
    return policy


def _tyk_origin(text: str) -> FoundOrigin:
    before, star, after = text.partition(ANY)
    if not star or text == ANY or re.fullmatch(r"https?://\*\.[^*]+", text):
        return text
    # A dot in the host, a port or a slash: the star of Tyk covers all of them.
    return {"regex": f"{_quoted(before)}.*{_quoted(after)}"}


def _quoted(text: str) -> str:
    return quote(text).replace("\\:", ":")


def read_kong(root: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    """The strictest of the plugins of the description, its paths and its operations."""
    plugins = list(_kong_plugins(root))
    policies = []
    for plugin in plugins:
        if plugin["enabled"].value is False:
            problems.append(_disabled(plugin["enabled"]))
            continue
        read = read_cors_plugin(plugin, plugin.first("config") if plugin["config"].exists else plugin)
        problems += read.diagnostics
        policies.append(read.policy)
    if len({repr(values_of(policy)) for policy in policies}) > 1:
        problems.append(
            plugins[0].diagnose(
                "policies-combined",
                "paths or operations have policies of their own; the API gets what all of them allow",
                "Check the policy of the API",
            )
        )
    at_root = root[KONG].exists
    return strictest(policies if at_root or not policies else [*policies, None])


def _kong_plugins(root: Cursor) -> Iterator[Cursor]:
    owners = [root]
    for item in values_at(root["paths"]):
        owners += [item, *values_at(item)]
    for owner in owners:
        if isinstance(owner[KONG].value, dict):
            yield owner[KONG]


def google_native_cors(root: Cursor) -> Iterator[Found[str]]:
    """What says that Google's proxy forwards preflights to the backend, which does CORS itself."""
    owners = [*root["x-google-endpoints"].entries(), root["x-google-endpoint"]]
    owners += [server["x-google-endpoint"] for server in root["servers"].entries()]
    for owner in owners:
        allow = owner["allowCors"]
        if allow.value is True:
            yield Found(
                "allowCors", allow.place, "allowCors: the proxy forwards OPTIONS to the native service"
            )


def unread_extensions(root: Cursor) -> Iterator[Diagnostic]:
    """Extensions that turn CORS on without naming what is allowed."""
    ibm = root["x-ibm-configuration"]["cors"]
    zuplo = [
        operation["x-zuplo-route"]["corsPolicy"]
        for item in values_at(root["paths"])
        for operation in values_at(item)
    ]
    for at in [ibm if ibm["enabled"].value is True or isinstance(ibm.value, list) else ibm["-"], *zuplo]:
        if at.exists and at.value != "none":
            yield at.diagnose(
                "vendor-cors-unread",
                "the extension turns CORS on, and is not read: the policy names no origin",
                "Add the origins of your pages to allowed_origins",
            )
