"""The route of nodes: who is connected to this control plane, and what each runs."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context
from crossgate.admin.responses import seen
from crossgate.admin.validation import routes_about
from crossgate.service.ports import NodeReport

router = routes_about("Nodes")


class RejectionBody(BaseModel):
    """What a node refused, and goes on without."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime
    apis: list[str]
    """The APIs that the resource is made for; none if it is the whole gateway's."""


class NodeBody(BaseModel):
    """One connected node."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision of which it runs, or refused, every part."""
    current: bool
    """Whether that is the newest there is, and nothing was refused."""
    resources: int
    pending: int
    """Resources that it was sent and has not answered yet."""
    rejections: list[RejectionBody]


class NodeList(BaseModel):
    """Every node that is connected to this control plane."""

    head: int
    """The newest revision."""
    items: list[NodeBody]


@router.get("/v1/nodes", response_model=NodeList)
async def list_nodes(request: Request, context: Context, _: Viewer) -> Response:
    """Every node that is connected to this control plane, and what it runs by its own word."""
    head = context.head.revision
    return seen(request, NodeList(head=head, items=[_body(one, head) for one in context.nodes.reports()]))


def _body(report: NodeReport, head: int) -> NodeBody:
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
        ],
    )
