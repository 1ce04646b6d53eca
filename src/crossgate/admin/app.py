"""The admin API put together: perimeter, then access, then routes; and every refusal as a problem."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from crossgate.admin.auth import Authentication, RoleInsufficient
from crossgate.admin.context import AdminContext
from crossgate.admin.errors import Problem
from crossgate.admin.host_guard import HostGuard
from crossgate.admin.openapi import describe
from crossgate.admin.refusals import problem_of, unprocessable
from crossgate.admin.routes import (
    apis,
    applications,
    documents,
    explain,
    liveness,
    nodes,
    policies,
    revisions,
    settings,
    tokens,
)
from crossgate.admin.validation import validation_findings
from crossgate.diagnostics import InvalidInput
from crossgate.service.errors import ServiceError

_ROUTERS: Final = (
    liveness.router,
    apis.router,
    policies.router,
    applications.router,
    settings.router,
    revisions.router,
    nodes.router,
    explain.router,
    documents.router,
    tokens.router,
)


def admin_api(context: AdminContext, host_names: Collection[str] = ()) -> ASGIApp:
    """The API, to be served over HTTP.

    ``host_names`` are the names, beside localhost and addresses, under which it is reached.
    """
    return HostGuard(Authentication(routes(context), context.tokens), host_names)


def routes(context: AdminContext | None = None) -> FastAPI:
    """The routes alone, without what stands before them; without a context, to be described only."""
    app = FastAPI(
        title="Crossgate admin API", openapi_url="/openapi.json", docs_url=None, redoc_url=None, version="1"
    )
    app.state.context = context
    for router in _ROUTERS:
        # Not by `include_router`: what is included is looked for twice, at each request.
        app.router.routes += router.routes
    app.router.redirect_slashes = False
    app.exception_handler(ServiceError)(_refused)
    app.exception_handler(InvalidInput)(_invalid)
    app.exception_handler(RequestValidationError)(_not_valid)
    app.exception_handler(RoleInsufficient)(_not_allowed)
    app.exception_handler(HTTPException)(_http)
    description: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not description:
            description.update(describe(app))
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


async def _refused(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, ServiceError):  # pragma: no cover - the types of handlers say too little
        raise TypeError(refusal)
    return problem_of(refusal).response()


async def _invalid(_: Request, invalid: Exception) -> Response:
    if not isinstance(invalid, InvalidInput):  # pragma: no cover - the types of handlers say too little
        raise TypeError(invalid)
    return unprocessable(invalid.diagnostics).response()


async def _not_valid(_: Request, invalid: Exception) -> Response:
    if not isinstance(
        invalid, RequestValidationError
    ):  # pragma: no cover - the types of handlers say too little
        raise TypeError(invalid)
    return unprocessable(validation_findings(invalid)).response()


async def _not_allowed(_: Request, refused: Exception) -> Response:
    return Problem(HTTPStatus.FORBIDDEN, "role-insufficient", str(refused)).response()


async def _http(request: Request, refused: Exception) -> Response:
    if not isinstance(refused, HTTPException):  # pragma: no cover - the types of handlers say too little
        raise TypeError(refused)
    status = HTTPStatus(refused.status_code)
    headers = dict(refused.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    code = status.phrase.lower().replace(" ", "-")
    return Problem(status, code, status.description, headers=headers).response()


def _methods(request: Request) -> set[str]:
    """What the path can be asked; the one route that refused knows of its own methods only."""
    return {
        method
        for router in _ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_regex.fullmatch(request.scope["path"])
        for method in route.methods or ()
    }
