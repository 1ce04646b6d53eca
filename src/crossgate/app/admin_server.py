"""Serves the admin API and the console on the control plane's event loop.

Imported only when clients are served: FastAPI and uvicorn take half a second to load.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from crossgate.admin.app import authenticated, guarded, limited_routes
from crossgate.admin.auth import CredentialCheck, token_state
from crossgate.admin.context import AdminContext, Nodes
from crossgate.admin.early_response import EarlyResponse
from crossgate.admin.errors import Problem
from crossgate.admin.event_streams import StreamLimits
from crossgate.admin.sign_in import SignIns
from crossgate.admin.telemetry_feeds import event_streams
from crossgate.app.admin_workers import AdminWorkerPool, AdminWorkers
from crossgate.app.http_connections import ConnectionLimits
from crossgate.app.http_server import serve_http
from crossgate.app.tasks import background_task
from crossgate.console.api import InProcessApi
from crossgate.console.app import console, either
from crossgate.diagnostics import Diagnostic
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.pending_refusals import NothingRecent
from crossgate.service.ports import CatalogueStore, ChangeCheck, RecentTelemetry, TelemetryStore
from crossgate.service.refusal_service import RefusalService
from crossgate.service.sent_request import RequestSender
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import Tokens

if TYPE_CHECKING:
    from crossgate.console.oidc.options import OidcOptions


@asynccontextmanager
async def serve_admin_api(
    bound: socket.socket,
    host_names: Sequence[str],
    store: CatalogueStore,
    tokens: Tokens,
    nodes: Nodes,
    pool: AdminWorkerPool,
    limits: ConnectionLimits | None = None,
    check: ChangeCheck | None = None,
    telemetry: TelemetryStore | None = None,
    recent: RecentTelemetry | None = None,
    stream_limits: StreamLimits | None = None,
    sessions: Sessions | None = None,
    oidc: OidcOptions | None = None,
    sender: RequestSender | None = None,
) -> AsyncIterator[HostPort]:
    """Serve the admin API on a bound socket for as long as the context lasts. The caller closes the pool.

    Without ``telemetry`` and ``recent``, there are no refusals.
    """
    service = CatalogueService(store, linted=True, check=check)
    refusals = RefusalService(service, telemetry or InMemoryTelemetryStore(), recent or NothingRecent())
    streams = event_streams(refusals, nodes, tokens, stream_limits)
    sessions = sessions or Sessions(InMemorySessionStore(), tokens)
    context = AdminContext(
        service,
        tokens,
        nodes,
        refusals,
        sessions,
        streams=streams,
        sender=sender,
        workers=AdminWorkers(store, pool),
    )
    host, port = bound.getsockname()[:2]
    limited = limited_routes(context)
    credentials = CredentialCheck(tokens)
    pages = console(
        lambda caller: InProcessApi(limited, token_state(caller)),
        sessions,
        SignIns(credentials, sessions),
        oidc,
    )
    app = guarded(either(authenticated(limited, credentials), pages), host_names)
    async with serve_http(bound, app, _busy, ConnectionLimits() if limits is None else limits):
        try:
            async with background_task(asyncio.to_thread(refusals.warm_up)):
                yield HostPort(host, port)
        finally:
            # Streams last as long as their clients wish; the server would wait for them.
            await streams.close()


_BUSY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    [
        Diagnostic(
            "admin-busy",
            "too many requests at the same time",
            "Retry in 5 s, with fewer requests at the same time",
        )
    ],
    headers={"Retry-After": "5", "Connection": "close"},
)


async def _respond_busy(scope: Any, receive: Any, send: Any) -> None:
    await _BUSY.response()(scope, receive, send)


_busy: Final = EarlyResponse(_respond_busy)
