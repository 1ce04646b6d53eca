"""The CORS filter of an HTTPRoute (https://gateway-api.sigs.k8s.io/geps/gep-1767/) as a policy."""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.cors_values import (
    SAFELISTED_METHODS,
    boolean_of,
    methods_of,
    names_of,
    origins_of,
    seconds_of,
    stars_of,
)
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.policy.names import ANY
from crossgate.policy.re2 import quote

DEFAULT_MAX_AGE: Final = 5
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^:/?#]+)(?::(?P<port>[0-9]{1,5}))?"
)


def policy_of(cors: Cursor, problems: list[Diagnostic]) -> FoundPolicy:
    """The policy of a filter; ``cors`` is its field of that name."""
    methods = methods_of(cors["allowMethods"], "allowMethods", problems)
    listed = {found.value for found in methods}
    if ANY not in listed:
        reason = "always allowed by the Gateway API"
        methods += tuple(Found(name, cors.place, reason) for name in SAFELISTED_METHODS if name not in listed)
    policy = FoundPolicy(
        origins=tuple(
            Found(_origin(found.value), found.place, found.reason)
            for found in origins_of(cors["allowOrigins"], "allowOrigins", problems)
        ),
        methods=methods,
        allow_headers=names_of(cors["allowHeaders"], "allowHeaders", problems),
        expose_headers=names_of(cors["exposeHeaders"], "exposeHeaders", problems),
        credentials=boolean_of(cors["allowCredentials"], "allowCredentials", problems),
        max_age=seconds_of(cors["maxAge"], "maxAge", problems)
        or Found(DEFAULT_MAX_AGE, cors.place, "default of the Gateway API"),
    )
    problems += stars_of(policy, "a Gateway")
    if not policy.origins:
        problems.append(
            cors.diagnose(
                "cors-without-origins",
                "the filter names no origin: nobody is allowed",
                "Add the origins of your pages to allowed_origins",
                Severity.INFO,
            )
        )
    return policy


def _origin(text: str) -> FoundOrigin:
    """The origin without a default port; a wildcard stands for any number of labels, wherever it is.

    Crossgate's own wildcard is a whole label or more, and the first thing in the host.
    """
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        return text
    scheme, host, port = parts["scheme"], parts["host"], parts["port"]
    if port == _DEFAULT_PORTS.get(scheme):
        port = None
    end = "" if port is None else f":{port}"
    rest = host.removeprefix("*.")
    if ANY not in rest and rest:
        return f"{scheme}://{host}{end}"
    anything = "[^:]+" if host == ANY else "[^:]*"
    return {"regex": f"{quote(scheme)}://{anything.join(map(quote, host.split(ANY)))}{end}"}
