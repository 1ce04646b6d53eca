"""A document on disk to a reading of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossgate.catalogue.document.reader import Reading, read_document
from crossgate.catalogue.yaml.files import FileStamp, read_text
from crossgate.diagnostics import Diagnostic


def load_document(path: str | Path) -> Reading:
    """The catalogue in the file, or every reason why there is none; never an exception.

    Relative paths in the document count from its own folder.
    """
    file = Path(path)
    seen = FileStamp.now(file)
    text = read_text(file)
    if isinstance(text, Diagnostic):
        return Reading(None, (text,), str(path), files=(seen,))
    reading = read_document(text, file=str(path), folder=file.absolute().parent)
    return replace(reading, files=(seen, *reading.files))
