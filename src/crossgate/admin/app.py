"""The admin API as an ASGI application: host guard, authentication, limit of the body, then the routes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from crossgate.admin.auth import Authentication, CredentialCheck
from crossgate.admin.body import BodyLimit
from crossgate.admin.context import AdminContext
from crossgate.admin.early_response import EarlyResponse
from crossgate.admin.errors import add_error_handlers, refusal
from crossgate.admin.host_guard import HostGuard
from crossgate.admin.offload import answer_by_worker
from crossgate.admin.openapi import describe
from crossgate.admin.routes import (
    api_traffic,
    apis,
    application_preview,
    applications,
    documents,
    events,
    explain,
    imports,
    liveness,
    nodes,
    overview,
    policies,
    policy_preview,
    prove,
    readiness,
    refusal_changes,
    refusals,
    registrations,
    request_text,
    revisions,
    send,
    sessions,
    settings,
    stats,
    status,
    tokens,
)
from crossgate.admin.workers import NeedsWorkerError

_ROUTERS: Final = (
    liveness.router,
    apis.router,
    api_traffic.router,
    policies.router,
    policy_preview.router,
    applications.router,
    application_preview.router,
    registrations.router,
    settings.router,
    revisions.router,
    nodes.router,
    overview.router,
    events.router,
    explain.router,
    request_text.router,
    send.router,
    prove.router,
    documents.router,
    imports.router,
    refusals.router,
    refusal_changes.router,
    stats.router,
    readiness.router,
    status.router,
    sessions.router,
    tokens.router,
)


def authenticated(limited: ASGIApp, check: CredentialCheck) -> ASGIApp:
    """The admin API for clients that send a token."""
    return Authentication(limited, check)


def limited_routes(context: AdminContext) -> ASGIApp:
    """The routes with their limits, for callers that are authenticated already."""
    return BodyLimit(routes(context), refusal)


def guarded(app: ASGIApp, host_names: Collection[str] = ()) -> ASGIApp:
    """What listens: ``host_names`` are accepted as Host, besides localhost and addresses."""
    return EarlyResponse(HostGuard(app, host_names))


def routes(context: AdminContext | None = None) -> FastAPI:
    """The routes without host guard and authentication; the OpenAPI document needs no context."""
    app = FastAPI(
        title="Crossgate admin API", openapi_url="/openapi.json", docs_url=None, redoc_url=None, version="1"
    )
    app.state.context = context
    for router in _ROUTERS:
        # Not `include_router`: Starlette would match an included route twice for each request.
        app.router.routes += router.routes
    app.router.redirect_slashes = False
    add_error_handlers(app)
    app.add_exception_handler(NeedsWorkerError, answer_by_worker)
    description: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not description:
            description.update(describe(app))
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
