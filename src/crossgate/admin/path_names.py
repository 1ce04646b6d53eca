"""What a path names, and what a body calls itself: they must not disagree."""

from __future__ import annotations

from collections.abc import Mapping

from crossgate.admin.host_guard import ESCAPED_SLASH
from crossgate.catalogue.document.shape_errors import as_found
from crossgate.diagnostics import Diagnostic, InvalidInput, Place


def name_of(segment: str) -> str:
    """The name that a path's segment stands for."""
    return segment.replace(ESCAPED_SLASH, "/")


def with_path_names(body: Mapping[str, object], segments: Mapping[str, str]) -> dict[str, object]:
    """The body with the names that the path gives it.

    Raises:
        InvalidInput: it calls itself something else.

    """
    names = {key: name_of(segment) for key, segment in segments.items()}
    wrong = [
        Diagnostic(
            "name-mismatch",
            f"the path says {name}",
            "Leave it out, or write what the path says; to rename, create anew and remove the old one",
            Place((key,)),
            found=as_found(body[key]),
        )
        for key, name in names.items()
        if key in body and body[key] != name
    ]
    if wrong:
        raise InvalidInput(wrong)
    return {**body, **names}
