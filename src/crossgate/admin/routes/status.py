"""The state of the gateway at a glance: who asks, what is served, and whether the nodes enforce it."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import read_response
from crossgate.service.errors import ReadOnly
from crossgate.service.permission import Role
from crossgate.service.ports import CatalogueStore, Enforcement

router = resource_router("Status")


class NodeStatusBody(BaseModel):
    """One node that is connected to this control plane."""

    node: str
    state: Enforcement
    revision: int | None


class CallerBody(BaseModel):
    """The token that the request was authenticated with."""

    name: str
    role: Role
    apis: list[str]
    """The APIs that it is limited to; empty: all."""


class StatusBody(BaseModel):
    """The state of the gateway."""

    name: str
    """The gateway's first public origin without its scheme, or the address that it listens at."""
    revision: int
    file: str | None
    """The file that the gateway runs; null if it serves a store."""
    server_cors: bool
    """Whether server-level CORS is on, so that no policy of an API is enforced."""
    nodes: list[NodeStatusBody]
    nodes_behind: int
    """How many of them do not enforce all of the newest revision."""
    certificates_expire: datetime | None
    """When the first certificate of a node expires; null for a caller with a limit, and without any."""
    certificate_problems: int
    """Certificates of nodes with a problem; 0 for a caller with a limit."""
    open_refusals: int
    """Groups of refusals that wait for a decision."""
    caller: CallerBody


@router.get("/v1/status", response_model=StatusBody)
async def read_status(request: Request, context: Context, caller: Viewer) -> Response:
    """The state of the gateway, and the caller's own name and role."""
    head = context.head
    open_refusals = await run_in_threadpool(context.refusals.count_open, caller.permission)
    nodes = [
        NodeStatusBody(node=one.node, state=one.state(head.revision), revision=one.revision)
        for one in context.nodes.standings()
    ]
    certificates = [
        state
        for one in context.nodes.standings()
        if not caller.permission.limited
        for state in one.certificates
    ]
    gateway = head.catalogue.gateway
    origins = sorted(gateway.public_origins)
    body = StatusBody(
        name=origins[0].partition("://")[2] if origins else str(gateway.listen),
        revision=head.revision,
        file=file_of(context.service.store),
        server_cors=head.catalogue.server_policy is not None,
        nodes=nodes,
        nodes_behind=sum(one.state is not Enforcement.ENFORCED for one in nodes),
        certificates_expire=min((one.not_after for one in certificates if one.not_after), default=None),
        certificate_problems=sum(bool(one.problems) for one in certificates),
        open_refusals=open_refusals,
        caller=CallerBody(name=caller.name, role=caller.role, apis=list(caller.apis)),
    )
    return read_response(request, body)


def file_of(store: CatalogueStore) -> str | None:
    """The file that a gateway runs; None for a store that can be written."""
    try:
        store.require_writable()
    except ReadOnly as refused:
        return refused.source
    return None
