"""The middleware for ASGI applications (https://asgi.readthedocs.io, HTTP and WebSocket, version 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from functools import cache, partial
from inspect import isawaitable
from itertools import count
from operator import methodcaller
from typing import Final

from crossgate.middleware.asgi_types import AsgiApp, Message, Receive, Scope, Send
from crossgate.middleware.decision_event import OnDecision
from crossgate.middleware.enforcer import (
    MAX_READ,
    ApiEnforcer,
    Enforced,
    Enforcer,
    PassThrough,
    Respond,
    Wire,
    shorten_list,
)
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.policy_function import EnforcerCache
from crossgate.middleware.policy_middleware import PolicyMiddleware
from crossgate.middleware.response_headers import ApplyHeaders, Header, WireNames
from crossgate.middleware.starlette import Marked, answer_error, application_with
from crossgate.middleware.wiring import warn_if_bypassed
from crossgate.policy.names import FORWARDED_METHODS
from crossgate.policy.request import HEADERS, OPTIONS, Request, echoes_request
from crossgate.policy.same_origin import SAME_ORIGIN

AsgiPolicy = Policy | LivePolicy
AsgiPolicyFunction = Callable[[Scope], AsgiPolicy | Awaitable[AsgiPolicy]]
"""Chooses the policy of one connection, from its scope; it can be a coroutine function."""

# Header names are lower-case in ASGI; those of requests are read in any case, because a server that leaves
# them as they came would make the policy ineffective. Values are Latin-1 (RFC 9110, §5.5: obs-text).
_name = cache(lambda name: name.lower().encode())
_WIRE: Final[Wire[bytes]] = Wire(
    read=methodcaller("decode", "latin-1"),
    write=lambda headers: [(_name(name), value.encode("latin-1")) for name, value in headers],
    names=WireNames(b"access-control-", (b"vary", b"Origin"), b", ", b"aAvV"),
)

_ORIGIN: Final = b"origin"
_METHOD: Final = b"access-control-request-method"
_HEADERS: Final = b"access-control-request-headers"
_SEC_FETCH_SITE: Final = b"sec-fetch-site"
_SAME_ORIGIN: Final = SAME_ORIGIN.encode()
_PREFLIGHT: Final = frozenset((_ORIGIN, _METHOD, _HEADERS))
# Comparing the length first costs a third of putting each name into lower case (``bench/middleware``).
_ORIGIN_LENGTH: Final = len(_ORIGIN)
_SITE_LENGTH: Final = len(_SEC_FETCH_SITE)
_PREFLIGHT_LENGTHS: Final = frozenset(map(len, _PREFLIGHT))
_READ: Final = (_ORIGIN, _METHOD, _HEADERS, _SEC_FETCH_SITE, b"host", b"content-type")
"""The request headers that are read, in the order of :data:`~crossgate.policy.request.HEADERS`."""

_HANDSHAKE_RESPONSES: Final = frozenset(("websocket.accept", "websocket.http.response.start"))
"""The messages with the headers of the response to a handshake."""

_ERROR: Final = b"Internal Server Error"
_ERROR_HEADERS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(_ERROR)).encode()),
)


_numbers: Final = count(1)


class CorsMiddleware(PolicyMiddleware[bytes]):
    """Enforces a CORS policy in front of an ASGI application.

    A refused request never reaches the application, a preflight is answered for it, and every response
    has the policy's headers in place of the application's own. An exception that the application raises
    before it responds is answered with a plain 500 that has them too, and then raised again.

    WebSocket handshakes are judged as GET requests, unless ``websockets`` is false: browsers let any page
    open a WebSocket, and send cookies with it. ``debug``: add the reason of each refusal to its response and
    to the log. ``on_decision`` is called with each decision; requests then take some 20 µs longer.

    A function as ``policy`` chooses the policy of each connection. If it raises an exception, the response is
    a 500, and the application is not called.

    ``app.add_middleware`` of Starlette and FastAPI adds it around the whole application, whatever the order.
    """

    _wire = _WIRE

    def __init__(
        self,
        app: AsgiApp,
        policy: AsgiPolicy | AsgiPolicyFunction,
        *,
        websockets: bool = True,
        debug: bool = False,
        on_decision: OnDecision | None = None,
    ) -> None:
        super().__init__(policy, debug=debug, on_decision=on_decision)
        warn_if_bypassed(self, app)
        self.app = app
        self._websockets = websockets
        self._chosen = EnforcerCache(self._enforcer_of)
        self._compiled = self._enforcer_of(self._live.enforced)
        self._called = False
        self._is_inside = False
        # In the scope of a request, if the policy was enforced further outside.
        self._mark: str | None = f"crossgate.enforced.{next(_numbers)}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._serve_other(scope, receive, send)
            return
        enforcer = self._enforcer
        if enforcer.policy is not self._live.enforced:
            found = await self._find_enforcer(scope, receive, send)
            if found is None:
                return
            enforcer = found
        action, headers = _enforce(enforcer, scope["method"], scope)
        if isinstance(action, Respond):
            if action.refusal:
                enforcer.refusal_log.log(action.refusal, partial(_read, scope))
            body = b"" if scope["method"] == "HEAD" else action.body
            await send({"type": "http.response.start", "status": action.status, "headers": headers.copy()})
            await send({"type": "http.response.body", "body": body})
            return
        if isinstance(action, PassThrough):
            await self.app(scope, receive, send)
            return
        apply_headers = action.apply
        started = False

        # Not a coroutine: that saves creating and awaiting one for every message of a stream.
        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": apply_headers(message.get("headers") or (), headers)}
            return send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if not started and await self._is_unanswered(scope, receive, send_with_headers, error):
                await _respond(send_with_headers, "http.response", 500, [*_ERROR_HEADERS], _ERROR)
            raise

    async def _find_enforcer(self, scope: Scope, receive: Receive, send: Send) -> Enforcer[bytes] | None:
        """The enforcer for a connection; None if it has been served: the policy was enforced outside."""
        if self._mark in scope:
            await self.app(scope, receive, send)
            return None
        self._move_out(scope)
        if self._function is not None:
            try:
                policy = self._function(scope)
                return self._chosen.enforcer(await policy if isawaitable(policy) else policy)
            except Exception as error:
                # Unanswered, a WebSocket's handshake is refused by the server.
                if scope["type"] == "http" and not await answer_error(scope, receive, send, error):
                    await _respond(send, "http.response", 500, [*_ERROR_HEADERS], _ERROR)
                raise
        if self._compiled.policy is not self._live.enforced:
            log, self._compiled = self._compiled.refusal_log, self._enforcer_of(self._live.enforced)
            self._compiled.refusal_log = log
        if not self._is_inside:
            self._enforcer = self._compiled
        return self._compiled

    def _move_out(self, scope: Scope) -> None:
        """Move around the application that has been given this middleware, at the first connection.

        Connections that are already further inside are still served here: they are not marked.
        """
        if self._called:
            return
        self._called = True
        application = application_with(self, scope)
        if application is not None and self._mark is not None:
            self._is_inside = True
            outside = copy(self)
            outside.app = Marked(application.middleware_stack, self._mark)
            outside._mark = None  # noqa: SLF001 - of this class
            outside._is_inside = False  # noqa: SLF001
            application.middleware_stack = outside

    async def _is_unanswered(self, scope: Scope, receive: Receive, send: Send, error: Exception) -> bool:
        """Whether nobody answers an exception that left the application; it is raised again in any case."""
        if self._mark is None:
            return True  # Outside of a Starlette application, which has had its turn.
        if "app" in scope and hasattr(error, "status_code"):
            return False  # The framework answers it further outside, with that status.
        return not await answer_error(scope, receive, send, error)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket, whose handshake is judged unless configured otherwise, or another connection."""
        if scope["type"] != "websocket" or not self._websockets:
            self._move_out(scope)  # With the lifespan, before all requests.
            await self.app(scope, receive, send)
            return
        enforcer = self._enforcer
        if enforcer.policy is not self._live.enforced:
            found = await self._find_enforcer(scope, receive, send)
            if found is None:
                return
            enforcer = found
        action, headers = _enforce(enforcer, "GET", scope)
        if isinstance(action, Respond) and action.refusal:
            enforcer.refusal_log.log(action.refusal, partial(_read, scope))
        if isinstance(action, PassThrough):
            await self.app(scope, receive, send)
        elif not isinstance(action, Respond):
            await self.app(scope, receive, _handshake_sender(action.apply, headers, send))
        elif "websocket.http.response" in (scope.get("extensions") or ()):
            await _respond(send, "websocket.http.response", action.status, headers.copy(), action.body)
        else:
            # Closing before accepting: the server refuses the handshake with a 403 of its own.
            await send({"type": "websocket.close", "code": 1008})


def _enforce(enforcer: Enforcer[bytes], method: str, scope: Scope) -> Enforced[bytes]:
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    if not isinstance(enforcer, ApiEnforcer):
        found = _joined(headers)
        return enforcer.enforce(method, scope.get("path", ""), [found.get(name, b"") for name in _READ])
    if method == OPTIONS:
        return _enforce_options(enforcer, headers)
    if method not in FORWARDED_METHODS and echoes_request(method):
        return enforcer.method_forbidden
    origin = b""
    for name, value in headers:
        if len(name) == _ORIGIN_LENGTH and name.lower() == _ORIGIN and value:
            if origin:
                origin = _joined(headers)[_ORIGIN]
                break
            origin = value
    if not origin or (enforcer.detects_same_origin and _is_same_origin(headers)):
        return enforcer.no_origin
    return enforcer.enforce_request(origin[:MAX_READ].decode("latin-1"), origin)


def _read(scope: Scope) -> tuple[Request, str]:
    """The request and its path, for the log."""
    found = _joined(scope["headers"])
    values = (found.get(name, b"").decode("latin-1") for name in _READ)
    request = Request(scope.get("method", "GET"), **dict(zip(HEADERS.values(), values, strict=True)))
    return request, scope.get("path", "")


def _handshake_sender(apply_headers: ApplyHeaders[bytes], headers: list[Header[bytes]], send: Send) -> Send:
    """Sends messages of a WebSocket; the response to the handshake gets the headers."""

    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] in _HANDSHAKE_RESPONSES:
            message = {**message, "headers": apply_headers(message.get("headers") or (), headers)}
        return send(message)

    return send_with_headers


def _enforce_options(enforcer: ApiEnforcer[bytes], headers: Sequence[tuple[bytes, bytes]]) -> Enforced[bytes]:
    origin = method = names = b""
    for name, value in headers:
        if len(name) in _PREFLIGHT_LENGTHS and value:
            lower = name.lower()
            if lower == _ORIGIN and not origin:
                origin = value
            elif lower == _METHOD and not method:
                method = value
            elif lower == _HEADERS and not names:
                names = value
            elif lower in _PREFLIGHT:
                found = _joined(headers)
                origin, method, names = (found.get(each, b"") for each in (_ORIGIN, _METHOD, _HEADERS))
                break
    if origin and enforcer.detects_same_origin and _is_same_origin(headers):
        origin = b""
    if len(origin) + len(method) + len(names) > MAX_READ:
        origin, method, names = origin[:MAX_READ], method[:MAX_READ], shorten_list(names)
    read = origin.decode("latin-1"), method.decode("latin-1"), names.decode("latin-1")
    return enforcer.enforce_options(read, (origin, method, names))


def _is_same_origin(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if len(name) == _SITE_LENGTH and name.lower() == _SEC_FETCH_SITE and _SAME_ORIGIN in value:
            return True
    return False


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that are read; several lines joined by commas, empty ones left out."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if value and (lower := name.lower()) in _READ:
            found.setdefault(lower, []).append(value)
    return {name: b",".join(values) for name, values in found.items()}


async def _respond(
    send: Send, kind: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
