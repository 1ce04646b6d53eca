"""What a document looks like, and what to do, for people who named the wrong file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

from crossgate.diagnostics import InvalidInput, printable
from crossgate.importers.source import Source

_HTML: Final = re.compile(rb"<!doctype\s+html", re.IGNORECASE)
_ROOT: Final = re.compile(rb"<(?![?!])[^\s/>]{1,100}")
_MOST_KEYS: Final = 6
_EMPTY: Final = "an empty document"
_PAGE: Final = "an HTML page"
_WITH_DOCTYPE: Final = "XML with a DOCTYPE, which is refused"
_UTF16: Final = "text in UTF-16"
_OWN: Final = "a Crossgate document"
_OWN_KEYS: Final = frozenset({"gateway", "settings", "apis", "applications"})
_REMEDIES: Final = {
    _EMPTY: "Check how it was saved",
    _PAGE: "Name the document instead of the page that shows it: its URL often ends in /openapi.json, "
    "/v3/api-docs or ?wsdl",
    _WITH_DOCTYPE: "Remove the DOCTYPE, and replace its entities by what they stand for",
    _UTF16: "Save it as UTF-8",
    _OWN: "Use it with crossgate run, plan or apply: it needs no import",
}


def describe_source(source: Source) -> str:
    """A phrase: ``YAML with the keys apis and gateway``."""
    data = source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not data:
        return _EMPTY
    if data.startswith(b"PK"):
        return "a zip archive"
    if data.startswith(b"<"):
        element = _ROOT.search(data)
        name = "" if element is None else element[0][1:].decode("utf-8", "replace")
        if name.lower() == "html" or _HTML.match(data):
            return _PAGE
        if b"<!DOCTYPE" in data[: element.start() if element else None]:
            return _WITH_DOCTYPE
        return f"XML with the root element {printable(name)}" if name else "XML"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _UTF16
    if b"\0" in data:
        return "binary data"
    try:
        trees = source.trees
    except InvalidInput as invalid:
        what = "JSON" if data[:1] in b"{[" else "YAML"
        return f"a file that is not valid {what}: {invalid.diagnostics[0].message}"
    root = trees[0].root if trees else None
    if not root:
        return _EMPTY
    if not isinstance(root, Mapping):
        return "plain text" if isinstance(root, str) else f"a document whose root is {_kind(root)}"
    if _OWN_KEYS.issuperset(root):
        return _OWN
    keys = [printable(str(key)[:50]) for key in list(root)[:_MOST_KEYS]]
    more = " and others" if len(root) > _MOST_KEYS else ""
    return f"a document with the keys {', '.join(keys)}{more}"


def has_no_section(source: Source) -> bool:
    """Whether it is some other document than Crossgate's, even than an invalid one."""
    if source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"PK")):
        return True
    roots = [tree.root for tree in source.parsed]
    return bool(roots) and not any(isinstance(root, Mapping) and _OWN_KEYS & set(root) for root in roots)


def remedy_for(description: str) -> str | None:
    """What to do with a document of that description, which is of no kind; None if its kind may be named."""
    return _REMEDIES.get(description)


def _kind(root: object) -> str:
    return "a list" if isinstance(root, list) else "a single value"
