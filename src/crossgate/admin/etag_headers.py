"""Entity tags in HTTP headers: preconditions of requests, ``ETag`` of responses.

RFC 9110, §8.8.3 and §13.1: https://www.rfc-editor.org/rfc/rfc9110#section-13.1
"""

from __future__ import annotations

import re
from typing import Final, Literal

from starlette.datastructures import Headers

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import ServiceError
from crossgate.service.etag import Absent, EtagTarget, Matches, Precondition, Present

_ETAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_Etags = list[tuple[bool, str]]
"""Each with whether it is weak."""
_ANY: Final = "*"
_REVISION: Final = re.compile(r"revision-([0-9]{1,9})")


class PreconditionRequired(ServiceError):
    """A write without a precondition, which could overwrite changes that its sender has not seen."""

    def __init__(self, *, creates: bool) -> None:
        remedy = "Send If-Match with the ETag of the last read"
        if creates:
            remedy += ", or If-None-Match: * to create a new object"
        super().__init__([Diagnostic("precondition-required", "the write has no precondition", remedy)])


class MalformedEtag(ServiceError):
    """A precondition that is not a list of entity tags."""

    def __init__(self, header: str, value: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="tag-malformed",
                    message=f"{header} is not a valid list of entity tags",
                    remedy='Send the etag as it was received, quotes included: If-Match: "…"',
                    found=value[:100],
                )
            ]
        )


def quoted(etag: str) -> str:
    """The etag as a header's value."""
    return f'"{etag}"'


def revision_etag(number: int) -> str:
    """The etag of the whole catalogue at a revision."""
    return f"revision-{number}"


def parse_preconditions(headers: Headers, target: EtagTarget, *, creates: bool = False) -> list[Precondition]:
    """The preconditions of a write; ``creates`` tells whether the write can create its target.

    Raises:
        PreconditionRequired: there is none.
        MalformedEtag: a header is malformed, or cannot be used with this write.

    """
    preconditions: list[Precondition] = []
    match_ = _parse(headers, "If-Match")
    if match_ is not None:
        preconditions.append(Present(target) if match_ == _ANY else Matches(target, _strong(match_)))
    none_match = _parse(headers, "If-None-Match")
    if none_match is not None:
        if none_match != _ANY or not creates:
            raise MalformedEtag("If-None-Match", str(headers.get("If-None-Match")))
        preconditions.append(Absent(target))
    if not preconditions:
        raise PreconditionRequired(creates=creates)
    return preconditions


def parse_base_revision(headers: Headers) -> int | None:
    """The revision in ``If-Match``; None for ``*``, any revision.

    Raises:
        PreconditionRequired: there is no ``If-Match``.
        MalformedEtag: it is not the etag of one revision.

    """
    etags = _parse(headers, "If-Match")
    if etags is None:
        raise PreconditionRequired(creates=False)
    if etags == _ANY:
        return None
    revision = _REVISION.fullmatch(etags[0][1]) if len(etags) == 1 and not etags[0][0] else None
    if revision is None:
        raise MalformedEtag("If-Match", str(headers.get("If-Match")))
    return int(revision[1])


def is_cached(headers: Headers, etag: str) -> bool:
    """Whether the client already has the content with this etag (``If-None-Match`` of a read)."""
    try:
        etags = _parse(headers, "If-None-Match")
    except MalformedEtag:
        return False
    return etags is not None and etags != _ANY and any(value == etag for _, value in etags)


def _strong(etags: _Etags) -> tuple[str, ...]:
    """If-Match compares strongly: a weak etag matches nothing (RFC 9110, §8.8.3.2)."""
    return tuple(value for weak, value in etags if not weak)


def _parse(headers: Headers, name: str) -> _Etags | Literal["*"] | None:
    lines = headers.getlist(name)
    if not lines:
        return None
    value = ",".join(lines)
    if value.strip(" \t") == _ANY:
        return _ANY
    etags: _Etags = []
    position = 0
    while position < len(value):
        if value[position] in ", \t":
            position += 1
            continue
        etag = _ETAG.match(value, position)
        if etag is None:
            raise MalformedEtag(name, value)
        etags.append((etag[1] is not None, etag[2]))
        position = etag.end()
    if not etags:
        raise MalformedEtag(name, value)
    return etags
