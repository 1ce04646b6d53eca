r"""A request's path: the spelling in which the gateway judges and forwards it, and which paths it refuses.

The gateway normalises a path before it looks up an API (RFC 3986, section 6.2.2 and 5.2.4): escapes of
unreserved characters are decoded, a backslash is a slash, dot segments are removed, slashes are merged.
A native service may read more than that as a dot segment: it decodes the path once more, or cuts path
parameters off (``/..;/``), or takes ``%2f`` or ``%5c`` for a separator. So a path is refused if one of its
segments would then be ``.`` or ``..``. No native service finds a parent directory in what is left.
"""

from __future__ import annotations

import re
import string
from typing import Final


def _escaped(codes: str) -> str:
    """Characters escaped, however often, or as ``%u002e``, which IIS reads; ``codes`` is an expression."""
    return rf"%(?:25|[uU]00)*(?:{codes})"


_SEPARATOR: Final = rf"(?:/|{_escaped('2[Ff]|5[Cc]')})"
# URL parsers remove tabs and line breaks, around dots and within an escape, and spaces at the end.
_REMOVED: Final = "%0[9AaDd]"
_DOT: Final = rf"(?:\.|%(?:25|[uU]00|{_REMOVED})*2(?:{_REMOVED})?[Ee])"
# A path parameter ends a segment. Decoded before they are read, "?", "#" and NUL end the path.
_END: Final = rf"(?:[;/]|{_escaped('2[3Ff]|5[Cc]|3[BbFf]|[01][0-9A-Fa-f]')})"

DOT_SEGMENT_PATTERN: Final = rf"\C*{_SEPARATOR}(?:{_REMOVED})*{_DOT}{{1,2}}(?:{_END}\C*|(?:%20)*)"
"""In RE2's syntax, a whole normalised path, without its query, that holds a dot segment in disguise."""

_DOT_SEGMENT: Final = re.compile(DOT_SEGMENT_PATTERN.replace(r"\C", "."), re.DOTALL)
_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")
_WRITTEN_ESCAPED: Final = {character: f"%{ord(character):02X}" for character in '"<>^`{|}'}
_REFUSED: Final = re.compile(r"[^\x21-\x7e]|#")
_ABSOLUTE: Final = re.compile("^https?://[^/?#]*", re.IGNORECASE)
_PARAMETERS_OF_DOTS: Final = re.compile(r"(?<=/)(\.\.?);[^/]*")
_DOTS: Final = re.compile(r"(?:\.|%2[Ee]){1,2}")
_PERCENT: Final = re.compile("%(?:([0-9A-Fa-f]{2})|)")
_NESTED: Final = re.compile("\0(?=[0-9A-Fa-f]{2})")


def normalise_path(target: str) -> str | None:
    """The path of a request target, without its query, as Envoy normalises it; None if Envoy refuses it.

    Envoy answers 400 to what is not printable ASCII, to a fragment, to NUL, and without a slash in front.
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
            kept.append(_decoded(segment))
            continue
        if len(_PERCENT.sub(".", segment)) == len(".."):
            del kept[-1:]
        if number == len(segments) - 1:
            kept.append("")
    return re.sub("/+", "/", "/" + "/".join(kept))


def stays_below(target: str) -> bool:
    """Whether no native service can read the path of a request target as leading to a parent directory."""
    path = normalise_path(target)
    return path is not None and not has_dot_segment(path)


def has_dot_segment(path: str) -> bool:
    """Whether a segment of the path is, or could be read as, ``.`` or ``..``; the path is taken as it is."""
    return _DOT_SEGMENT.fullmatch(path) is not None


def _decoded(segment: str) -> str:
    """Escapes of unreserved characters decoded; what that would make a new escape of is escaped itself."""

    def read(found: re.Match[str]) -> str:
        if found[1] is None:
            return "\0"
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0]

    decoded = _NESTED.sub("%25", _PERCENT.sub(read, segment)).replace("\0", "%")
    return "".join(_WRITTEN_ESCAPED.get(character, character) for character in decoded)
