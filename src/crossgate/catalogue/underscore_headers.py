"""Header names with an underscore: which of them the gateway removes where it accepts them.

Programs that turn header names into variables (CGI, WSGI, Rack, PHP, servlet filters) read ``X_Real_IP`` as
``X-Real-IP``. So a name must not arrive that such a program would read as one that the gateway sets, removes
or judges, or that says where the body ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from crossgate.policy.request import HEADERS


class UnderscoreHeaders(StrEnum):
    """What to do with requests that have a header name with an underscore."""

    REJECT = "reject"
    ALLOW = "allow"


PROTECTED_HEADERS: Final = (
    *sorted(name.lower() for name in HEADERS),
    # What says where the body ends, or belongs to the connection.
    "content-length",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    # Set.
    "x-crossgate-path",
    "x-request-id",
    # Removed.
    "cf-connecting-ip",
    "client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
)
"""The names of which no spelling with underscores arrives; those of :data:`PROTECTED_PREFIXES` aside."""

PROTECTED_PREFIXES: Final = ("x-envoy", "x-forwarded")
"""Envoy sets or removes many headers that begin so: no name that begins so and has an underscore arrives."""

DROPPED_PREFIX: Final = "x_"
"""Every name that begins so is removed, whatever follows: most protected names begin with ``x-``."""


def _spellings(name: str) -> Iterator[str]:
    """Expressions for the spellings of the name with underscores, each with another first one."""
    parts = name.split("-")
    for number in range(1, len(parts)):
        yield "-".join(parts[:number]) + "_" + "[-_]".join(parts[number:])


DROPPED_PATTERN: Final = "|".join(
    (
        f"{DROPPED_PREFIX}.*",
        *(rf"{prefix}(?:-[^_]*)?_.*" for prefix in PROTECTED_PREFIXES),
        *(
            spelling
            for name in PROTECTED_HEADERS
            for spelling in _spellings(name)
            if not spelling.startswith(DROPPED_PREFIX)
        ),
    )
)
"""In the syntax that RE2 and Python share, a whole name in lower case that is removed."""

_DROPPED: Final = re.compile(DROPPED_PATTERN)


def is_dropped(name: str) -> bool:
    """Whether the gateway removes a request header of that name where it accepts underscores."""
    return _DROPPED.fullmatch(name.lower()) is not None
