"""The file to which an import is written: a new document, or one that is edited and keeps its comments.

The text of a document is edited. The result is read, and written only if it declares exactly what it should
and nobody has changed the file meanwhile.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.named_file import MAX_BYTES
from crossgate.catalogue.yaml.additions import add_objects
from crossgate.catalogue.yaml.edits import UneditableError
from crossgate.catalogue.yaml.files import decode_text, too_large, unreadable
from crossgate.catalogue.yaml.patch import ObjectEdit, edit_document
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.commented import write_commented
from crossgate.importers.looks import has_no_section
from crossgate.importers.merge import MergedImport
from crossgate.importers.objects import SECTIONS
from crossgate.importers.source import Source


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """A document to which an import is written."""

    path: Path
    data: bytes
    """Empty if the file does not exist, or is empty."""
    text: str
    catalogue: Catalogue
    """What the document declares now."""


def read_target(path: Path) -> ImportTarget:
    """The document in the file, or an empty one.

    Raises:
        InvalidInput: the document is invalid, with every error; or the file cannot be read.

    """
    try:
        if not path.exists() and not path.is_symlink():
            return ImportTarget(path, b"", "", Catalogue())
        if path.exists() and not path.is_file() and not path.is_dir():
            remedy = "Name a file, or leave out -o to write to standard output"
            raise InvalidInput([_about(path, "file-unwritable", "not a regular file", remedy)])
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput([unreadable(path, error)]) from error
    if len(data) > MAX_BYTES:
        raise InvalidInput([too_large(str(path))])
    text = decode_text(data, str(path))
    if isinstance(text, Diagnostic):
        raise InvalidInput([text])
    if not text.strip():
        return ImportTarget(path, data, "", Catalogue())
    reading = read_document(text, file=str(path), folder=path.absolute().parent)
    if reading.catalogue is None:
        if has_no_section(Source(str(path), data)):
            # One error for each of its keys would not say that it is the wrong file.
            message = (
                "not a Crossgate document: it has none of the keys apis, applications, gateway, settings"
            )
            remedy = "Name a new file with -o, or a Crossgate document"
            raise InvalidInput([_about(path, "not-a-document", message, remedy)])
        raise InvalidInput(reading.diagnostics)
    return ImportTarget(path, data, text, reading.catalogue)


def write_target(target: ImportTarget, merged: MergedImport) -> bool:
    """Write what is added and changed; returns whether there is anything.

    Raises:
        InvalidInput: the document cannot be edited by a program, or not be written. The file is as before.

    """
    if not merged.added.document and not merged.changed:
        return False
    text = _edited(target, merged)
    mark = codecs.BOM_UTF8 if target.data.startswith(codecs.BOM_UTF8) else b""
    _replace(target, mark + text.encode())
    return True


def _edited(target: ImportTarget, merged: MergedImport) -> str:
    if not target.text:
        return write_commented(merged.added)
    try:
        text = _edit(target, merged)
    except UneditableError as error:
        raise _uneditable(target.path, str(error)) from error
    if _read(target.path, text) != merged.catalogue:
        raise _uneditable(target.path, "the result would declare something else")
    return text


def _edit(target: ImportTarget, merged: MergedImport) -> str:
    if _is_json(target.text):
        raise UneditableError("a JSON document")
    edits = [ObjectEdit(SECTIONS[one.type], one.before, one.after) for one in merged.changed]
    text = edit_document(target.text, edits) if edits else target.text
    return add_objects(text, write_commented(merged.added)) if merged.added.document else text


def _uneditable(path: Path, reason: str) -> InvalidInput:
    message = f"the document has a form that is not edited: {reason}"
    remedy = "Import into a new file, and move its objects by hand; or write the lists in block style"
    return InvalidInput([_about(path, "document-uneditable", message, remedy)])


def _is_json(text: str) -> bool:
    with suppress(ValueError, RecursionError):
        json.loads(text)
        return True
    return False


def _read(path: Path, text: str) -> Catalogue | None:
    return read_document(text, file=str(path), folder=path.absolute().parent).catalogue


def _replace(target: ImportTarget, data: bytes) -> None:
    """Write the file so that readers see the old content or the new one; a link stays a link."""
    temporary: Path | None = None
    try:
        path = target.path.resolve()
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".new", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            _take_over_mode(path, file.fileno())
            os.fsync(file.fileno())
        with _one_at_a_time(path.parent):
            if (path.read_bytes() if path.exists() else b"") != target.data:
                remedy = "Import again"
                message = "the file has changed while the documents were imported"
                raise InvalidInput([_about(target.path, "file-changed", message, remedy)])
            temporary.replace(path)
        temporary = None
    except OSError as error:
        message = f"the file cannot be written: {os.strerror(error.errno) if error.errno else error}"
        remedy = "Check the path, its permissions and the space on the disk"
        raise InvalidInput([_about(target.path, "file-unwritable", message, remedy)]) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other imports into the folder from replacing the file between the last look at it and the end."""
    descriptor = None
    try:
        # Some file systems lock no folders, and some folders cannot be opened: the import works there too.
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _take_over_mode(path: Path, descriptor: int) -> None:
    """Give the new file the mode and the owner of the old one, or the usual mode."""
    try:
        old = path.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _about(path: Path, code: str, message: str, remedy: str) -> Diagnostic:
    return Diagnostic(code, message, remedy, Place(file=str(path)))
