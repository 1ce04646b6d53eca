"""Header names with a special meaning in the Fetch standard or for security, in lower case."""

from __future__ import annotations

from typing import Final

_FORBIDDEN_REQUEST_HEADERS: Final = frozenset(
    {
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
FORBIDDEN_RESPONSE_HEADERS: Final = frozenset({"set-cookie", "set-cookie2"})
SAFELISTED_RESPONSE_HEADERS: Final = frozenset(
    {
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    }
)
SENSITIVE_RESPONSE_HEADERS: Final = frozenset(
    {
        "authorization",
        "authentication-info",
        "proxy-authorization",
        "x-api-key",
        "x-auth-token",
        "x-access-token",
        "x-refresh-token",
        "x-amz-security-token",
        "x-amzn-remapped-authorization",
    }
)
METHOD_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
_CORS_RESPONSE_HEADERS: Final = ("access-control-allow-", "access-control-expose-", "access-control-max-")


def is_forbidden_request_header(name: str) -> bool:
    """Whether no script can set the header (https://fetch.spec.whatwg.org/#forbidden-request-header)."""
    lower = name.lower()
    return lower in _FORBIDDEN_REQUEST_HEADERS or lower.startswith(("proxy-", "sec-"))


def is_cors_response_header(name: str) -> bool:
    """Whether the header is part of the response to a CORS request."""
    return name.lower().startswith(_CORS_RESPONSE_HEADERS)


def is_request_only(name: str) -> bool:
    """Whether the header occurs in requests only, and browsers set it."""
    lower = name.lower()
    return lower in ("origin", "host", "cookie", "referer") or lower.startswith("access-control-request-")
