"""Request bodies: unambiguous JSON objects, documents, and the limits of their size."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Final, NoReturn

from fastapi import Depends, Request

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import ServiceError

MAX_OBJECT: Final = 4 * 1024 * 1024
"""Bytes of one object: an API whose policy lists 50,000 origins takes half of it."""
MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""Bytes of a document, as for a file."""


class MalformedBody(ServiceError):
    """A body that cannot be parsed."""

    def __init__(self, message: str, remedy: str = "Send one JSON object in UTF-8") -> None:
        super().__init__([Diagnostic("body-malformed", message, remedy)])


class BodyTooLarge(ServiceError):
    """A body above the limit."""

    def __init__(self, limit: int) -> None:
        message = f"the body is larger than {limit // 2**20} MiB"
        super().__init__([Diagnostic("body-too-large", message, "Split it into smaller requests")])


async def read_document_text(request: Request) -> str:
    """The body of a request that carries a document.

    Raises:
        BodyTooLarge: it is above :data:`MAX_DOCUMENT`; the rest of it is not read.
        MalformedBody: it is not UTF-8.

    """
    return _decode(await _read(request, MAX_DOCUMENT))


async def read_json_object(request: Request) -> dict[str, object]:
    """The body of a request that carries one object.

    Raises:
        BodyTooLarge: it is above :data:`MAX_OBJECT`; the rest of it is not read.
        MalformedBody: it is not a JSON object, or is ambiguous: duplicate keys, NaN or Infinity, lone
            surrogates (RFC 8259, §4, §6 and §8.2: https://www.rfc-editor.org/rfc/rfc8259).

    """
    text = _decode(await _read(request, MAX_OBJECT))
    try:
        found = json.loads(text, object_pairs_hook=_members, parse_constant=_reject_constant)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise MalformedBody("the body is nested too deeply") from None
    except ValueError as error:
        raise MalformedBody(f"the body is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise MalformedBody("the body is not a JSON object")
    return found


async def _read(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:12]) > limit:
        raise BodyTooLarge(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedBody("the body is not UTF-8", "Encode the body as UTF-8") from None


def _members(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"duplicate key {json.dumps(name[:100])}")
        found[name] = value
    return found


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


JsonObject = Annotated[dict[str, object], Depends(read_json_object)]
DocumentText = Annotated[str, Depends(read_document_text)]
