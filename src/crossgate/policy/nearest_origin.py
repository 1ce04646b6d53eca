"""From what somebody wrote to the serialised origin that a browser would send for it."""

from __future__ import annotations

import re
from typing import Final

from crossgate.policy.origin import DEFAULT_PORTS, is_well_formed

_LONGEST: Final = 1000
"""Characters; nobody meant an origin by a longer text, and nothing here need be fast."""

_PARTS: Final = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?:[^/?#]*@)?(?P<host>\[.*\]|[^/?#@:]+)(?::(?:0*(?P<port>[1-9][0-9]{0,4}))?)?(?:[/?#].*)?"
)


def nearest_origin(text: str) -> str | None:
    """The well-formed origin nearest to ``text``, None if there is no telling.

    User information, path, query, fragment and default port are left out; a scheme that is missing is taken
    for https. It is a suggestion to a person: nothing is ever matched with it.
    """
    written = text.strip()
    if len(written) > _LONGEST:
        return None
    parts = _PARTS.fullmatch(written if ":/" in written else f"https://{written}")
    if parts is None:
        return None
    scheme = parts["scheme"].lower()
    host = _punycode(parts["host"])
    default = str(DEFAULT_PORTS.get(scheme, ""))
    port = "" if parts["port"] in (None, default) else f":{parts['port']}"
    origin = f"{scheme}://{host}{port}"
    return origin if is_well_formed(origin) else None


def _punycode(host: str) -> str:
    try:
        return host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
