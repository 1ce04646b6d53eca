"""The names of APIs and applications: what they may consist of."""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic

MAX_NAME: Final = 200

NAME_PATTERN: Final = r"[A-Za-z0-9._~-]+"
"""RFC 3986's unreserved characters: they stand in a path as they are, and mean nothing there."""

_NAME: Final = re.compile(NAME_PATTERN)


def parse_name(loose: object) -> str | Diagnostic:
    """The name of an API or its version: one segment of a path, as it stands."""
    if isinstance(loose, str) and _NAME.fullmatch(loose) and loose not in (".", "..") and _fits(loose):
        return loose
    return Diagnostic(
        code="name-invalid",
        message=(
            f"a name or version is 1 to {MAX_NAME} letters, digits and . _ ~ -, for it becomes part of a path"
        ),
        found=repr(loose),
        remedy="Write for example petstore, or 1.0",
    )


def parse_application_name(loose: object) -> str | Diagnostic:
    """The name of an application: printable text, blanks inside only."""
    if isinstance(loose, str) and loose and loose.isprintable() and loose == loose.strip() and _fits(loose):
        return loose
    return Diagnostic(
        code="name-invalid",
        message=f"an application's name is 1 to {MAX_NAME} printable characters without blanks around them",
        found=repr(loose),
        remedy="Write for example storefront",
    )


def _fits(name: str) -> bool:
    return len(name) <= MAX_NAME
