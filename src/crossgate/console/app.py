"""The console as an ASGI application: assets, sign-in, then the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossgate.console.api import CallApi
from crossgate.console.assets import PREFIX, Assets
from crossgate.console.pages import (
    allow,
    apis,
    appearance,
    application_edit,
    applications,
    changes,
    company_sign_in,
    imports,
    live,
    nodes,
    overview,
    prove,
    refusals,
    sessions,
    settings,
    sign_in,
    simulator,
    tokens,
    undo,
)
from crossgate.console.sign_in import SessionOpener, SignedIn
from crossgate.service.sessions import Sessions

if TYPE_CHECKING:
    from crossgate.console.oidc.options import OidcOptions

_PAGES: Final[tuple[list[BaseRoute], ...]] = (
    sign_in.routes,
    company_sign_in.routes,
    live.routes,
    overview.routes,
    apis.routes,
    refusals.routes,
    changes.routes,
    application_edit.routes,
    applications.routes,
    imports.routes,
    nodes.routes,
    settings.routes,
    tokens.routes,
    sessions.routes,
    appearance.routes,
    prove.routes,
    simulator.routes,
    undo.routes,
    allow.routes,
)
_HEADERS: Final = (
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not `no-referrer`: with it, browsers send `Origin: null` with the console's own forms.
    # https://fetch.spec.whatwg.org/#append-a-request-origin-header
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


def console(
    call_api: CallApi, sessions: Sessions, sign_ins: SessionOpener, oidc: OidcOptions | None = None
) -> ASGIApp:
    """The console over the API as callers see it; ``oidc``: how people of a company sign in."""
    routes: list[BaseRoute] = [Mount(PREFIX, Assets())]
    for pages in _PAGES:
        routes += pages
    app = Starlette(routes=routes)
    app.state.call_api = call_api
    app.state.sessions = sessions
    app.state.provider = None if oidc is None else _provider(oidc)
    app.state.company_sign_in = "" if oidc is None else company_sign_in.START
    app.state.company_label = "" if oidc is None else oidc.label
    app.state.sign_ins = sign_ins
    app.router.redirect_slashes = False
    return _SecurityHeaders(SignedIn(app, sessions))


def _provider(options: OidcOptions) -> object:
    # Loaded late: only where it is configured. It takes 0.1 s.
    from crossgate.console.oidc.provider import Provider

    return Provider(options)


class _SecurityHeaders:
    """ASGI middleware that sets the headers that protect the pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and add the headers to the response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def either(api: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """The admin API and the console at one address: the API has `/v1`, and clients that send a token."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        has_token = any(name == b"authorization" for name, _ in scope["headers"])
        is_api = has_token or scope["path"].startswith("/v1/") or scope["path"] in _API_PATHS
        await (api if is_api else pages)(scope, receive, send)

    return app


_API_PATHS: Final = frozenset({"/v1", "/live", "/openapi.json"})
