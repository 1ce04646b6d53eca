"""The middleware for Django: first in ``MIDDLEWARE``, with its policy in ``CROSSGATE_CORS_POLICY``.

In ``INSTALLED_APPS`` too, ``manage.py check`` finds mistakes in these settings. Django is imported here only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from crossgate.middleware.enforcer import AddHeaders, Enforcer, PassThrough, Respond
from crossgate.middleware.live import LivePolicy, Policy, as_enforced
from crossgate.middleware.policy_function import EnforcerCache
from crossgate.middleware.policy_middleware import PolicyMiddleware
from crossgate.middleware.response_headers import Header
from crossgate.middleware.wsgi import WIRE, enforce, read

DjangoPolicy = Policy | LivePolicy
DjangoPolicyFunction = Callable[[HttpRequest], DjangoPolicy | Awaitable[DjangoPolicy]]
"""Chooses the policy of one request; it can be a coroutine function."""

_SETTING: Final = "CROSSGATE_CORS_POLICY"
_REMEDY: Final = f"Write {_SETTING} = build_policy(allowed_origins=[...]) in the settings"


def policy_setting() -> DjangoPolicy | DjangoPolicyFunction:
    """The policy in the settings, or the function that chooses one; either can be named by a dotted path.

    Raises:
        ImproperlyConfigured: if there is none, or if it is neither.

    """
    if not hasattr(settings, _SETTING):
        raise ImproperlyConfigured(f"{_SETTING} not found. {_REMEDY}")
    value: Any = getattr(settings, _SETTING)
    try:
        value = import_string(value) if isinstance(value, str) else value
        if not isinstance(value, LivePolicy) and not callable(value):
            as_enforced(value)
    except (ImportError, TypeError) as error:
        raise ImproperlyConfigured(f"{_SETTING}: {error}. {_REMEDY}") from error
    named: DjangoPolicy | DjangoPolicyFunction = value
    return named


class DjangoCorsMiddleware(PolicyMiddleware[str]):
    """Enforces a CORS policy in front of a Django application, synchronous or asynchronous.

    A refused request reaches no other middleware and no view, a preflight is answered for it, and every
    response has the policy's headers, those to unhandled exceptions included.
    """

    sync_capable = True
    async_capable = True
    _wire = WIRE

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        policy: Any = policy_setting()
        on_decision = getattr(settings, "CROSSGATE_CORS_ON_DECISION", None)
        super().__init__(
            policy,
            debug=getattr(settings, "CROSSGATE_CORS_DEBUG", False),
            on_decision=import_string(on_decision) if isinstance(on_decision, str) else on_decision,
        )
        self._get_response = get_response
        self._chosen = EnforcerCache(self._enforcer_of)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        function = self._function
        if function is not None and iscoroutinefunction(function) != self._is_async:
            # As Django does with views: a function of the other kind may wait for a database.
            self._function = sync_to_async(function) if self._is_async else async_to_sync(function)  # type: ignore[arg-type]

    def __call__(self, request: HttpRequest) -> Any:
        """Serve one request."""
        if self._is_async:
            return self._serve(request)
        chosen = None if self._function is None else self._function(request)
        enforcer = self._find_enforcer(chosen)
        action, headers = enforce(enforcer, _environ(request))
        if isinstance(action, Respond):
            return _respond(request, enforcer, action, headers)
        return _finish(self._get_response(request), action, headers)

    async def _serve(self, request: HttpRequest) -> HttpResponseBase:
        function: Any = self._function
        enforcer = self._find_enforcer(None if function is None else await function(request))
        action, headers = enforce(enforcer, _environ(request))
        if isinstance(action, Respond):
            return _respond(request, enforcer, action, headers)
        return _finish(await self._get_response(request), action, headers)

    def _find_enforcer(self, chosen: object) -> Enforcer[str]:
        if self._function is not None:
            return self._chosen.enforcer(chosen)
        enforcer = self._enforcer
        return enforcer if enforcer.policy is self._live.enforced else self._renew_enforcer()


def _environ(request: HttpRequest) -> dict[str, Any]:
    """The request as WSGI has it; with ASGI, Django puts the method into upper case."""
    environ: dict[str, Any] = request.META
    scope = getattr(request, "scope", None)
    if scope is not None and scope.get("method", environ["REQUEST_METHOD"]) != environ["REQUEST_METHOD"]:
        return {**environ, "REQUEST_METHOD": scope["method"]}
    return environ


def _respond(
    request: HttpRequest, enforcer: Enforcer[str], action: Respond, headers: list[Header[str]]
) -> HttpResponse:
    response = HttpResponse(action.body if request.method != "HEAD" else b"", status=action.status)
    if action.refusal:
        enforcer.refusal_log.log(action.refusal, lambda: read(_environ(request)))
        response._has_been_logged = True  # noqa: SLF001 - what Django sets on responses that it has logged
    for name, value in headers:
        response.headers[name] = value
    return response


def _finish(
    response: HttpResponseBase, action: AddHeaders[str] | PassThrough, headers: list[Header[str]]
) -> HttpResponseBase:
    """The application's response with the policy's headers."""
    if isinstance(action, AddHeaders):
        applied = dict(action.apply(response.items(), headers))
        for name in [name for name, _ in response.items() if name not in applied]:
            del response.headers[name]
        for name, value in applied.items():
            if response.headers.get(name) != value:
                response.headers[name] = value
    return response
