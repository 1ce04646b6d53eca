r"""Regular expressions as JavaScript writes them, between slashes: ``/^https:\/\/example\.com$/i``."""

from __future__ import annotations

import re
from typing import Final

_ANCHORED: Final = re.compile(r"(?:~\*?\s*)?\^(?P<body>.+)\$|~\*?\s*(?P<open>.+)", re.DOTALL)
_LITERAL: Final = re.compile(r"/(?P<body>.+)/(?P<flags>[dgimsuvy]*)", re.DOTALL)


def between_slashes(text: str) -> str | None:
    """The expression for whole origins that stands between the slashes; None if there are none.

    Origins are in lower case, so that no flag makes a difference.
    """
    found = _LITERAL.fullmatch(text)
    if found is None:
        return None
    body = found["body"].replace(r"\/", "/")
    left = "" if body.startswith("^") else ".*"
    right = "" if body.endswith("$") else ".*"
    body = body.removeprefix("^").removesuffix("$")
    if "|" in body and left + right:
        body = f"(?:{body})"
    return left + body + right


def between_anchors(text: str) -> str | None:
    """The expression for whole origins in ``^…$``, also after nginx's ``~`` or ``~*``; None for others."""
    found = _ANCHORED.fullmatch(text)
    if found is None:
        return None
    return between_slashes(f"/{found['open'] or '^' + found['body'] + '$'}/")
