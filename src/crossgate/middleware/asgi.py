"""The middleware for ASGI applications (https://asgi.readthedocs.io, HTTP and WebSocket, version 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from functools import cache
from operator import methodcaller
from typing import Any, Final

from crossgate.middleware.enforcement import Enforcement
from crossgate.middleware.judge import ApiJudge, shortened
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.outcome import LOOKED_AT, Answered, Judged, Untouched, Wire
from crossgate.middleware.response_headers import Marks
from crossgate.policy.malformed import echoes
from crossgate.policy.names import FORWARDED_METHODS
from crossgate.policy.request import OPTIONS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# Header names are lower-case in ASGI. Values are Latin-1 (RFC 9110, §5.5: obs-text).
_name = cache(lambda name: name.lower().encode())
_WIRE: Final[Wire[bytes]] = Wire(
    read=methodcaller("decode", "latin-1"),
    write=lambda headers: [(_name(name), value.encode("latin-1")) for name, value in headers],
    marks=Marks(b"access-control-", (b"vary", b"Origin"), b", ", b"aAvV"),
)

_ORIGIN: Final = b"origin"
_METHOD: Final = b"access-control-request-method"
_HEADERS: Final = b"access-control-request-headers"
_ASKED: Final = frozenset((_ORIGIN, _METHOD, _HEADERS))
_JUDGED: Final = (_ORIGIN, _METHOD, _HEADERS, b"host", b"content-type")

_ERROR: Final = b"Internal Server Error"
_ERROR_HEADERS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(_ERROR)).encode()),
)


class CorsMiddleware(Enforcement[bytes]):
    """Enforces a CORS policy in front of an ASGI application.

    A refused request never reaches the application, a preflight is answered for it, and every response
    carries the policy's headers in place of the application's own. An exception that the application raises
    before it responds is answered with a plain 500 that carries them too, and then raised again.

    ``websockets``: judge the ``Origin`` of WebSocket handshakes as well. ``debug``: tell clients and the log
    why a request was refused.
    """

    _wire = _WIRE

    def __init__(
        self,
        app: AsgiApp,
        policy: Policy | LivePolicy,
        *,
        websockets: bool = False,
        debug: bool = False,
    ) -> None:
        super().__init__(policy, debug=debug)
        self.app = app
        self._websockets = websockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._serve_other(scope, receive, send)
            return
        outcome, headers = self._judged(scope["method"], scope["headers"])
        if isinstance(outcome, Answered):
            body = b"" if scope["method"] == "HEAD" else outcome.body
            await send({"type": "http.response.start", "status": outcome.status, "headers": headers.copy()})
            await send({"type": "http.response.body", "body": body})
            return
        if isinstance(outcome, Untouched):
            await self.app(scope, receive, send)
            return
        dress = outcome.dress
        started = False

        # Not a coroutine: one less to make and to wait for, at every message of a stream.
        def send_dressed(message: Message) -> Awaitable[None]:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": dress(message.get("headers", ()), headers)}
            return send(message)

        try:
            await self.app(scope, receive, send_dressed)
        except Exception:
            if not started:
                await _respond(send, "http.response", 500, dress(_ERROR_HEADERS, headers), _ERROR)
            raise

    def _judged(self, method: str, headers: Sequence[tuple[bytes, bytes]]) -> Judged[bytes]:
        judge = self._judge
        if judge.policy is not self._live.enforced:
            judge = self._renewed_judge()
        if not isinstance(judge, ApiJudge):
            found = _joined(headers)
            return judge.ask(method, *[found.get(name, b"") for name in _JUDGED])
        if method == OPTIONS:
            return _judged_options(judge, headers)
        if method not in FORWARDED_METHODS and echoes(method):
            return judge.method_forbidden
        origin = b""
        for name, value in headers:
            if name == b"origin" and value:
                if origin:
                    origin = _joined(headers)[_ORIGIN]
                    break
                origin = value
        if not origin:
            return judge.without_origin
        return judge.request(origin[:LOOKED_AT].decode("latin-1"), origin)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """WebSocket handshakes if they are to be judged; anything else is none of our business."""
        if scope["type"] == "websocket" and self._websockets:
            outcome, headers = self._judged("GET", scope["headers"])
            if isinstance(outcome, Answered):
                if "websocket.http.response" in (scope.get("extensions") or ()):
                    own = headers.copy()
                    await _respond(send, "websocket.http.response", outcome.status, own, outcome.body)
                else:
                    # Closing before accepting: the server refuses the handshake with a 403 of its own.
                    await send({"type": "websocket.close", "code": 1008})
                return
        await self.app(scope, receive, send)


def _judged_options(judge: ApiJudge[bytes], headers: Sequence[tuple[bytes, bytes]]) -> Judged[bytes]:
    origin = asked = names = b""
    for name, value in headers:
        if name in _ASKED and value:
            if name == _ORIGIN and not origin:
                origin = value
            elif name == _METHOD and not asked:
                asked = value
            elif name == _HEADERS and not names:
                names = value
            else:
                found = _joined(headers)
                origin, asked, names = (found.get(each, b"") for each in (_ORIGIN, _METHOD, _HEADERS))
                break
    if len(origin) + len(asked) + len(names) > LOOKED_AT:
        origin, asked, names = origin[:LOOKED_AT], asked[:LOOKED_AT], shortened(names)
    return judge.options(
        origin.decode("latin-1"), asked.decode("latin-1"), names.decode("latin-1"), (origin, asked, names)
    )


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The judged headers; several lines joined by commas, empty ones left out."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if value and name in _JUDGED:
            found.setdefault(name, []).append(value)
    return {name: b",".join(values) for name, values in found.items()}


async def _respond(
    send: Send, kind: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
