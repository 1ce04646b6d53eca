"""Why a text in a policy is not a serialised origin, and what to write instead."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from crossgate.policy.names import ANY, NULL
from crossgate.policy.nearest_origin import nearest_origin
from crossgate.policy.origin import DEFAULT_PORTS, HOST_PATTERN, SCHEME_PATTERN, Origin, is_well_formed

_SCHEME = re.compile(SCHEME_PATTERN)
_HOST = re.compile(HOST_PATTERN)
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class OriginFault:
    """Why a text is not a serialised origin, and what to write in its place."""

    reason: str
    remedy: str


def find_fault(text: str) -> OriginFault | None:
    """What keeps ``text`` from being an exact origin; None if nothing does.

    Stricter than :func:`is_well_formed` in two points. A ``*`` is a legal character of a host (URL,
    forbidden domain code points) and a request may hold it, but who writes one means a wildcard. And an IPv6
    address must be in the one form that browsers serialise: in another, the entry would never match.
    """
    if text.lower() == NULL:
        return OriginFault("is no exact origin", "In the policy of an API, null stands for opaque origins")
    if ANY in text:
        return OriginFault(
            "has a wildcard where none is possible",
            "Wildcards are https://*.example.com, https://example.com:* and * alone, in the policy of an API;"
            " for anything else use a regular expression there: {regex: ...}",
        )
    if is_well_formed(text):
        return _find_ipv6_fault(text)
    reason = _find_shape_fault(text) or _find_spelling_fault(text) or _find_part_fault(text)
    nearest = nearest_origin(text)
    if nearest is None or _find_ipv6_fault(nearest) is not None:
        return OriginFault(reason, "Write scheme://host[:port] as browsers send it: https://example.com")
    return OriginFault(reason, f"Browsers send {nearest}: write that")


def _find_ipv6_fault(text: str) -> OriginFault | None:
    if "[" not in text:
        return None
    origin = Origin.of(text)
    canonical = f"[{_serialise_ipv6(origin.host[1:-1])}]"
    if origin.host == canonical:
        return None
    written = Origin(origin.scheme, canonical, origin.port)
    return OriginFault("has an IPv6 address that browsers write otherwise", f"Write {written}")


def _serialise_ipv6(text: str) -> str:
    """URL, IPv6 serializer; unlike Python's own form it never ends in a dotted quad."""
    address = ipaddress.IPv6Address(text)
    if address.ipv4_mapped is None:
        return address.compressed
    low = int(address) & 0xFFFFFFFF
    return f"::ffff:{low >> 16:x}:{low & 0xFFFF:x}"


def _find_shape_fault(text: str) -> str | None:
    if text != text.strip():
        return "has blanks around it"
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


def _find_spelling_fault(text: str) -> str | None:
    if not text.isascii():
        return "has characters beyond ASCII"
    if text != text.lower():
        return "has upper-case letters"
    return None


def _find_part_fault(text: str) -> str:
    scheme, _, authority = text.partition("://")
    if not _SCHEME.fullmatch(scheme):
        return "has an impossible scheme"
    host, colon, port = (authority, "", "") if authority.endswith("]") else authority.rpartition(":")
    if not colon:
        host = authority
    elif not _PORT.fullmatch(port) or int(port) > 65535:
        return "has an impossible port"
    if host == "":
        return "has no host"
    if not _HOST.fullmatch(host):
        return "has an impossible host"
    if colon and DEFAULT_PORTS.get(scheme) == int(port):
        return "names its scheme's default port"
    return "is not a serialised origin"
