"""Values that a form or a query brings: only paths of the console and short numbers are taken."""

from __future__ import annotations

from typing import Final

_MOST_DIGITS: Final = 9


def local_url(value: str, otherwise: str) -> str:
    """The value if it is a path of the console, perhaps with a query; not `//evil`.

    Browsers read a backslash as a slash, and drop tabs and line breaks:
    https://url.spec.whatwg.org/#url-parsing
    """
    is_local = value.startswith("/") and value[1:2] not in ("/", "\\") and value.isprintable()
    return value if is_local else otherwise


def whole_number(text: str) -> int | None:
    """The number that the text writes in ASCII digits, at most nine; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
