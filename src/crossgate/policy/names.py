"""Names of the Fetch and HTTP standards, and the grammar of tokens."""

from __future__ import annotations

import re
from typing import Final

ORIGIN: Final = "Origin"
REQUEST_METHOD: Final = "Access-Control-Request-Method"
REQUEST_HEADERS: Final = "Access-Control-Request-Headers"
SEC_FETCH_SITE: Final = "Sec-Fetch-Site"

ALLOW_ORIGIN: Final = "Access-Control-Allow-Origin"
ALLOW_METHODS: Final = "Access-Control-Allow-Methods"
ALLOW_HEADERS: Final = "Access-Control-Allow-Headers"
ALLOW_CREDENTIALS: Final = "Access-Control-Allow-Credentials"
EXPOSE_HEADERS: Final = "Access-Control-Expose-Headers"
MAX_AGE: Final = "Access-Control-Max-Age"
VARY: Final = "Vary"
ALLOW: Final = "Allow"

CORS_HEADER_PREFIX: Final = "access-control-"
"""The prefix, in lower case, of the response headers of native services that an enforced policy removes."""

NULL: Final = "null"
"""The serialisation of an opaque origin (HTML, serialization of an origin)."""

ANY: Final = "*"

FORBIDDEN_METHODS: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
"""https://fetch.spec.whatwg.org/#forbidden-method; compared without case."""

SCRIPT_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""The methods in ``Allow`` if a policy allows all methods."""

FORWARDED_METHODS: Final = (*SCRIPT_METHODS, "OPTIONS")
"""The methods in ``Allow`` of responses that no policy has a part in."""

TOKEN_PATTERN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
"""A token (RFC 9110, section 5.6.2), in the syntax that RE2 and Python share."""

_TOKEN = re.compile(TOKEN_PATTERN)


def is_token(text: str) -> bool:
    """Whether ``text`` is one token. Methods and header names are tokens."""
    return _TOKEN.fullmatch(text) is not None


def is_forbidden_method(method: str) -> bool:
    """Whether Fetch forbids the method to scripts, in any case of letters."""
    return method.upper() in FORBIDDEN_METHODS
