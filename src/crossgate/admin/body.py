"""Request bodies: one limit for all routes, unambiguous JSON objects, and documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final, Generic, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossgate.admin.context import AdminContext
from crossgate.admin.workers import Recorded
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.record import as_found, unknown_keys
from crossgate.service.errors import ServiceError

MAX_OBJECT: Final = 4 * 1024 * 1024
"""Bytes of one object: an API whose policy lists 50,000 origins takes half of it."""
MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""Bytes of a document, as for a file."""
_LIMITS: Final = {
    "/v1/check": MAX_DOCUMENT,
    "/v1/plan": MAX_DOCUMENT,
    "/v1/apply": MAX_DOCUMENT,
    "/v1/import": MAX_DOCUMENT,
    "/v1/tokens": 16 * 1024,
    "/v1/sign-in-links": 16 * 1024,
    "/v1/explain/parse": 256 * 1024,
}
_SMALL: Final = 32 * 1024
"""Bytes that are parsed on the event loop. No JSON of that size takes more than some milliseconds."""
_Model = TypeVar("_Model", bound=BaseModel)


class MalformedBody(ServiceError):
    """A body that cannot be parsed."""

    def __init__(self, message: str, remedy: str = "Send one JSON object in UTF-8") -> None:
        super().__init__([Diagnostic("body-malformed", message, remedy)])


class BodyTooLarge(ServiceError):
    """A body above the limit."""

    def __init__(self, limit: int) -> None:
        size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
        message = f"the body is larger than {size}"
        super().__init__([Diagnostic("body-too-large", message, "Split it into smaller requests")])


class BodyLimit:
    """ASGI middleware that lets no route receive a body above its limit, however the route reads it.

    An announced length is judged before anything is read.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[BodyTooLarge], ASGIApp]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or refuse it."""
        limit = _LIMITS.get(scope["path"], MAX_OBJECT)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced[:12]) > limit:
            await self._refuse(BodyTooLarge(limit))(scope, receive, send)
            return
        await self._app(scope, _bounded(receive, limit), send)


def _bounded(receive: Receive, limit: int) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise BodyTooLarge(limit)
        return message

    return bounded


async def read_document_text(request: Request) -> str:
    """The body of a request that carries a document; raises as :func:`document_text`."""
    return await document_text(request)


async def document_text(request: Request, read: Callable[[], Recorded] | None = None) -> str:
    """The body of a request that carries a document, for a worker that also gets what ``read`` returns.

    Raises:
        BodyTooLarge: it is above the limit; the rest of it is not read.
        NeedsWorkerError: this is not a worker.
        MalformedBody: it is not UTF-8.

    """
    body = await request.body()
    _context(request).leave_to_worker(read)
    return _decode(body)


async def read_json_object(request: Request) -> dict[str, object]:
    """The body of a request that carries one object; a large one is parsed by a worker.

    Raises:
        BodyTooLarge: it is above the limit; the rest of it is not read.
        NeedsWorkerError: it is large, and this is not a worker.
        MalformedBody: it is not a JSON object, or is ambiguous: duplicate keys, NaN or Infinity, lone
            surrogates (RFC 8259, §4, §6 and §8.2: https://www.rfc-editor.org/rfc/rfc8259).

    """
    body = await request.body()
    if len(body) > _SMALL:
        _context(request).leave_to_worker()
    text = _decode(body)
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


class ModelBody(Generic[_Model]):
    """A dependency that reads the body as an object of a model.

    A route declares it after the role that it requires. FastAPI itself would read a body before that, of any
    size.
    """

    def __init__(self, model: type[_Model]) -> None:
        self.model = model

    async def __call__(self, request: Request) -> _Model:
        """The object.

        Raises:
            InvalidInput: with everything that the model refuses.

        """
        raw = await read_json_object(request)
        fields = {one.alias or name for name, one in self.model.model_fields.items()}
        # The model itself would take 0.1 ms for each unknown key, and report all of them.
        unknown = unknown_keys(raw, fields)
        try:
            found = self.model.model_validate({name: raw[name] for name in fields if name in raw})
        except ValidationError as error:
            invalid = [invalid_parameter(one) for one in error.errors(include_url=False)]
            raise InvalidInput([*invalid, *unknown]) from None
        if unknown:
            raise InvalidInput(unknown)
        return found


def invalid_parameter(error: Mapping[str, object]) -> Diagnostic:
    """What FastAPI or a model found wrong with a parameter or a key of the body."""
    location = error.get("loc")
    steps = tuple(location) if isinstance(location, tuple | list) else ()
    path = steps[1:] if steps[:1] == ("body",) else steps
    if error.get("type") == "json_invalid":
        return Diagnostic("body-malformed", "the body is not valid JSON", "Send one JSON object in UTF-8")
    return Diagnostic(
        code="parameter-invalid",
        message=_lower_first(str(error.get("msg", "invalid value"))),
        remedy="See GET /openapi.json for the allowed values",
        place=Place(path),
        found=None if error.get("type") == "missing" else as_found(error.get("input")),
    )


def _context(request: Request) -> AdminContext:
    context: AdminContext = request.app.state.context
    return context


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


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


JsonObject = Annotated[dict[str, object], Depends(read_json_object)]
DocumentText = Annotated[str, Depends(read_document_text)]
