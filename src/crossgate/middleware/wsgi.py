"""The middleware for WSGI applications (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

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
from crossgate.middleware.response_headers import WireNames
from crossgate.middleware.wiring import warn_if_bypassed
from crossgate.policy.names import FORWARDED_METHODS
from crossgate.policy.request import HEADERS, OPTIONS, Request, echoes_request
from crossgate.policy.same_origin import SAME_ORIGIN

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# PEP 3333: headers are "native strings" whose characters stand for bytes, as in Latin-1.
WIRE: Final[Wire[str]] = Wire(
    read=str,
    write=list,
    names=WireNames("access-control-", ("vary", "Origin"), ", ", "aAvV"),
)

_READ: Final = (
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_HOST",
    "CONTENT_TYPE",
)
"""The request headers that are read, in the order of :data:`~crossgate.policy.request.HEADERS`."""

_ERROR: Final = b"Internal Server Error"
_ERROR_HEADERS: Final = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_ERROR))),
)

WsgiPolicyFunction = Callable[["WSGIEnvironment"], Policy | LivePolicy]
"""Chooses the policy of one request, from its environ."""

_Headers = list[tuple[str, str]]
_Apply = Callable[[Iterable[tuple[str, str]]], _Headers]


class WsgiCorsMiddleware(PolicyMiddleware[str]):
    """Enforces a CORS policy in front of a WSGI application.

    A refused request never reaches the application, a preflight is answered for it, and every response
    has the policy's headers in place of the application's own. An exception that the application raises
    before the first part of its body is answered with a plain 500 that has them too, and then raised again.

    ``debug``: add the reason of each refusal to its response and to the log. ``on_decision`` is called with
    each decision; requests then take some 20 µs longer.

    A function as ``policy`` chooses the policy of each request. If it raises an exception, the response is a
    500, and the application is not called.
    """

    _wire = WIRE

    def __init__(
        self,
        app: WSGIApplication,
        policy: Policy | LivePolicy | WsgiPolicyFunction,
        *,
        debug: bool = False,
        on_decision: OnDecision | None = None,
    ) -> None:
        if iscoroutinefunction(policy):
            raise TypeError("WSGI calls no coroutine functions. Write a function that returns the policy")
        super().__init__(policy, debug=debug, on_decision=on_decision)
        warn_if_bypassed(self, app)
        self.app = app
        self._chosen = EnforcerCache(self._enforcer_of)
        if self._function is None:
            self._renew_enforcer()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        enforcer = self._enforcer
        if enforcer.policy is not self._live.enforced:
            if self._function is None:
                enforcer = self._renew_enforcer()
            else:
                try:
                    enforcer = self._chosen.enforcer(self._function(environ))
                except Exception as error:  # noqa: BLE001 - it is raised again, after the response
                    return _respond_to_failure(error, list, start_response)
        action, headers = enforce(enforcer, environ)
        if isinstance(action, Respond):
            if action.refusal:
                enforcer.refusal_log.log(action.refusal, partial(read, environ))
            status = f"{action.status} {HTTPStatus(action.status).phrase}"
            start_response(status, headers.copy())
            return [action.body] if environ["REQUEST_METHOD"] != "HEAD" else []
        if isinstance(action, PassThrough):
            return self.app(environ, start_response)
        apply_headers = action.apply
        return self._serve(lambda own: apply_headers(own, headers), environ, start_response)

    def _serve(
        self, apply_headers: _Apply, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start_with_headers(status: str, headers: _Headers, exc_info: Any = None, /) -> Any:
            if exc_info is None:
                return start_response(status, apply_headers(headers))
            return start_response(status, apply_headers(headers), exc_info)

        try:
            body = self.app(environ, start_with_headers)
        except Exception as error:  # noqa: BLE001 - it is raised again, after the response
            return _respond_to_failure(error, apply_headers, start_response)
        file_wrapper = environ.get("wsgi.file_wrapper")
        if type(body) is list or (isinstance(file_wrapper, type) and isinstance(body, file_wrapper)):
            # Unwrapped, since servers check the type: lists have a length, the kernel sends files.
            return body
        return _WatchedBody(body, apply_headers, start_response)


def enforce(enforcer: Enforcer[str], environ: WSGIEnvironment) -> Enforced[str]:
    """What to do with a request."""
    method = environ["REQUEST_METHOD"]
    if not isinstance(enforcer, ApiEnforcer):
        return enforcer.enforce(method, _path(environ), [environ.get(name, "") for name in _READ])
    if method not in FORWARDED_METHODS and echoes_request(method):
        return enforcer.method_forbidden
    origin = environ.get("HTTP_ORIGIN", "")
    if origin and enforcer.detects_same_origin and SAME_ORIGIN in environ.get("HTTP_SEC_FETCH_SITE", ""):
        origin = ""
    if method != OPTIONS:
        return enforcer.enforce_request(origin[:MAX_READ], origin) if origin else enforcer.no_origin
    requested = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
    names = shorten_list(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
    values = origin[:MAX_READ], requested[:MAX_READ], names
    return enforcer.enforce_options(values, (origin, requested, names))


def read(environ: WSGIEnvironment) -> tuple[Request, str]:
    """The request and its path, for the log."""
    values = (environ.get(name, "") for name in _READ)
    request = Request(environ["REQUEST_METHOD"], **dict(zip(HEADERS.values(), values, strict=True)))
    return request, _path(environ)


def _path(environ: WSGIEnvironment) -> str:
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path


class _WatchedBody:
    """The application's body. A failure before its first part is answered with a 500."""

    __slots__ = ("_apply_headers", "_body", "_start_response")

    def __init__(self, body: Iterable[bytes], apply_headers: _Apply, start_response: StartResponse) -> None:
        self._body = body
        self._apply_headers = apply_headers
        self._start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        try:
            parts = iter(self._body)
            first = next(parts, None)
        except Exception as error:  # noqa: BLE001 - it is raised again, after the response
            yield from _respond_to_failure(error, self._apply_headers, self._start_response)
            return
        if first is not None:
            yield first
            yield from parts

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _respond_to_failure(
    error: Exception, apply_headers: _Apply, start_response: StartResponse
) -> Iterator[bytes]:
    """The response, then the exception: the server logs it after it has sent the whole response."""
    exc_info: Any = (type(error), error, error.__traceback__)
    # At once: not every server waits for the first part before it reads the status.
    start_response("500 Internal Server Error", apply_headers(_ERROR_HEADERS), exc_info)
    return _body_and(error)


def _body_and(error: Exception) -> Iterator[bytes]:
    yield _ERROR
    raise error
