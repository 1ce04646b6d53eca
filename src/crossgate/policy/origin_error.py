"""Why a string in a policy is not a serialised origin, and what to write instead."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import (
    DEFAULT_PORTS,
    HOST_PATTERN,
    SCHEME_PATTERN,
    Origin,
    is_hostless,
    is_well_formed,
)

_SCHEME: Final = re.compile(SCHEME_PATTERN)
_HOST: Final = re.compile(HOST_PATTERN)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")

_LONGEST: Final = 1000
"""Characters of the longest string for which an origin is suggested."""

_PARTS: Final = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?:[^/?#]*@)?(?P<host>\[.*\]|[^/?#@:]+)(?::(?:0*(?P<port>[1-9][0-9]{0,4}))?)?(?:[/?#].*)?"
)

_PAGE_SCHEMES: Final = {"ws": "http", "wss": "https", "wss?": "https?", "ftp": "https"}
"""The scheme of the page that opens a WebSocket; ``wss?`` is that of an expression. Browsers show no FTP."""
_NO_PAGE: Final = re.compile(r"(?P<start>\^?)(?P<scheme>wss\?|wss?|ftp)(?=:)")

_EXTENSION: Final = re.compile(r"(chrome-extension)://\*(?:/\*?)?")

_HOSTLESS_PARTS: Final = re.compile(r"([^:/?#]+://\.?)(?:[/?#]|$)")


def find_origin_error(text: str) -> Diagnostic | None:
    """The reason why ``text`` is not an exact origin; None if it is one, with a host or without.

    Stricter than :func:`is_well_formed` in two points. A ``*`` is a legal character of a host (URL,
    forbidden domain code points), but in a policy it is meant as a wildcard. And an IPv6 address must be in
    the one form that browsers serialise: in another form the entry would never match.
    """
    if text.lower() == NULL:
        return origin_invalid(text, "is not exact", "In the policy of an API, null allows opaque origins")
    foreign = _find_foreign_notation(text)
    if foreign is not None:
        return foreign
    if ANY in text:
        return origin_invalid(
            text,
            "has a wildcard where none is possible",
            "Wildcards are https://*.example.com, https://example.com:* and * alone, in the policy of an API;"
            " for anything else use a regular expression there: {regex: ...}",
        )
    if is_hostless(text):
        return None
    if is_well_formed(text):
        return _find_ipv6_error(text)
    reason = _find_shape_error(text) or _find_spelling_error(text) or _find_part_error(text)
    nearest = nearest_origin(text)
    if nearest is None or _find_ipv6_error(nearest) is not None:
        return origin_invalid(
            text, reason, "Write scheme://host[:port] as browsers send it: https://example.com"
        )
    return origin_invalid(text, reason, f"Browsers send {nearest}: write that")


def _find_foreign_notation(text: str) -> Diagnostic | None:
    """The error of a network, and of a wildcard for all extensions."""
    if _is_network(text):
        return origin_invalid(
            text,
            "is a range of addresses, which is not possible",
            "List the addresses, or write a regular expression in the policy of an API: {regex: ...}",
        )
    extension = _EXTENSION.fullmatch(text)
    if extension is not None:
        return origin_invalid(
            text,
            "names no extension",
            f"Write the extension's ID: {extension[1]}://abcdefghijklmnopabcdefghijklmnop",
        )
    return None


def _is_network(text: str) -> bool:
    address, slash, prefix = text.removeprefix("http://").removeprefix("https://").partition("/")
    if not slash or len(text) > _LONGEST or not re.fullmatch("[0-9]{1,3}", prefix):
        return False
    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def origin_invalid(text: str, reason: str, remedy: str) -> Diagnostic:
    """The refusal of an origin; ``reason`` continues the words "the origin"."""
    return Diagnostic("origin-invalid", f"the origin {reason}", remedy, found=printable(text))


def printable(text: str) -> str:
    """The string, with half surrogate pairs escaped: JSON can spell them, but no response can carry them."""
    return text.encode("utf-8", "backslashreplace").decode()


def _find_ipv6_error(text: str) -> Diagnostic | None:
    if "[" not in text:
        return None
    origin = Origin.of(text)
    canonical = f"[{_serialise_ipv6(origin.host[1:-1])}]"
    if origin.host == canonical:
        return None
    serialised = Origin(origin.scheme, canonical, origin.port)
    return origin_invalid(
        text, "has an IPv6 address in a form that browsers do not send", f"Write {serialised}"
    )


def _serialise_ipv6(text: str) -> str:
    """URL, IPv6 serializer. Unlike Python's own form it never ends in a dotted quad."""
    address = ipaddress.IPv6Address(text)
    if address.ipv4_mapped is None:
        return address.compressed
    low = int(address) & 0xFFFFFFFF
    return f"::ffff:{low >> 16:x}:{low & 0xFFFF:x}"


def _find_shape_error(text: str) -> str | None:
    if text != text.strip():
        return "begins or ends with white space"
    if "," in text or " " in text:
        return "is more than one value"
    _, separator, rest = text.partition("://")
    if not separator:
        return "has no scheme"
    if "@" in rest:
        return "has user information"
    for mark, part in (("/", "path"), ("?", "query"), ("#", "fragment")):
        if mark in rest:
            return f"has a {part}"
    return None


def _find_spelling_error(text: str) -> str | None:
    if not text.isascii():
        return "has non-ASCII characters"
    if text != text.lower():
        return "has upper-case letters"
    return None


def _find_part_error(text: str) -> str:
    scheme, _, authority = text.partition("://")
    if not _SCHEME.fullmatch(scheme):
        return "has an invalid scheme"
    host, colon, port = (authority, "", "") if authority.endswith("]") else authority.rpartition(":")
    if not colon:
        host = authority
    elif not _PORT.fullmatch(port) or int(port) > 65535:
        return "has an invalid port"
    if host == "":
        return "has no host"
    if not _HOST.fullmatch(host):
        return "has an invalid host"
    if colon and DEFAULT_PORTS.get(scheme) == int(port):
        return "names its scheme's default port"
    return "is not a serialised origin"


def page_entry(source: str) -> str | None:
    """For an origin, a wildcard or an expression with a scheme that no page has: the same for the page.

    Browsers send the origin of the page, also with the handshake of a WebSocket
    (RFC 6455, section 4.1: https://www.rfc-editor.org/rfc/rfc6455#section-4.1). None for other schemes.
    """
    found = _NO_PAGE.match(source)
    if found is None:
        return None
    return found["start"] + _PAGE_SCHEMES[found["scheme"]] + source[found.end() :]


def nearest_origin(text: str) -> str | None:
    """The origin nearest to ``text``, to suggest it to a person; None if there is none.

    User information, path, query, fragment and default port are left out; a missing scheme is taken for
    https, and that of a WebSocket becomes the page's. Nothing is ever matched with it.
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST or _is_network(stripped):
        return None
    without_host = _HOSTLESS_PARTS.match(stripped)
    if without_host is not None and is_hostless(hostless := without_host[1].lower()):
        return hostless
    parts = _PARTS.fullmatch(stripped if ":/" in stripped else f"https://{stripped}")
    if parts is None:
        return None
    scheme = parts["scheme"].lower()
    host = _punycode(parts["host"])
    default = str(DEFAULT_PORTS.get(scheme, ""))
    port = "" if parts["port"] in (None, default) else f":{parts['port']}"
    origin = f"{_PAGE_SCHEMES.get(scheme, scheme)}://{host}{port}"
    return origin if is_well_formed(origin) else None


def _punycode(host: str) -> str:
    try:
        return host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
