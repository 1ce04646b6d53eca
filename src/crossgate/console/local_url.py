"""URLs that a form or a query brings back: only paths of the console are followed."""

from __future__ import annotations


def local_url(value: str, otherwise: str) -> str:
    """The value if it is a path of the console, perhaps with a query; not `//evil`.

    Browsers read a backslash as a slash, and drop tabs and line breaks:
    https://url.spec.whatwg.org/#url-parsing
    """
    is_local = value.startswith("/") and value[1:2] not in ("/", "\\") and value.isprintable()
    return value if is_local else otherwise
