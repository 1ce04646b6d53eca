"""The request header by which the gateway talks to itself: natives never see it, and clients cannot set it.

Every listener overwrites or consumes it before a route reads it, so a client's value is never believed.
"""

from __future__ import annotations

from typing import Final

LOOKUP_HEADER: Final = "x-crossgate-path"
"""The normalised path without its query, from which an API is looked up. It begins with a slash, unless the
request has passed server-level CORS: then :data:`SERVER_CORS_PASSED` stands in front of that slash."""

SERVER_CORS_PASSED: Final = "passed"
"""Set on what server-level CORS forwards to the inner listener."""

PRIVATE_HEADERS: Final = (LOOKUP_HEADER,)
