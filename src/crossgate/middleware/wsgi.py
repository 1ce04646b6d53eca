"""The middleware for WSGI applications (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from crossgate.middleware.enforcement import Enforcement
from crossgate.middleware.judge import ApiJudge, shortened
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.outcome import LOOKED_AT, Answered, Judged, Untouched, Wire
from crossgate.middleware.response_headers import Marks
from crossgate.policy.malformed import echoes
from crossgate.policy.names import FORWARDED_METHODS
from crossgate.policy.request import OPTIONS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# PEP 3333: header texts are "native strings" whose characters stand for bytes, as in Latin-1.
_WIRE: Final[Wire[str]] = Wire(
    read=str,
    write=list,
    marks=Marks("access-control-", ("vary", "Origin"), ", ", "aAvV"),
)

_JUDGED: Final = (
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_HOST",
    "CONTENT_TYPE",
)

_ERROR: Final = b"Internal Server Error"
_ERROR_HEADERS: Final = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_ERROR))),
)

_Headers = list[tuple[str, str]]
_Dress = Callable[[Iterable[tuple[str, str]]], _Headers]


class WsgiCorsMiddleware(Enforcement[str]):
    """Enforces a CORS policy in front of a WSGI application.

    A refused request never reaches the application, a preflight is answered for it, and every response
    carries the policy's headers in place of the application's own. An exception that the application raises
    before the first part of its body is answered with a plain 500 that carries them too, and then raised
    again.

    ``debug``: tell clients and the log why a request was refused.
    """

    _wire = _WIRE

    def __init__(self, app: WSGIApplication, policy: Policy | LivePolicy, *, debug: bool = False) -> None:
        super().__init__(policy, debug=debug)
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        outcome, headers = self._judged(environ)
        if isinstance(outcome, Answered):
            status = f"{outcome.status} {HTTPStatus(outcome.status).phrase}"
            start_response(status, headers.copy())
            return [outcome.body] if environ["REQUEST_METHOD"] != "HEAD" else []
        if isinstance(outcome, Untouched):
            return self.app(environ, start_response)
        dress = outcome.dress
        return self._serve_dressed(lambda own: dress(own, headers), environ, start_response)

    def _judged(self, environ: WSGIEnvironment) -> Judged[str]:
        judge = self._judge
        if judge.policy is not self._live.enforced:
            judge = self._renewed_judge()
        method = environ["REQUEST_METHOD"]
        if not isinstance(judge, ApiJudge):
            return judge.ask(method, *[environ.get(name, "") for name in _JUDGED])
        if method not in FORWARDED_METHODS and echoes(method):
            return judge.method_forbidden
        origin = environ.get("HTTP_ORIGIN", "")
        if method != OPTIONS:
            return judge.request(origin[:LOOKED_AT], origin) if origin else judge.without_origin
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
        names = shortened(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        return judge.options(origin[:LOOKED_AT], asked[:LOOKED_AT], names, (origin, asked, names))

    def _serve_dressed(
        self, dress: _Dress, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start_dressed(status: str, headers: _Headers, exc_info: Any = None, /) -> Any:
            if exc_info is None:
                return start_response(status, dress(headers))
            return start_response(status, dress(headers), exc_info)

        try:
            body = self.app(environ, start_dressed)
        except Exception as error:  # noqa: BLE001 - it is raised again, after the answer
            return _failed(error, dress, start_response)
        file_wrapper = environ.get("wsgi.file_wrapper")
        if type(body) is list or (isinstance(file_wrapper, type) and isinstance(body, file_wrapper)):
            return (
                body  # servers look at what they are given: lists have a length, files are sent by the kernel
            )
        return _Watched(body, dress, start_response)


class _Watched:
    """The application's body, which may fail before its first part; from then on it is not in the way."""

    __slots__ = ("_body", "_dress", "_start_response")

    def __init__(self, body: Iterable[bytes], dress: _Dress, start_response: StartResponse) -> None:
        self._body = body
        self._dress = dress
        self._start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        try:
            parts = iter(self._body)
            first = next(parts, None)
        except Exception as error:  # noqa: BLE001 - it is raised again, after the answer
            yield from _failed(error, self._dress, self._start_response)
            return
        if first is not None:
            yield first
            yield from parts

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _failed(error: Exception, dress: _Dress, start_response: StartResponse) -> Iterator[bytes]:
    """The answer, then the exception: the server has sent the answer whole by the time that it logs it."""
    exc_info: Any = (type(error), error, error.__traceback__)
    # At once: not every server waits for the first part before it looks at the status.
    start_response("500 Internal Server Error", dress(_ERROR_HEADERS), exc_info)
    return _body_and(error)


def _body_and(error: Exception) -> Iterator[bytes]:
    yield _ERROR
    raise error
