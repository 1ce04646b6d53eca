r"""What a decision depends on in a request, and which requests are malformed whatever the policy says.

The gateway normalises a path before it looks up an API (RFC 3986, sections 6.2.2 and 5.2.4): it decodes
escapes of unreserved characters, turns a backslash into a slash, removes dot segments and merges slashes. A
native service may read more as a dot segment: it decodes the path once more, cuts off path parameters
(``/..;/``), or takes ``%2f`` or ``%5c`` for a separator. So a path is malformed if one of its segments would
then be ``.`` or ``..``. By the rules in ``tests/paths/native_rules.py``, no remaining path leads out of its
API. Overlong UTF-8 and full-width dots are data.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crossgate.policy import names

OPTIONS: Final = "OPTIONS"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a policy sees it: header values as received, several lines joined by commas.

    Joining makes two ``Origin`` lines one value that is not an origin, and two request methods one that is
    not a token. An absent header is the empty string; an empty line counts as absent, also among others.
    """

    method: str
    origin: str = ""
    request_method: str = ""
    request_headers: str = ""
    host: str = ""
    content_type: str = ""
    path: str = ""
    """As sent, with or without a query; empty where paths are not checked, as in the middleware."""
    sec_fetch_site: str = ""

    @classmethod
    def of(cls, method: str, headers: Iterable[tuple[str, str]]) -> Request:
        """The request with these header lines: names in any case, values without spaces around them."""
        found: dict[str, list[str]] = {}
        for name, value in headers:
            if value:
                found.setdefault(name.lower(), []).append(value)
        values = {attribute: ",".join(found.get(name.lower(), ())) for name, attribute in HEADERS.items()}
        return cls(method, **values)

    def header(self, name: str) -> str:
        """The value of one of :data:`HEADERS`."""
        value: str = getattr(self, HEADERS[name])
        return value


HEADERS: Final = {
    names.ORIGIN: "origin",
    names.REQUEST_METHOD: "request_method",
    names.REQUEST_HEADERS: "request_headers",
    names.SEC_FETCH_SITE: "sec_fetch_site",
    "Host": "host",
    "Content-Type": "content_type",
}
"""The request headers that a decision depends on, and their attributes in :class:`Request`, in order."""

ECHOING_PREFIX: Final = "TRAC"
"""TRACE and TRACK, in any case of letters; no other registered method begins so. A native service answers
them with the request itself, cookies included."""

MALFORMED_HOST_PATTERN: Final = r"[^@,]*[@,]\C*"
"""In RE2's syntax, a ``Host`` of more than one host, or with a user: several lines are joined by commas."""


def echoes_request(method: str) -> bool:
    """Whether a response to the method repeats the request."""
    return method[: len(ECHOING_PREFIX)].upper() == ECHOING_PREFIX


def is_malformed_host(host: str) -> bool:
    """Whether :data:`MALFORMED_HOST_PATTERN` matches."""
    return "," in host or "@" in host


def _escaped(codes: str) -> str:
    """Characters escaped any number of times, or as ``%u002e`` (IIS); ``codes`` is an expression."""
    return rf"%(?:25|[uU]00)*(?:{codes})"


_SEPARATOR: Final = rf"(?:/|{_escaped('2[Ff]|5[Cc]')})"
# URL parsers remove tabs and line breaks, around dots and within an escape, and spaces at the end.
_REMOVED: Final = "%0[9AaDd]"
_DOT: Final = rf"(?:\.|%(?:25|[uU]00|{_REMOVED})*2(?:{_REMOVED})?[Ee])"
# A path parameter ends a segment. Decoded before they are read, "?", "#" and NUL end the path.
_END: Final = rf"(?:[;/]|{_escaped('2[3Ff]|5[Cc]|3[BbFf]|[01][0-9A-Fa-f]')})"

DOT_SEGMENT_PATTERN: Final = rf"\C*{_SEPARATOR}(?:{_REMOVED})*{_DOT}{{1,2}}(?:{_END}\C*|(?:%20)*)"
"""In RE2's syntax, a whole normalised path, without its query, that has a dot segment in disguise."""

_DOT_SEGMENT: Final = re.compile(DOT_SEGMENT_PATTERN.replace(r"\C", "."), re.DOTALL)
_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")
_ESCAPED_BY_ENVOY: Final = {character: f"%{ord(character):02X}" for character in '"<>^`{|}'}
_REFUSED: Final = re.compile(r"[^\x21-\x7e]|#")
_ABSOLUTE: Final = re.compile("^https?://[^/?#]*", re.IGNORECASE)
_PARAMETERS_OF_DOTS: Final = re.compile(r"(?<=/)(\.\.?);[^/]*")
_DOTS: Final = re.compile(r"(?:\.|%2[Ee]){1,2}")
_PERCENT: Final = re.compile("%(?:([0-9A-Fa-f]{2})|)")
_NESTED: Final = re.compile("\0(?=[0-9A-Fa-f]{2})")


def normalise_path(target: str) -> str | None:
    """The path of a request target, without its query, as Envoy normalises it; None if Envoy refuses it.

    Envoy answers 400 to anything but printable ASCII, to a fragment, to NUL, and without a leading slash.
    """
    path = _ABSOLUTE.sub("", target).partition("?")[0]
    if not path.startswith("/") or _REFUSED.search(target):
        return None
    path = _PARAMETERS_OF_DOTS.sub(r"\1", path).replace("\\", "/")
    if "%00" in path:
        return None
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        if _DOTS.fullmatch(segment) is None:
            kept.append(_decode(segment))
            continue
        if len(_PERCENT.sub(".", segment)) == len(".."):
            del kept[-1:]
        if number == len(segments) - 1:
            kept.append("")
    return re.sub("/+", "/", "/" + "/".join(kept))


def is_malformed_path(target: str) -> bool:
    """Whether a native service can read the path of a request target as leading to a parent directory.

    True as well for a path that Envoy refuses.
    """
    path = normalise_path(target)
    return path is None or _DOT_SEGMENT.fullmatch(path) is not None


def _decode(segment: str) -> str:
    """Escapes of unreserved characters decoded; a percent sign that would begin a new escape is escaped."""

    def read(found: re.Match[str]) -> str:
        if found[1] is None:
            return "\0"
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0]

    decoded = _NESTED.sub("%25", _PERCENT.sub(read, segment)).replace("\0", "%")
    return "".join(_ESCAPED_BY_ENVOY.get(character, character) for character in decoded)
