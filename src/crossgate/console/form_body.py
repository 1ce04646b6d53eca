"""Reads the forms that browsers send, within limits: strangers send them too.

Percent-encoded bytes are decoded in C, and large forms in a thread. In Python, a body of 1 MiB takes a
second, in which the event loop would serve nobody, nodes included.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from multipart import MultipartError, ParserLimitReached, PushMultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request

MAX_FORM: Final = 12 * 1024 * 1024
"""Bytes: an object of 4 MiB, of which each byte may be percent-encoded."""
MAX_DOCUMENT_FORM: Final = 4 * MAX_FORM
"""Bytes: a document of 16 MiB, likewise."""
MAX_FIELDS: Final = 100_000
MAX_PARTS: Final = 1000
"""Of a form with files; no page has a hundredth of it."""
_URL_ENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_SMALL: Final = 64 * 1024
"""Bytes that are decoded on the event loop."""
_NO_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a form."""

    name: str
    """As the browser names it."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form contains."""

    fields: Fields = field(default_factory=list)
    files: Mapping[str, UploadedFile] = field(default_factory=dict)
    """Chosen files by the names of their fields."""


class FormRefusedError(Exception):
    """A form that is not read. ``reason`` is one of the header `Crossgate-Session`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def has_short_body(headers: Headers, limit: int) -> bool:
    """Whether the request announces a body within the limit, as browsers do for each form.

    With `Transfer-Encoding`, the announced length means nothing.
    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    announced = headers.get("content-length", "")
    is_number = announced.isascii() and announced.isdigit() and len(announced) <= len(str(1 << 63))
    return is_number and int(announced) <= limit and "transfer-encoding" not in headers


def form_fields(body: bytes) -> Fields:
    """The fields of an `application/x-www-form-urlencoded` body.

    Raises:
        FormRefusedError: it has too many fields, or a percent sign that encodes nothing, as no browser's has.

    """
    if body.count(b"&") >= MAX_FIELDS:
        raise FormRefusedError("too-large")
    if _NO_ESCAPE.search(body) is not None:
        raise FormRefusedError("another-site")
    pairs = (one.partition(b"=") for one in body.split(b"&") if one)
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def multipart_form(body: bytes, boundary: str) -> Form:
    """The form in a `multipart/form-data` body; a field for which no file was chosen is left out.

    Raises:
        FormRefusedError: it has too many parts, or is malformed, as no browser's is.

    """
    fields: Fields = []
    files: dict[str, UploadedFile] = {}
    part: Any = None  # its module has no types
    content = bytearray()
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS, strict=True) as parser:
            for event in parser.parse(body):
                if isinstance(event, bytes | bytearray):
                    content += event
                elif event is not None:
                    part, content = event, bytearray()
                elif part.filename is None:
                    fields.append((part.name, content.decode("utf-8", "replace")))
                elif part.filename or content:
                    files[part.name] = UploadedFile(part.filename, bytes(content))
    except ParserLimitReached:
        raise FormRefusedError("too-large") from None
    except MultipartError:
        raise FormRefusedError("another-site") from None
    return Form(fields, files)


async def read_form(request: Request) -> Form:
    """The request's form, whose length was judged before; raises FormRefusedError if it is malformed."""
    kept: Form | None = getattr(request.state, "form", None)
    if kept is None:
        body = await request.body()
        kind = request.headers.get("content-type", "")
        kept = await run_in_threadpool(_parse, body, kind) if len(body) > _SMALL else _parse(body, kind)
        request.state.form = kept
    return kept


async def read_fields(request: Request) -> Fields:
    """The fields of the request's form, without its files; raises as :func:`read_form`."""
    return list((await read_form(request)).fields)


def has_form(headers: Headers) -> bool:
    """Whether the request carries a form that this module reads."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in (_URL_ENCODED, _MULTIPART)


def _parse(body: bytes, content_type: str) -> Form:
    kind, options = parse_options_header(content_type)
    if kind != _MULTIPART:
        return Form(form_fields(body))
    return multipart_form(body, options.get("boundary") or "none")


def _decoded(encoded: bytes) -> str:
    # Quoted-printable is the same with another sign: there is no decoder of percent signs in C.
    quoted = encoded.replace(b"+", b" ").replace(b"=", b"%3D").replace(b"%", b"=")
    return a2b_qp(quoted).decode("utf-8", "replace")
