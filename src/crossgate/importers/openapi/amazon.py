"""CORS in descriptions for Amazon API Gateway: of HTTP APIs, and of REST APIs.

HTTP APIs have ``x-amazon-apigateway-cors`` at the root
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html). REST APIs answer preflights
with ``OPTIONS`` operations whose integration is a mock, and whose response headers are literals in quotes
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html). Both send ``*`` as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.combine import strictest, values_of
from crossgate.importers.cors_values import (
    boolean_of,
    methods_of,
    names_of,
    origins_of,
    seconds_of,
    values_at,
    without_literal_stars,
)
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.policy.names import ANY

HTTP_API: Final = "x-amazon-apigateway-cors"
_GATEWAY_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
_INTEGRATION: Final = "x-amazon-apigateway-integration"
_ANY_METHOD: Final = "x-amazon-apigateway-any-method"
_METHODS: Final = ("get", "put", "post", "delete", "head", "patch")
_PARTS: Final = (
    "allow-origin",
    "allow-methods",
    "allow-headers",
    "expose-headers",
    "allow-credentials",
    "max-age",
)
_HEADER: Final = re.compile(r"method\.response\.header\.access-control-([a-z-]+)", re.IGNORECASE)


def read_http_api(root: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    """The policy of an HTTP API; None if the description has none."""
    cors = root[HTTP_API]
    if not cors.exists:
        return None
    if not isinstance(cors.value, dict):
        problems.append(cors.unexpected("a mapping"))
        return FoundPolicy()
    policy = FoundPolicy(
        origins=tuple(
            Found(_origin(found.value), found.place, found.reason)
            for found in origins_of(cors["allowOrigins"], "allowOrigins", problems)
        ),
        methods=methods_of(cors["allowMethods"], "allowMethods", problems),
        allow_headers=names_of(cors["allowHeaders"], "allowHeaders", problems),
        expose_headers=names_of(cors["exposeHeaders"], "exposeHeaders", problems),
        credentials=boolean_of(cors["allowCredentials"], "allowCredentials", problems),
        max_age=seconds_of(cors["maxAge"], "maxAge", problems),
    )
    return without_literal_stars(policy, problems)


def _origin(text: str) -> FoundOrigin:
    """``https://*`` stands for every origin that begins so."""
    found = re.fullmatch(r"(https?)://\*", text)
    return {"regex": f"{found[1]}://.*"} if found else text


def read_rest_api(root: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    """What the preflight responses of all paths of a REST API allow; None if the description has none.

    A method counts if no path that has it as an operation leaves it out of its own response.
    """
    paths = [item for name, item in root["paths"].items() if name.startswith("/")]
    mocks = {item.path: _mock(item) for item in paths}
    given = {path: mock for path, mock in mocks.items() if mock is not None}
    if not given:
        return None
    policies = {path: _rest_policy(mock, problems) for path, mock in given.items()}
    every_method = list(
        {found.value: found for policy in policies.values() for found in policy.methods}.values()
    )
    combined = strictest(
        [
            _with_absent_methods(item, policies[item.path], every_method) if item.path in policies else None
            for item in paths
            if item.path in policies or _has_operations(item)
        ]
    )
    problems += (
        item.diagnose(
            "path-without-cors",
            "the path answers no preflight, so that no origin is allowed for the whole API",
            "Add the origins of pages that may call the path to allowed_origins",
        )
        for item in paths
        if item.path not in policies and _has_operations(item)
    )
    if len({repr(values_of(policy)) for policy in policies.values()}) > 1:
        first = next(iter(given.values()))
        problems.append(
            first.diagnose(
                "policies-combined",
                "paths have different policies; the API gets what all of them allow",
                "Check the policy of the API",
                Severity.INFO if combined is not None and combined.origins else Severity.WARNING,
            )
        )
    return combined


def error_responses(root: Cursor) -> Iterator[Diagnostic]:
    """CORS headers that the gateway adds to its own error responses."""
    for response in values_at(root[_GATEWAY_RESPONSES]):
        for name, value in response["responseParameters"].items():
            if name.lower() == "gatewayresponse.header.access-control-allow-origin":
                yield value.diagnose(
                    "error-response-cors",
                    "CORS headers of the gateway's own error responses are not taken over: the policy "
                    "decides which origins can read responses",
                    "Nothing to do",
                    Severity.INFO,
                )


def _has_operations(item: Cursor) -> bool:
    return any(item[name].exists for name in (*_METHODS, _ANY_METHOD))


def _mock(item: Cursor) -> Cursor | None:
    integration = item["options"][_INTEGRATION]
    return integration if str(integration["type"].value).lower() == "mock" else None


def _with_absent_methods(item: Cursor, policy: FoundPolicy, methods: list[Found[str]]) -> FoundPolicy:
    """The policy with the methods that the path does not have as operations: there is nothing to allow."""
    allowed = {found.value for found in policy.methods}
    absent = (
        found
        for found in methods
        if found.value not in allowed
        and not item[found.value.lower()].exists
        and not item[_ANY_METHOD].exists
        and found.value != ANY
    )
    return replace(policy, methods=(*policy.methods, *absent))


def _rest_policy(integration: Cursor, problems: list[Diagnostic]) -> FoundPolicy:
    """What all responses allow that have CORS headers: which one is sent is not known."""
    policies = [
        _response_policy(integration, headers, problems)
        for response in values_at(integration["responses"])
        if (headers := dict(_literals(response, problems)))
    ]
    return strictest(policies) or _response_policy(integration, {}, problems)


def _response_policy(
    integration: Cursor, headers: Mapping[str, Cursor], problems: list[Diagnostic]
) -> FoundPolicy:
    missing = Cursor(integration.tree, integration.path)
    parts = {name: headers.get(name, missing) for name in _PARTS}
    reason = "preflight response of a mock integration"
    policy = FoundPolicy(
        origins=origins_of(parts["allow-origin"], reason, problems),
        methods=methods_of(parts["allow-methods"], reason, problems),
        allow_headers=names_of(parts["allow-headers"], reason, problems),
        expose_headers=names_of(parts["expose-headers"], reason, problems),
        credentials=boolean_of(parts["allow-credentials"], reason, problems),
        max_age=seconds_of(parts["max-age"], reason, problems),
    )
    return without_literal_stars(policy, problems)


def _literals(response: Cursor, problems: list[Diagnostic]) -> Iterator[tuple[str, Cursor]]:
    """The CORS headers that the response sets to literals, by the rest of their names in lower case."""
    for name, value in response["responseParameters"].items():
        header = _HEADER.fullmatch(name)
        if header is None:
            continue
        literal = re.fullmatch("'(.*)'", str(value.value))
        if literal is None:
            problems.append(
                value.diagnose(
                    "header-not-literal",
                    "the header is not a literal in quotes: its value is not known, and left out",
                    "Set the property of the policy",
                )
            )
        else:
            yield header[1].lower(), Cursor(value.tree, value.path, literal[1])
