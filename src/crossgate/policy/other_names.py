"""What other gateways and libraries call the properties of a policy, for the error of an unknown key.

The names are those in the documentation of nginx ingress, Kong, Apache APISIX, Traefik, Envoy and Istio,
Spring Cloud Gateway, AWS (API Gateway, S3, Lambda), Azure API Management, Express ``cors``, Starlette and
FastAPI, Flask-CORS, django-cors-headers and rs/cors. Case, ``-`` and ``_`` make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_REGEX: Final = "allowed_origins with {regex: ...} for each expression"

_NAMES: Final[Mapping[str, str]] = {
    "allowed_origins": (
        "allow_origin allow_origins allowed_origin allowed_origin_list allow_origin_list origin origins"
    ),
    _REGEX: (
        "allow_origin_regex allow_origins_regex allow_origins_by_regex allow_origin_list_regex "
        "allowed_origin_regex allowed_origin_regexes allowed_origins_regex allowed_origin_patterns "
        "allow_origin_string_match origin_regex origin_patterns"
    ),
    "allowed_methods": "allow_method allow_methods allowed_method methods supported_methods",
    "allow_headers": "allow_header allowed_header allowed_headers headers request_headers supported_headers",
    "expose_headers": "expose_header exposed_header exposed_headers",
    "allow_credentials": (
        "allow_credential allowed_credentials credential credentials supports_credentials support_credentials"
    ),
    "max_age": "max_age_seconds max_age_sec preflight_max_age preflight_result_max_age age",
    "plain_options: forward, which forwards OPTIONS requests that are not preflights": (
        "preflight_continue option_passthrough options_passthrough"
    ),
    "the property for the header that it adds": "add_header add_headers more_set_headers",
    "mode: observe, which refuses nothing": "shadow_enabled dry_run",
}


def _spellings() -> Iterator[tuple[str, str]]:
    for ours, names in _NAMES.items():
        for name in names.split():
            yield name, ours
            yield f"cors_{name}", ours
            yield f"access_control_{name}", ours
        if ours.isidentifier():
            yield f"cors_{ours}", ours
            yield f"access_control_{ours}", ours


OTHER_NAMES: Final[Mapping[str, str]] = dict(_spellings())
"""The name in another product, and what to write instead of it."""
