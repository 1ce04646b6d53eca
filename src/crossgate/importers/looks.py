"""Says what a document looks like, for people who named the wrong file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from crossgate.diagnostics import InvalidInput, printable
from crossgate.importers.source import Source

_ROOT: Final = re.compile(rb"<(?![?!])[^\s/>]{1,100}")
_MOST_KEYS: Final = 6


def describe_source(source: Source) -> str:
    """A phrase: ``YAML with the keys apis and gateway``."""
    data = source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not data:
        return "an empty file"
    if data.startswith(b"PK"):
        return "a zip archive"
    if data.startswith(b"<"):
        element = _ROOT.search(data)
        name = "" if element is None else element[0][1:].decode("utf-8", "replace")
        if name.lower() == "html" or data[:9].lower() == b"<!doctype":
            return "an HTML page"
        return f"XML with the root element {printable(name)}" if name else "XML"
    if b"\0" in data:
        return "binary data"
    try:
        trees = source.trees
    except InvalidInput as invalid:
        what = "JSON" if data[:1] in b"{[" else "YAML"
        return f"a file that is not valid {what}: {invalid.diagnostics[0].message}"
    root = trees[0].root if trees else None
    if not isinstance(root, Mapping):
        return "plain text" if isinstance(root, str) else f"a document whose root is {_kind(root)}"
    keys = [printable(str(key)[:50]) for key in list(root)[:_MOST_KEYS]]
    more = " and others" if len(root) > _MOST_KEYS else ""
    return f"a document with the keys {', '.join(keys)}{more}" if keys else "an empty document"


def _kind(root: object) -> str:
    return "a list" if isinstance(root, list) else "a single value"
