"""The grammar of well-formed serialised origins: ``scheme://host[:port]``, as browsers send them.

The grammar exists once, as regular expressions in RE2's syntax. The engine and Envoy match the same
expressions, so they accept the same origins.

Sources: https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin and
https://url.spec.whatwg.org/#host-serializing. A host is a domain, a dotted quad, or an IPv6 address in
brackets. A domain can have every character that the URL standard allows in a domain, because browsers send
it, except the comma: several ``Origin`` lines are joined by commas, and two origins must never read as one.

Some programs send an origin without a host: ``file://`` by web views, ``app://.`` by apps. Such an origin is
not well-formed. It can be allowed as an exact entry (:func:`is_hostless`), and ``*`` allows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SCHEME_PATTERN: Final = r"[a-z][a-z0-9+.-]*"

_SYMBOLS = r"""_!"$&'()*+;=`{}~-"""
LABEL_PATTERN: Final = rf"[a-z0-9{_SYMBOLS}]+"
_ANY = rf"[a-z0-9{_SYMBOLS}]"
# A domain must not end in a number (URL, ends-in-a-number checker), or it would be an IPv4 address:
# its last label is neither all digits nor 0x and hexadecimal digits. RE2 has no look-ahead, hence the cases.
_LAST_LABEL = (
    rf"(?:[a-z{_SYMBOLS}]{_ANY}*"
    rf"|[1-9][0-9]*[a-z{_SYMBOLS}]{_ANY}*"
    rf"|0(?:[0-9]+[a-z{_SYMBOLS}]{_ANY}*|[a-wyz{_SYMBOLS}]{_ANY}*|x[0-9a-f]*[g-z{_SYMBOLS}]{_ANY}*))"
)
_DOMAIN = rf"(?:{LABEL_PATTERN}\.)*{_LAST_LABEL}\.?"

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"

# Pieces without leading zeros; `::` replaces at least two pieces (URL, IPv6 serializer).
_PIECE = r"(?:0|[1-9a-f][0-9a-f]{0,3})"
_IPV6 = (
    rf"\[(?:(?:{_PIECE}:){{7}}{_PIECE}"
    rf"|(?:{_PIECE}:){{1,6}}:"
    rf"|(?:{_PIECE}:){{1,5}}:{_PIECE}"
    rf"|(?:{_PIECE}:){{1,4}}(?::{_PIECE}){{2}}"
    rf"|(?:{_PIECE}:){{1,3}}(?::{_PIECE}){{3}}"
    rf"|(?:{_PIECE}:){{1,2}}(?::{_PIECE}){{4}}"
    rf"|{_PIECE}:(?::{_PIECE}){{5}}"
    rf"|:(?::{_PIECE}){{1,6}}"
    r"|::)\]"
)

PORT_PATTERN: Final = (
    r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)

HOST_PATTERN: Final = rf"(?:{_DOMAIN}|{_IPV4}|{_IPV6})"
ORIGIN_PATTERN: Final = rf"{SCHEME_PATTERN}://{HOST_PATTERN}(?::{PORT_PATTERN})?"
"""Every well-formed origin except ``null``; in addition, those that name the default port of their scheme."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
"""The default ports of the special schemes (URL, special scheme); a serialised origin leaves them out."""

DEFAULT_PORT_PATTERN: Final = r"(?:(?:http|ws)://.*:80|(?:https|wss)://.*:443|ftp://.*:21)"
"""The strings that match :data:`ORIGIN_PATTERN` and are not serialised: those with the default port."""

HOSTLESS_PATTERN: Final = rf"{SCHEME_PATTERN}://\.?"
"""Every origin without a host; in addition, those of :data:`HOST_MISSING_PATTERN`."""

HOST_MISSING_PATTERN: Final = r"(?:http|https|ws|wss|ftp)://\.?"
"""The strings that match :data:`HOSTLESS_PATTERN` and nothing sends: these schemes have a host (URL, special
scheme). The other special scheme is ``file``."""

MAX_LENGTH: Final = 64 * 1024
"""Bytes of the longest origin or method that is read: by default, the gateway accepts no longer request head.

A longer value is an origin that is not allowed, or not a method.
"""

# The grammar uses only syntax that means the same to Python's engine and to RE2. Python's is faster on short
# values, and takes linear time with this grammar, because no label can be read in two ways.
_ORIGIN = re.compile(ORIGIN_PATTERN)
_DEFAULT_PORT = re.compile(DEFAULT_PORT_PATTERN)
_HOSTLESS = re.compile(HOSTLESS_PATTERN)
_HOST_MISSING = re.compile(HOST_MISSING_PATTERN)
_DEFAULT_PORTS = tuple(f":{port}" for port in set(DEFAULT_PORTS.values()))


def is_well_formed(value: str) -> bool:
    """Whether ``value`` is one serialised tuple origin with a host; ``null`` is not."""
    return len(value) <= MAX_LENGTH and _ORIGIN.fullmatch(value) is not None and not names_default_port(value)


def is_hostless(value: str) -> bool:
    """Whether ``value`` is an origin without a host: a scheme that needs none, ``://``, and at most a dot."""
    return (
        len(value) <= MAX_LENGTH
        and _HOSTLESS.fullmatch(value) is not None
        and _HOST_MISSING.fullmatch(value) is None
    )


def names_default_port(value: str) -> bool:
    """Whether an origin names the default port of its scheme, which a serialised origin leaves out."""
    return value.endswith(_DEFAULT_PORTS) and _DEFAULT_PORT.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """The parts of a serialised tuple origin; ``port`` is None for the scheme's default."""

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port is not None else "")

    @classmethod
    def of(cls, value: str) -> Origin:
        """The parts of a value that :func:`is_well_formed` or :func:`is_hostless` accepts.

        The host of the latter is empty or a dot. Undefined for any other value.
        """
        scheme, _, authority = value.partition("://")
        host, colon, port = authority.rpartition(":")
        if not colon or port.endswith("]"):
            return cls(scheme, authority, None)
        return cls(scheme, host, int(port))
