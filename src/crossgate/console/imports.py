"""The document that is imported, as a form sends it, and the kind of document that it is."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

from crossgate.console.form_body import UploadedFile

CROSSGATE: Final = {
    "name": "crossgate",
    "title": "Crossgate document",
    "sentence": "YAML or JSON with gateway, settings, apis and applications: each object in it is added or "
    "replaced.",
}
"""The kind of document that is applied as it is; the others are those of `GET /v1/import/kinds`."""
MAX_KEPT: Final = 1024 * 1024
"""Bytes of a file without text that the page carries, so that other options need no second upload."""
_BEGINNING: Final = 64 * 1024
_SECTION: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*|---[^\n]*|%[^\n]*)?\r?\n)*"
    rb"[\"']?(?:gateway|settings|apis|applications)[\"']?[ ]*:"
)
_SECTION_OF_JSON: Final = re.compile(rb'"(?:gateway|settings|apis|applications)"\s*:')


@dataclass(frozen=True)
class SentDocument:
    """A document as it was sent: pasted, or as a file."""

    data: bytes
    name: str = ""
    """Of the file; empty if it was pasted."""
    pasted: bool = False

    @cached_property
    def text(self) -> str | None:
        """The document as a string; None if it is none that a field of a form could hold."""
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text

    @property
    def kept(self) -> str:
        """The content for a field of the next form, where it is neither text nor large."""
        small = self.text is None and len(self.data) <= MAX_KEPT
        return base64.b64encode(self.data).decode() if small else ""


def sent_document(form: Mapping[str, str], file: UploadedFile | None) -> SentDocument:
    """The document of a form: the chosen file, else the pasted text, else the file of the form before."""
    if file is not None:
        return SentDocument(file.data, file.name)
    name = form.get("file", "")
    text = normalised(form.get("document", ""))
    if not text.strip() and form.get("kept"):
        try:
            return SentDocument(base64.b64decode(form["kept"], validate=True), name)
        except binascii.Error:
            pass
    return SentDocument(text.encode("utf-8", "surrogatepass"), name, pasted=True)


def is_crossgate(document: SentDocument) -> bool:
    """Whether the document begins as Crossgate's own do. JSON of other kinds can begin so too."""
    return _SECTION.match(document.data[:_BEGINNING]) is not None


def may_be_crossgate(document: SentDocument) -> bool:
    """Whether a document that no other kind recognises has a section of Crossgate's."""
    return is_crossgate(document) or _SECTION_OF_JSON.search(document.data[:_BEGINNING]) is not None


def import_query(form: Mapping[str, str], kind: str, name: str) -> dict[str, object]:
    """The parameters of `POST /v1/import`."""
    return {
        "kind": kind,
        "native": form.get("native", "").split(),
        "origin": form.get("origin", "").split(),
        "name": form.get("name", "").strip(),
        "version": form.get("version", "").strip(),
        "observe": "true" if "observe" in form else None,
        "update": "true" if "update" in form else None,
        "file": name[:2000],
    }


def digest(text: str) -> str:
    """Tells whether the document is the one that was planned."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def normalised(text: str) -> str:
    """The text as it was pasted: forms send each end of a line as CR LF."""
    return text.replace("\r\n", "\n")
