"""Entity tags in HTTP (RFC 9110, §8.8.3 and §13.1): what requests demand, and what answers carry."""

from __future__ import annotations

import re
from typing import Final, Literal

from starlette.datastructures import Headers

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import ServiceError
from crossgate.service.etag import Absent, EtagTarget, Matches, Precondition, Present

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_Tags = list[tuple[bool, str]]
"""Each with whether it is weak."""
_ANY: Final = "*"
_REVISION: Final = re.compile(r"revision-([0-9]{1,9})")


class PreconditionRequired(ServiceError):
    """A write that does not say what it has seen could undo what it has not seen."""

    def __init__(self, *, creates: bool) -> None:
        remedy = "Send If-Match with the ETag of what you read"
        if creates:
            remedy += "; or If-None-Match: * to create what is not there"
        super().__init__(
            [Diagnostic("precondition-required", "the write does not say which state it changes", remedy)]
        )


class MalformedTag(ServiceError):
    """A header that should have entity tags has something else."""

    def __init__(self, header: str, value: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="tag-malformed",
                    message=f"{header} is no list of entity tags",
                    remedy='Write the tag as it came, with its quotes: If-Match: "…"',
                    found=value[:100],
                )
            ]
        )


def quoted(tag: str) -> str:
    """The tag as headers have it."""
    return f'"{tag}"'


def revision_tag(number: int) -> str:
    """The tag of the catalogue as a whole at a revision."""
    return f"revision-{number}"


def preconditions(headers: Headers, of: EtagTarget, *, creates: bool = False) -> list[Precondition]:
    """What the request demands of the thing that it changes.

    Raises:
        PreconditionRequired: it demands nothing.
        MalformedTag: it cannot be understood.

    """
    found: list[Precondition] = []
    match_ = _listed(headers, "If-Match")
    if match_ is not None:
        found.append(Present(of) if match_ == _ANY else Matches(of, _strong(match_)))
    none_match = _listed(headers, "If-None-Match")
    if none_match is not None:
        if none_match != _ANY or not creates:
            raise MalformedTag("If-None-Match", str(headers.get("If-None-Match")))
        found.append(Absent(of))
    if not found:
        raise PreconditionRequired(creates=creates)
    return found


def demanded_base(headers: Headers) -> int | None:
    """The revision at which the catalogue must be; None for whichever it is at.

    Raises:
        PreconditionRequired: the request demands nothing.
        MalformedTag: it names no revision.

    """
    tags = _listed(headers, "If-Match")
    if tags is None:
        raise PreconditionRequired(creates=False)
    if tags == _ANY:
        return None
    named = _REVISION.fullmatch(tags[0][1]) if len(tags) == 1 and not tags[0][0] else None
    if named is None:
        raise MalformedTag("If-Match", str(headers.get("If-Match")))
    return int(named[1])


def is_seen(headers: Headers, tag: str) -> bool:
    """Whether whoever reads already has what bears this tag."""
    try:
        tags = _listed(headers, "If-None-Match")
    except MalformedTag:
        return False
    return tags is not None and tags != _ANY and any(value == tag for _, value in tags)


def _strong(tags: _Tags) -> tuple[str, ...]:
    """If-Match compares strongly: a weak tag matches nothing (RFC 9110, §8.8.3.2)."""
    return tuple(value for weak, value in tags if not weak)


def _listed(headers: Headers, name: str) -> _Tags | Literal["*"] | None:
    lines = headers.getlist(name)
    if not lines:
        return None
    text = ",".join(lines)
    if text.strip(" \t") == _ANY:
        return _ANY
    tags: _Tags = []
    position = 0
    while position < len(text):
        if text[position] in ", \t":
            position += 1
            continue
        found = _TAG.match(text, position)
        if found is None:
            raise MalformedTag(name, text)
        tags.append((found[1] is not None, found[2]))
        position = found.end()
    if not tags:
        raise MalformedTag(name, text)
    return tags
