"""The nodes that are connected to this control plane."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import read_response
from crossgate.service.permission import Permission
from crossgate.service.ports import NodeReport

router = resource_router("Nodes")


class RejectionBody(BaseModel):
    """A resource that the node rejected; it keeps the previous version."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime
    apis: list[str]
    """Keys of the APIs that the resource serves; empty if it is shared by all."""


class NodeBody(BaseModel):
    """One connected node."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision whose resources it has all applied or rejected."""
    current: bool
    """Whether it runs the newest revision, with nothing rejected."""
    resources: int
    pending: int
    """Resources that were sent and not acknowledged yet."""
    rejections: list[RejectionBody]


class NodeList(BaseModel):
    """The nodes that are connected to this control plane."""

    head: int
    """The newest revision."""
    items: list[NodeBody]


@router.get("/v1/nodes", response_model=NodeList)
async def list_nodes(request: Request, context: Context, caller: Viewer) -> Response:
    """The nodes that are connected to this control plane, and the revision that each runs."""
    head = context.head.revision
    return read_response(
        request,
        NodeList(head=head, items=[_body(one, head, caller.permission) for one in context.nodes.reports()]),
    )


def _body(report: NodeReport, head: int, permission: Permission) -> NodeBody:
    return NodeBody(
        node=report.node,
        connected_at=report.connected_at,
        acknowledged_at=report.acknowledged_at,
        revision=report.revision,
        current=report.revision == head and not report.pending and not report.rejections,
        resources=report.resources,
        pending=report.pending,
        rejections=[
            RejectionBody(
                kind=one.kind,
                resource=one.resource,
                version=one.version,
                message=one.message,
                at=one.at,
                apis=list(one.apis),
            )
            for one in report.rejections
            if not permission.limited or (one.apis and all(map(permission.covers_api, one.apis)))
        ],
    )
