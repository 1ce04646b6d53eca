"""Why a text in a policy is not a serialised origin, and what to write instead."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from crossgate.policy.names import NULL
from crossgate.policy.origin import DEFAULT_PORTS, HOST_PATTERN, SCHEME_PATTERN, Origin, is_well_formed

_SCHEME = re.compile(SCHEME_PATTERN)
_HOST = re.compile(HOST_PATTERN)


@dataclass(frozen=True, slots=True)
class OriginFault:
    """Why a text is not a serialised origin, and what to write in its place."""

    reason: str
    remedy: str


def find_fault(text: str) -> OriginFault | None:
    """What keeps ``text`` from being a serialised tuple origin; None if nothing does.

    Stricter than :func:`is_well_formed` in one point: an IPv6 address must be in the one form that
    browsers serialise, for an entry in another form would never match anything.
    """
    if is_well_formed(text):
        return _find_ipv6_fault(text)
    for find in (_find_shape_fault, _find_spelling_fault, _find_port_fault, _find_host_fault):
        fault = find(text)
        if fault is not None:
            return fault
    return OriginFault(
        "is not a serialised origin", "Write scheme://host[:port], for example https://example.com"
    )


def _find_ipv6_fault(text: str) -> OriginFault | None:
    origin = Origin.of(text)
    if not origin.host.startswith("["):
        return None
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


def _find_shape_fault(text: str) -> OriginFault | None:
    if text == NULL or text == "":
        return OriginFault("is not a serialised origin", "Write scheme://host[:port]")
    scheme, separator, rest = text.partition("://")
    if not separator:
        return OriginFault("has no scheme", f"Write the scheme too: https://{text}")
    if "@" in rest:
        return OriginFault("has user information", f"Leave it out: {scheme}://{rest.rpartition('@')[2]}")
    for mark, part in (("/", "path"), ("?", "query"), ("#", "fragment")):
        if mark in rest:
            return OriginFault(f"has a {part}", f"Leave it out: {scheme}://{rest.partition(mark)[0]}")
    return None


def _find_spelling_fault(text: str) -> OriginFault | None:
    if text != text.strip():
        return OriginFault("has blanks around it", f"Write {text.strip()}")
    if "*" in text:
        return OriginFault(
            "has a wildcard where none is possible",
            "Wildcards are https://*.example.com, https://example.com:* and * alone;"
            " for anything else use a regular expression: {regex: ...}",
        )
    if not text.isascii():
        return OriginFault("has characters beyond ASCII", _punycode_remedy(text))
    if text != text.lower():
        return OriginFault("has upper-case letters", f"Browsers send it in lower case: {text.lower()}")
    return None


def _punycode_remedy(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host, colon, port = rest.partition(":")
    try:
        encoded = host.encode("idna").decode("ascii")
    except UnicodeError:
        return "Write the host in punycode, as browsers send it (xn--...)"
    return f"Browsers send the host in punycode: {scheme}://{encoded}{colon}{port}"


def _find_port_fault(text: str) -> OriginFault | None:
    scheme, _, authority = text.partition("://")
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        return None
    if not port.isdecimal() or not 1 <= int(port) <= 65535 or port != str(int(port)):
        return OriginFault("has an impossible port", "Write a port from 1 to 65535, or none")
    if DEFAULT_PORTS.get(scheme) == int(port):
        return OriginFault("names its scheme's default port", f"Browsers leave it out: {scheme}://{host}")
    return None


def _find_host_fault(text: str) -> OriginFault | None:
    scheme, _, authority = text.partition("://")
    host = authority if authority.endswith("]") else authority.partition(":")[0]
    if not _SCHEME.fullmatch(scheme):
        return OriginFault("has an impossible scheme", "Write a scheme such as https")
    if host == "":
        return OriginFault("has no host", f"Write the host: {scheme}://example.com")
    if not _HOST.fullmatch(host):
        return OriginFault(
            "has an impossible host", "Write a domain name or an IP address, as browsers send it"
        )
    return None
