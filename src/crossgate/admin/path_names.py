"""Names in paths: any name can stand in a path segment, a slash in it percent-encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.record import as_found

_ESCAPED_SLASH: Final = "\x00"
"""Replaces an encoded slash in a decoded path, so that it separates no segments; no name contains NUL."""


def decode_path(raw_path: bytes) -> str | None:
    """The decoded path for routing; None if it is not UTF-8 or contains NUL."""
    try:
        segments = [unquote_to_bytes(one).decode() for one in raw_path.split(b"/")]
    except UnicodeDecodeError:
        return None
    if any(_ESCAPED_SLASH in one for one in segments):
        return None
    return "/".join(one.replace("/", _ESCAPED_SLASH) for one in segments)


def name_in(segment: str) -> str:
    """The name that a segment of a decoded path contains."""
    return segment.replace(_ESCAPED_SLASH, "/")


def with_path_names(body: Mapping[str, object], segments: Mapping[str, str]) -> dict[str, object]:
    """The body completed by the names in the path.

    Raises:
        InvalidInput: the body has another name than the path.

    """
    names = {key: name_in(segment) for key, segment in segments.items()}
    mismatches = [
        Diagnostic(
            "name-mismatch",
            f"the body's {key} differs from the path's, {name}",
            "Omit it, or repeat the path's value; to rename, create a new object and delete the old one",
            Place((key,)),
            found=as_found(body[key]),
        )
        for key, name in names.items()
        if key in body and body[key] != name
    ]
    if mismatches:
        raise InvalidInput(mismatches)
    return {**body, **names}
