"""Reads an export archive, a zip, from bytes in memory. Nothing is ever written to a disk.

No size that the archive claims is believed: bytes are counted while they are unpacked. An archive with a name
that could lead out of a folder is refused whole, although no name is ever used as a path: no gateway writes
such an archive.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, printable

MAX_MEMBERS: Final = 10_000
MAX_UNPACKED: Final = 64 * 2**20
"""Bytes of all members that are read."""
MAX_RATIO: Final = 200
"""JSON with long WSDL strings shrinks to a fiftieth; deflate can do a thousandth, of zeros."""
_SMALL: Final = 2**20
"""Bytes of a member to which the ratio does not apply."""
_CHUNK: Final = 2**16

_BEGINNINGS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
"""Flags of APPNOTE.TXT, section 4.4.4: a member is encrypted, strongly, or its name is masked."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE: Final = re.compile("[A-Za-z]:")
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    OverflowError,
    LookupError,
    MemoryError,
)
"""What :mod:`zipfile` raises for archives that are damaged or made to do harm."""


def is_archive(data: bytes) -> bool:
    """Whether the bytes begin as a zip does."""
    return data.startswith(_BEGINNINGS)


def member_names(data: bytes) -> list[str]:
    """The names in an archive that can be opened; none of another one."""
    try:
        return [one.filename for one in _open(data, "").infolist()]
    except InvalidInput:
        return []


def read_archive(data: bytes, name: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each file in the archive that is ``wanted``, in the archive's order.

    Args:
        data: The archive.
        name: How diagnostics name it.
        wanted: Whether to read the member with that name. Others are not unpacked.

    Raises:
        InvalidInput: if the archive is damaged, unsafe or too large.

    """
    archive = _open(data, name)
    members = archive.infolist()
    _check_members(members, name)
    left = MAX_UNPACKED
    for member in members:
        if not member.is_dir() and wanted(member.filename):
            content = _read(archive, member, name, left)
            left -= len(content)
            yield member.filename, content


def _open(data: bytes, name: str) -> zipfile.ZipFile:
    # The library makes an object of every entry before their number can be read.
    if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise _too_many(name)
    try:
        return zipfile.ZipFile(BytesIO(data))
    except _BROKEN as error:
        raise _broken(name, error) from None


def _check_members(members: list[zipfile.ZipInfo], name: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise _too_many(name)
    seen: set[str] = set()
    for member in members:
        problem = _find_problem(member)
        if problem is None and member.filename in seen:
            problem = "archive-name", "a name is in the archive twice", "Export it again"
        if problem is not None:
            code, message, remedy = problem
            raise _refused(code, message, remedy, name, found=printable(member.orig_filename))
        seen.add(member.filename)


def _find_problem(member: zipfile.ZipInfo) -> tuple[str, str, str] | None:
    # The library cuts names at NUL, and cuts nothing else.
    path = member.orig_filename
    if path.startswith("/") or "\\" in path or _DRIVE.match(path) or ".." in path.split("/"):
        return (
            "archive-name",
            "a name in the archive leads out of its folder",
            "Export it again: a gateway writes no such names",
        )
    if not path.isprintable() or not path:
        return "archive-name", "a name in the archive has control characters or is empty", "Export it again"
    if member.flag_bits & _ENCRYPTED:
        return (
            "archive-encrypted",
            "the archive is encrypted",
            "Unpack it, and zip the files without password",
        )
    if member.compress_type not in _METHODS:
        return (
            "archive-method",
            "the archive is compressed in an unusual way",
            "Zip the files with the usual compression, deflate",
        )
    return None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, left: int) -> bytes:
    content = bytearray()
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                content += chunk
                if len(content) > left:
                    raise _refused(
                        "archive-size",
                        f"the archive has more than {MAX_UNPACKED // 2**20} MiB of assets unpacked",
                        "Export fewer APIs at once",
                        name,
                        found=member.filename,
                    )
                if len(content) > max(_SMALL, MAX_RATIO * member.compress_size):
                    raise _refused(
                        "archive-ratio",
                        f"a file unpacks to more than {MAX_RATIO} times its size",
                        "Export it again: JSON does not shrink that much",
                        name,
                        found=member.filename,
                    )
    except InvalidInput:
        raise
    except _BROKEN as error:
        raise _broken(f"{name}:{member.filename}", error) from None
    return bytes(content)


def _too_many(name: str) -> InvalidInput:
    return _refused(
        "archive-size", f"the archive has more than {MAX_MEMBERS:,} files", "Export fewer APIs at once", name
    )


def _broken(name: str, error: Exception) -> InvalidInput:
    return _refused(
        "archive-damaged",
        "the archive is damaged or cut off",
        "Export it again, or copy it again in binary mode",
        name,
        found=printable(str(error)) or type(error).__name__,
    )


def _refused(code: str, message: str, remedy: str, name: str, *, found: str | None = None) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, Place(file=name), found)])
