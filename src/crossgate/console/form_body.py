"""Reads the forms that browsers send, within limits: strangers send them too.

Percent-encoded bytes are decoded in C, and large forms in a thread. In Python, a body of 1 MiB takes a
second, in which the event loop would serve nobody, nodes included.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request

MAX_FORM: Final = 12 * 1024 * 1024
"""Bytes: an object of 4 MiB, of which each byte may be percent-encoded."""
MAX_DOCUMENT_FORM: Final = 4 * MAX_FORM
"""Bytes: a document of 16 MiB, likewise."""
MAX_FIELDS: Final = 100_000
_SMALL: Final = 64 * 1024
"""Bytes that are decoded on the event loop."""
_NO_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
Fields = list[tuple[str, str]]


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


async def read_fields(request: Request) -> Fields:
    """The fields of the request's form, whose length was judged before; raises as :func:`form_fields`."""
    kept: Fields | None = getattr(request.state, "form_fields", None)
    if kept is None:
        body = await request.body()
        kept = await run_in_threadpool(form_fields, body) if len(body) > _SMALL else form_fields(body)
        request.state.form_fields = kept
    return list(kept)


def _decoded(encoded: bytes) -> str:
    # Quoted-printable is the same with another sign: there is no decoder of percent signs in C.
    quoted = encoded.replace(b"+", b" ").replace(b"=", b"%3D").replace(b"%", b"=")
    return a2b_qp(quoted).decode("utf-8", "replace")
