"""Opens the documents of an import: those that the user names, and those to which they refer.

References are written by somebody else: from a file they lead to files below its folder, and to other hosts
only if the user allows it. Those of standard input lead to files only below a folder that the user names: the
current folder is not known to the document's author, and may have files that are nobody's business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urljoin, urlsplit

from crossgate.catalogue.document_files import STDIN_NAME
from crossgate.catalogue.named_file import MAX_BYTES, FileRefused, read_below
from crossgate.catalogue.yaml.files import unreadable
from crossgate.cli.remote_documents import RemoteDocument, fetch_document
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.source import Source

MAX_DOCUMENTS: Final = 100
"""To which the documents of an import refer, together."""
MAX_TOTAL_BYTES: Final = 32 * 1024 * 1024
_LONGEST_PATH: Final = 4096
"""Characters, as Linux has it; a path of a hundred thousand folders takes seconds to resolve."""
_OTHER_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_SCHEMES: Final = ("http://", "https://")

Fetch = Callable[..., RemoteDocument]


@dataclass(frozen=True, slots=True)
class _Location:
    """Where a document is from, and where its references may lead."""

    file: Path | None = None
    """None of standard input, and of a remote document."""
    root: Path | None = None
    """The folder in which files may be read; None for none."""


@dataclass
class SourceOpener:
    """Opens documents, each of them once. The limits hold for all of them together."""

    root: Path | None = None
    """The folder in which references may lead to files; None for that of each document."""
    remote: bool = False
    """Whether references to other hosts are followed."""
    fetch: Fetch = fetch_document
    _locations: dict[str, _Location] = field(default_factory=dict, repr=False)
    _files: dict[tuple[Path, Path], Source] = field(default_factory=dict, repr=False)
    _fetched: dict[str, Source] = field(default_factory=dict, repr=False)
    _opened: int = 0
    _bytes: int = 0

    def open_named(self, name: str, stdin: BinaryIO) -> Source:
        """The document that the user names: a path, ``-`` or an http(s) URL.

        Raises:
            InvalidInput: it cannot be read, or is too large.

        """
        if name.lower().startswith(_SCHEMES):
            found = self.fetch(name, name, named_by_user=True)
            source = self._remember(found.url, found.data, _Location())
            self._fetched[name.partition("#")[0]] = self._fetched[found.url] = source
            return source
        if _OTHER_SCHEME.match(name):
            message = "only http and https URLs are fetched"
            raise InvalidInput(
                [
                    Diagnostic(
                        "scheme-unknown",
                        message,
                        "Save the document to a file, and name the file",
                        found=name,
                    )
                ]
            )
        try:
            if name == "-":
                data = stdin.read(MAX_BYTES + 1)
            else:
                with Path(name).open("rb") as file:
                    data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            shown = STDIN_NAME if name == "-" else name
            raise InvalidInput([_named_directory(unreadable(Path(shown), error), error)]) from error
        if name == "-":
            return self._remember(STDIN_NAME, _bounded(data, STDIN_NAME), _Location(None, self.root))
        path = Path(name).absolute()
        root = self.root or path.parent
        source = self._remember(name, _bounded(data, name), _Location(path, root))
        with suppress(OSError, RuntimeError):
            self._files[root, path.resolve()] = source
        return source

    def _remember(self, name: str, data: bytes, location: _Location) -> Source:
        self._locations[name] = location
        return Source(name, data, self._open)

    def _open(self, reference: str, base: str) -> Source:
        """The document at the reference in the document ``base``."""
        location = self._locations[base]
        try:
            parts = urlsplit(reference)
            is_remote = location.file is None and base.lower().startswith(_SCHEMES)
            target = urljoin(base, reference) if is_remote else reference
        except ValueError as error:
            raise _refused(base, reference, "invalid reference", "Correct the reference") from error
        if is_remote or parts.scheme in ("http", "https"):
            return self._open_remote(target, reference, base)
        if parts.scheme or parts.netloc:
            message = f"only relative references{' and http(s) URLs' if self.remote else ''} are followed"
            remedy = "Write a relative path to a file below the document's folder"
            raise _refused(base, reference, message, remedy)
        if parts.query:
            message, remedy = "a file has no query", "Write the path of the file alone"
            raise _refused(base, reference, message, remedy)
        if len(parts.path) > _LONGEST_PATH:
            message = f"the path is longer than {_LONGEST_PATH} characters"
            remedy = "Write a relative path to a file below the document's folder"
            raise _refused(base, reference, message, remedy)
        return self._open_file(unquote(parts.path), reference, base, location)

    def _open_remote(self, url: str, reference: str, base: str) -> Source:
        if not url.lower().startswith(_SCHEMES):
            message = "a document from another host may not refer to a file of this machine"
            raise _refused(base, reference, message, "Save the documents to files")
        url = url.partition("#")[0]
        if url in self._fetched:
            return self._fetched[url]
        if not self.remote:
            message = "references to other hosts are not followed"
            remedy = "Set --remote to fetch them, or save the documents to files"
            raise _refused(base, reference, message, remedy)
        self._count(reference, base)
        found = self.fetch(url, base)
        self._count_bytes(found.data, reference, base)
        known = self._fetched.get(found.url)
        source = known or self._remember(found.url, found.data, _Location())
        self._fetched[url] = self._fetched[found.url] = source
        return source

    def _open_file(self, path: str, reference: str, base: str, location: _Location) -> Source:
        root, file = location.root, location.file
        if root is None:
            message = "references from standard input to files are not followed"
            raise _refused(base, reference, message, "Set --root to the folder from which they count")
        if path.startswith("/"):
            message = "an absolute path is not followed"
            remedy = "Write a relative path to a file below the document's folder"
            raise _refused(base, reference, message, remedy)
        target = (root.absolute() if file is None else file.parent) / path
        try:
            known = root, target.resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise _refused(base, reference, "invalid path", "Check the path") from error
        if known in self._files:
            return self._files[known]
        self._count(reference, base)
        try:
            data = read_below(root, target)
        except FileRefused as refused:
            remedy = (
                "Keep a regular file below the document's folder, or name a folder above both with --root"
            )
            raise _refused(base, reference, str(refused), remedy) from refused
        except OSError as error:
            why = unreadable(Path(reference), error)
            raise InvalidInput([replace(why, place=Place(file=base), found=reference)]) from error
        name = _name_beside(base, path, known[1]) if file is not None else path
        self._count_bytes(_bounded(data, name), reference, base)
        source = self._remember(self._unused(name), data, _Location(target, root))
        self._files[known] = source
        return source

    def _unused(self, name: str) -> str:
        """The name, with which no other document was opened."""
        while name in self._locations:
            name = f"./{name}"
        return name

    def _count(self, reference: str, base: str) -> None:
        self._opened += 1
        if self._opened > MAX_DOCUMENTS:
            message = f"the documents refer to more than {MAX_DOCUMENTS} others"
            raise _too_many(base, reference, message)

    def _count_bytes(self, data: bytes, reference: str, base: str) -> None:
        self._bytes += len(data)
        if self._bytes > MAX_TOTAL_BYTES:
            message = f"the referenced documents are larger than {MAX_TOTAL_BYTES // 2**20} MiB together"
            raise _too_many(base, reference, message)


def _name_beside(base: str, path: str, resolved: Path) -> str:
    """The file as diagnostics name it: as the user named the document, whose folder it counts from."""
    name = Path(base).parent / path
    short = Path(os.path.normpath(name))
    # With a link among the folders, the short path can lead to another file.
    return str(short if short.resolve() == resolved else name)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) <= MAX_BYTES:
        return data
    message = f"the document is larger than {MAX_BYTES // 2**20} MiB"
    raise InvalidInput([Diagnostic("file-size", message, "Import a part of it", Place(file=name))])


def _named_directory(why: Diagnostic, error: Exception) -> Diagnostic:
    if isinstance(error, IsADirectoryError):
        return replace(why, remedy="Name the documents in it")
    return why


def _refused(base: str, reference: str, message: str, remedy: str) -> InvalidInput:
    place = Place(file=base)
    return InvalidInput([Diagnostic("reference-refused", message, remedy, place, found=reference)])


def _too_many(base: str, reference: str, message: str) -> InvalidInput:
    remedy = "Put the parts that are needed into fewer documents"
    return InvalidInput([Diagnostic("document-limit", message, remedy, Place(file=base), found=reference)])
