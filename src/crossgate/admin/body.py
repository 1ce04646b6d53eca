"""The bodies of requests: JSON without ambiguities, documents as text, and nothing beyond the budget."""

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


class Malformed(ServiceError):
    """The body cannot be read at all."""


class TooLarge(ServiceError):
    """The body is beyond the budget."""

    def __init__(self, limit: int) -> None:
        message = f"the body is larger than {limit // 2**20} MiB"
        super().__init__([Diagnostic("body-too-large", message, "Send less at once")])


async def read_text(request: Request) -> str:
    """The body of a request that carries a document.

    Raises:
        TooLarge: it is beyond the budget; what comes after that is not read.
        Malformed: it is not UTF-8.

    """
    return _decoded(await _bytes(request, MAX_DOCUMENT))


async def read_json_object(request: Request) -> dict[str, object]:
    """The body of a request that carries one object.

    Raises:
        TooLarge: it is beyond the budget; what comes after that is not read.
        Malformed: it is not JSON, is no object, or leaves open what it says: two members of one name,
            numbers that are none, text that is no Unicode.

    """
    text = _decoded(await _bytes(request, MAX_OBJECT))
    try:
        found = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _malformed(f"the body is no JSON that has one meaning: {reason}") from None
    if not isinstance(found, dict):
        raise _malformed("the body must be a JSON object")
    return found


async def _bytes(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:12]) > limit:
        raise TooLarge(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _malformed("the body is not UTF-8") from None


def _members(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the member {json.dumps(name[:100])} stands there twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _malformed(message: str) -> Malformed:
    return Malformed([Diagnostic("body-malformed", message, "Send UTF-8 JSON with one object")])


JsonObject = Annotated[dict[str, object], Depends(read_json_object)]
DocumentText = Annotated[str, Depends(read_text)]
