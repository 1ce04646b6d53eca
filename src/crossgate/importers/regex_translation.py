"""Translates regular expressions of other programs to entries that admit the same origins.

The expression is parsed in its own dialect, as a tree of sets of characters, and written again for RE2, whose
match is of the whole origin. What cannot be written so is refused, with the reason and a proposal. Equality
holds for every well-formed origin: nothing else reaches an expression in Crossgate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity, printable
from crossgate.importers.found import FoundOrigin
from crossgate.importers.regex_chars import ASCII, Bound, Dialect, RegexUnclearError
from crossgate.importers.regex_syntax import Branches, CharSymbol, RegexNode, Repetition, parse_regex
from crossgate.policy.origin_pattern import ExactOrigin, WildcardOrigin, parse_origin_pattern
from crossgate.policy.re2 import RegexRefused, compile_regex

__all__ = ["Dialect", "Extent", "translate_regex"]


class Extent(Enum):
    """What an expression is compared with."""

    WHOLE = "the whole origin"
    START = "the start of the origin"
    """As ``lookingAt`` of Java and ``match`` of Python do."""
    SEARCH = "any part of the origin"
    HOST_SEARCH = "any part of the host, without scheme and port; never an IPv6 address"


_ORIGIN_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_!\"$&'()*+;=`{}~-.:/[]")
"""Every character of well-formed origins (:mod:`crossgate.policy.origin`)."""
_HOST_CHARS: Final = _ORIGIN_CHARS - frozenset(":/[]")
_SCHEME: Final = "[a-z][a-z0-9+.-]*://"
_MAX_BRANCHES: Final = 50


@dataclass(frozen=True, slots=True)
class _Part:
    """One alternative: symbols between two ends, each of which is anchored or open."""

    items: tuple[RegexNode, ...]
    from_start: bool = False
    to_end: bool = False


def translate_regex(
    pattern: str, dialect: Dialect, extent: Extent, *, ignore_case: bool = False
) -> FoundOrigin | Diagnostic:
    """The entry that admits the same origins: an exact origin, a wildcard or ``{"regex": …}``.

    If there is none, a warning with the reason and a proposal; its place is unknown.
    """
    try:
        parts = _parts_of(parse_regex(pattern, dialect, ignore_case=ignore_case))
        if extent is Extent.HOST_SEARCH:
            parts = [_within_host(part) for part in parts]
        regex = _write_parts(parts, extent)
        compile_regex(regex)
    except RegexUnclearError as unclear:
        if dialect is Dialect.RE2 and extent is Extent.WHOLE and not ignore_case and _is_re2(pattern):
            return {"regex": pattern}
        return _untranslatable(pattern, str(unclear), unclear.remedy)
    except RegexRefused as refused:
        return _untranslatable(pattern, f"RE2 refuses it: {refused}", "Write a simpler expression")
    return _without_regex(parts, extent) or {"regex": regex}


def _is_re2(pattern: str) -> bool:
    try:
        compile_regex(pattern)
    except RegexRefused:
        return False
    return True


def _untranslatable(pattern: str, reason: str, remedy: str) -> Diagnostic:
    return Diagnostic(
        "regex-untranslatable",
        f"the regular expression was left out: {reason}",
        f"{remedy}, and add it to the allowed origins",
        found=printable(pattern),
        severity=Severity.WARNING,
    )


def _parts_of(branches: Branches) -> list[_Part]:
    """The alternatives, without the anchors at their ends."""
    found: list[_Part] = []
    for items in branches.branches:
        for opened in _distribute(items, Bound.START):
            for both in _distribute(opened, Bound.END):
                found.append(_strip(both))
                if len(found) > _MAX_BRANCHES:
                    raise RegexUnclearError(f"it has more than {_MAX_BRANCHES} alternatives with anchors")
    return found


def _distribute(items: tuple[RegexNode, ...], bound: Bound) -> Iterable[tuple[RegexNode, ...]]:
    """The sequence once for each branch of the group at its end, if that has the anchor; else as it is."""
    index = 0 if bound is Bound.START else -1
    edge = items[index] if items else None
    if not isinstance(edge, Branches) or not _has_bound(edge, bound):
        yield items
        return
    rest = items[1:] if bound is Bound.START else items[:-1]
    for branch in edge.branches:
        whole = (*branch, *rest) if bound is Bound.START else (*rest, *branch)
        yield from _distribute(whole, bound)


def _has_bound(node: RegexNode, bound: Bound) -> bool:
    match node:
        case Branches(branches):
            return any(_has_bound(item, bound) for items in branches for item in items)
        case Repetition(body):
            return _has_bound(body, bound)
        case _:
            return node is bound


def _strip(items: tuple[RegexNode, ...]) -> _Part:
    start, end = 0, len(items)
    while start < end and items[start] is Bound.START:
        start += 1
    while end > start and items[end - 1] is Bound.END:
        end -= 1
    return _Part(items[start:end], start > 0, end < len(items))


def _within_host(part: _Part) -> _Part:
    return _Part(tuple(map(_host_only, part.items)), part.from_start, part.to_end)


def _host_only(node: RegexNode) -> RegexNode:
    """The node with characters of hosts only. An anchor is one of the whole origin, and cannot stay."""
    match node:
        case CharSymbol(chars, text):
            inside = chars & _HOST_CHARS
            return CharSymbol(inside, text if inside == chars else None)
        case Branches(branches):
            return Branches(tuple(tuple(map(_host_only, items)) for items in branches))
        case Repetition(body, least, most):
            return Repetition(_host_only(body), least, most)
        case Bound.START | Bound.END:
            raise RegexUnclearError("an anchor is in the middle", "Write one expression for each case")
        case _:
            return node


def _write_parts(parts: Sequence[_Part], extent: Extent) -> str:
    """The expression for whole origins."""
    if extent is Extent.WHOLE:
        return _join("", parts, "")
    left_open = [extent is not Extent.START and not part.from_start for part in parts]
    right_open = [not part.to_end for part in parts]
    scheme, rest, port = "", ".*", ""
    if extent is Extent.HOST_SEARCH:
        scheme, rest, port = _SCHEME, "[^:]*", "(?::[0-9]+)?"
    if len(set(left_open)) == len(set(right_open)) == 1:
        left, right = rest if left_open[0] else "", rest if right_open[0] else ""
        return scheme + _join(left, parts, right) + port
    wholes = [
        _join(rest if left else "", [part], rest if right else "")
        for part, left, right in zip(parts, left_open, right_open, strict=True)
    ]
    return f"{scheme}(?:{'|'.join(wholes)}){port}"


def _join(left: str, parts: Sequence[_Part], right: str) -> str:
    written = [_write_items(part.items) for part in parts]
    if len(written) > 1:
        body = "|".join(written)
        return f"{left}(?:{body}){right}" if left or right else body
    items = parts[0].items
    if not items and left == right:
        return left
    if items and _is_anything(items[0]):
        left = ""
    if items and _is_anything(items[-1]):
        right = ""
    return left + written[0] + right


def _write_items(items: Iterable[RegexNode]) -> str:
    return "".join(map(_write, items))


def _write(node: RegexNode) -> str:
    match node:
        case CharSymbol(chars, text):
            return _write_chars(chars & ASCII, text)
        case Branches(branches):
            return f"(?:{'|'.join(map(_write_items, branches))})"
        case Repetition(body, least, most):
            inside = _write(body)
            if isinstance(body, Repetition):
                inside = f"(?:{inside})"
            return inside + _write_bounds(least, most)
        case Bound():
            return node.value


def _write_bounds(least: int, most: int | None) -> str:
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _ if least == most:
            return f"{{{least}}}"
        case _:
            return f"{{{least},{'' if most is None else most}}}"


def _write_chars(chars: frozenset[str], text: str | None) -> str:
    """The set in RE2's syntax: as it is spelled, if RE2 reads that in the same way."""
    here = chars & _ORIGIN_CHARS
    if len(here) == 1:
        return _escape(min(here))
    if text is not None and _chars_in_re2(text) == chars:
        return text
    if here == _ORIGIN_CHARS:
        return "."
    if not here:
        return _escape(min(chars)) if len(chars) == 1 else r"[^\x00-\x{10FFFF}]"
    if len(_ORIGIN_CHARS - here) < len(here):
        return f"[^{_ranges(sorted(_ORIGIN_CHARS - here))}]"
    return f"[{_ranges(sorted(here))}]"


def _escape(char: str, special: str = r"\.+*?()|[]{}^$") -> str:
    return f"\\{char}" if char in special else char


def _ranges(chars: Sequence[str]) -> str:
    written = ""
    start = 0
    for index, char in enumerate(chars):
        following = chars[index + 1] if index + 1 < len(chars) else ""
        if following and ord(following) == ord(char) + 1 and char.isalnum() and following.isalnum():
            continue
        length = index - start + 1
        alone = "".join(_escape(each, r"\[]^-") for each in chars[start : index + 1])
        written += f"{chars[start]}-{char}" if length > 2 else alone
        start = index + 1
    return written


@lru_cache(256)
def _chars_in_re2(text: str) -> frozenset[str]:
    try:
        matcher = compile_regex(f"(?s:{text})" if text != "." else text)
    except RegexRefused:
        return frozenset()
    return frozenset(char for char in ASCII if matcher.fullmatch(char.encode()))


def _without_regex(parts: Sequence[_Part], extent: Extent) -> str | None:
    """The exact origin or the wildcard that admits the same origins, if there is one."""
    if len(parts) != 1 or extent is Extent.HOST_SEARCH:
        return None
    (part,) = parts
    if extent is not Extent.WHOLE and not (part.to_end and (part.from_start or extent is Extent.START)):
        return None
    text = _as_literal(part.items)
    parsed = parse_origin_pattern(text) if text is not None else None
    return text if isinstance(parsed, ExactOrigin | WildcardOrigin) else None


def _as_literal(items: Sequence[RegexNode]) -> str | None:
    """The characters, with ``*`` for all subdomains and for an optional port; None if there is more."""
    text = ""
    for index, item in enumerate(items):
        last = index == len(items) - 1
        if isinstance(item, CharSymbol) and len(here := item.chars & _ORIGIN_CHARS) == 1 and here != {"*"}:
            text += min(here)
        elif text.endswith("://") and _is_anything(item) and _as_literal(items[index + 1 : index + 2]) == ".":
            text += "*"
        elif last and _is_optional_port(item):
            text += ":*"
        else:
            return None
    return text


def _is_anything(node: RegexNode) -> bool:
    """Whether it is ``.*`` or ``.+``: in a well-formed origin, before a dot, one or more labels."""
    return (
        isinstance(node, Repetition)
        and node.most is None
        and node.least <= 1
        and isinstance(node.body, CharSymbol)
        and node.body.chars >= _ORIGIN_CHARS
    )


def _is_optional_port(node: RegexNode) -> bool:
    """Whether it is ``(:[0-9]+)?``: a port of a well-formed origin, or none."""
    match node:
        case Repetition(Branches(((CharSymbol(colon), Repetition(CharSymbol(digits), least, None)),)), 0, 1):
            return colon == {":"} and least <= 1 and digits & _ORIGIN_CHARS == frozenset("0123456789")
        case _:
            return False
