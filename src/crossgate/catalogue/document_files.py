"""The texts of documents: from files, from directories, and from standard input.

A directory stands for all YAML files in it, those of its subdirectories included: what a change removes must
not depend on a file that was overlooked. Hidden files and directories are left out, such as `.github`. A link
to a directory is an error. A link to a file is followed if it stays in the directory: the directory may come
from somebody who may not read what this user may, with a pull request.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from crossgate.catalogue.named_file import MAX_BYTES, FileRefused, read_below
from crossgate.catalogue.yaml.files import FileStamp, decode_text, read_text, too_large, unreadable
from crossgate.diagnostics import Diagnostic, Place

STDIN: Final = Path("-")
STDIN_NAME: Final = "<stdin>"
"""What diagnostics call standard input, as compilers do."""
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a document, how diagnostics name its file, and where its relative paths count from."""

    text: str
    file: str | None
    folder: Path | None


def read_file(path: str | Path, stamps: list[FileStamp]) -> SourceText | Diagnostic:
    """The text of one file; a stamp of it is added to ``stamps``."""
    file = Path(path)
    stamps.append(FileStamp.now(file))
    return _as_source(read_text(file), str(path), file.absolute().parent)


def read_files(
    paths: Iterable[Path], stdin: BinaryIO, stamps: list[FileStamp]
) -> Iterator[SourceText | Diagnostic]:
    """The texts of files, of those in directories, and for ``-`` of the stream; each file once."""
    seen: set[Path] = set()
    for path in paths:
        if path == STDIN:
            if path not in seen:
                yield _as_source(_read_stream(stdin), STDIN_NAME, Path.cwd())
            seen.add(path)
        elif not _is_directory(path):
            if _is_new(path, seen):
                yield read_file(path, stamps)
        else:
            found = _find_files(path)
            if not found:
                yield _empty(path)
            for file in found:
                if isinstance(file, Diagnostic):
                    yield file
                elif _is_new(file, seen):
                    stamps.append(FileStamp.now(file))
                    yield _as_source(_read_in(path, file), str(file), file.absolute().parent)


def _as_source(text: str | Diagnostic, name: str, folder: Path) -> SourceText | Diagnostic:
    return text if isinstance(text, Diagnostic) else SourceText(text, name, folder)


def _is_directory(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def _is_new(path: Path, seen: set[Path]) -> bool:
    with suppress(OSError, ValueError, RuntimeError):
        resolved = path.resolve()
        if resolved in seen:
            return False
        seen.add(resolved)
    return True


def _find_files(directory: Path) -> list[Path | Diagnostic]:
    """The YAML files of a directory, sorted, after a diagnostic for each directory that is not read."""
    failures: list[OSError] = []
    found: list[Path] = []
    links: list[Path] = []
    for folder, folders, files in os.walk(directory, onerror=failures.append):
        folders[:] = (name for name in folders if not name.startswith("."))
        links += (Path(folder, name) for name in folders if Path(folder, name).is_symlink())
        found += (Path(folder, name) for name in files if _is_document(name))
    refused = [unreadable(Path(failure.filename), failure, "directory") for failure in failures]
    return [*refused, *map(_link, sorted(links)), *sorted(found)]


def _link(directory: Path) -> Diagnostic:
    return Diagnostic(
        "file-refused",
        "a link to a directory, which is not followed",
        "Put the directory in its place; or hide the link, and name the directory on the command line",
        Place(file=str(directory)),
        found=str(directory),
    )


def _is_document(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES


def _read_in(directory: Path, file: Path) -> str | Diagnostic:
    try:
        data = read_below(directory, file)
    except FileRefused:
        return Diagnostic(
            "file-refused",
            "not a regular file in the directory",
            "Replace it by a regular file, or name it on the command line",
            Place(file=str(file)),
            found=str(file),
        )
    except OSError as error:
        return unreadable(file, error)
    return too_large(str(file)) if len(data) > MAX_BYTES else decode_text(data, str(file))


def _read_stream(stream: BinaryIO) -> str | Diagnostic:
    try:
        data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return unreadable(Path(STDIN_NAME), error)
    return too_large(STDIN_NAME) if len(data) > MAX_BYTES else decode_text(data, STDIN_NAME)


def _empty(directory: Path) -> Diagnostic:
    return Diagnostic(
        "directory-empty",
        "no YAML file in the directory",
        "Check the path: *.yaml and *.yml are read, also in subdirectories, hidden ones are not",
        Place(file=str(directory)),
        found=str(directory),
    )
