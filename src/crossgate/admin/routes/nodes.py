"""The nodes that are connected to this control plane."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.path_names import name_in
from crossgate.admin.responses import json_response, read_response
from crossgate.diagnostics import Severity
from crossgate.service.certificates import CertificateState
from crossgate.service.errors import NotFound
from crossgate.service.permission import Permission
from crossgate.service.ports import Enforcement, NodeRejection, NodeReport
from crossgate.service.rejection_causes import find_rejection_cause

router = resource_router("Nodes")
NodeName = Annotated[str, Path(max_length=256, description="The name of a node.")]


class RejectionBody(BaseModel):
    """A resource that the node rejected; it keeps the previous version."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime
    apis: list[str]
    """Keys of the APIs that the resource serves; empty if it is shared by all."""
    revision: int | None
    """The revision that brought the rejected version; null if that was before the control plane's start."""
    keeps: int | None
    """The newest revision whose version the node still runs; null if it has none, or it is not known."""
    cause: str
    """What the message means, for messages that are known; otherwise empty."""
    remedy: str
    """What to do about it."""


class CertificateProblemBody(BaseModel):
    """What is wrong with a certificate's files."""

    code: str
    severity: Severity
    message: str
    found: str | None
    """The file."""
    remedy: str


class CertificateBody(BaseModel):
    """A certificate, or a file of authorities, that the node's Envoy uses."""

    certificate: str
    """Path of its file, on the machine of the node."""
    key: str
    """Path of the key's file; empty for authorities."""
    names: list[str]
    """The names and addresses for which the one that Envoy has holds."""
    not_after: datetime | None
    """When it expires, of authorities the last; null if Envoy has none."""
    current: bool
    """Whether Envoy has what the files contain; otherwise it has the last good pair, or none."""
    since: datetime
    """When this state began."""
    problems: list[CertificateProblemBody]


class NodeBody(BaseModel):
    """One connected node."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision whose resources it has all applied or rejected."""
    current: bool
    """Whether it runs the newest revision, with nothing rejected."""
    state: Enforcement
    behind: int
    """Revisions that it has not decided on; all of them if it has not decided on any yet."""
    behind_since: datetime | None
    """When the first of them was published, or the node connected; null if there is none."""
    apis_applied: int
    """APIs of which it runs what is wanted, among those that the caller can see."""
    resources: int
    pending: int
    """Resources that were sent and not acknowledged yet."""
    rejections: list[RejectionBody]
    certificates: list[CertificateBody]
    """Empty for a caller with a limit, and for Envoys that no `crossgate` process started."""


class NodeList(BaseModel):
    """The nodes that are connected to this control plane."""

    head: int
    """The newest revision."""
    apis: int
    """APIs of the newest revision that the caller can see."""
    address: str
    """Where nodes connect, as `crossgate node --control-plane` takes it; empty if it is a socket file."""
    items: list[NodeBody]


class RetryBody(BaseModel):
    """Rejected resources that are sent to a node once more."""

    node: str
    resources: int


@router.get("/v1/nodes", response_model=NodeList)
async def list_nodes(request: Request, context: Context, caller: Viewer) -> Response:
    """The nodes that are connected to this control plane, and the revision that each runs."""
    return read_response(request, node_list(context, caller.permission))


@router.post("/v1/nodes/{node}/retry", response_model=RetryBody)
async def retry_node(context: Context, caller: Editor, node: NodeName) -> Response:
    """Send a node once more what it rejected. Nothing changes in the catalogue.

    The node answers later: `GET /v1/nodes` shows whether it rejects it again. A caller with a limit retries
    what serves its own APIs only.
    """
    name = name_in(node)
    rejected = [
        one
        for report in context.nodes.reports()
        if report.node == name
        for one in report.rejections
        if _can_see(one, caller.permission)
    ]
    sent = context.nodes.retry(name, [(one.kind, one.resource) for one in rejected])
    if sent is None:
        raise NotFound("node", name)
    return json_response(RetryBody(node=name, resources=sent))


def node_list(context: AdminContext, permission: Permission) -> NodeList:
    """The body of the list; call it on the event loop."""
    head, nodes = context.head, context.nodes
    apis = head.catalogue.apis
    seen = len(apis) if not permission.limited else sum(map(permission.covers_api, apis))
    return NodeList(
        head=head.revision,
        apis=seen,
        address=nodes.address,
        items=[_body(one, head.revision, seen, permission) for one in nodes.reports()],
    )


def _body(report: NodeReport, head: int, apis: int, permission: Permission) -> NodeBody:
    rejections = [one for one in report.rejections if _can_see(one, permission)]
    lacking = {api for one in report.rejections for api in one.apis}.union(report.undecided_apis)
    return NodeBody(
        node=report.node,
        connected_at=report.connected_at,
        acknowledged_at=report.acknowledged_at,
        revision=report.revision,
        current=report.revision == head and not report.pending and not report.rejections,
        state=report.state,
        behind=max(0, head - (report.revision or 0)),
        behind_since=report.behind_since,
        apis_applied=max(0, apis - sum(map(permission.covers_api, lacking))),
        resources=report.resources,
        pending=report.pending,
        rejections=list(map(_rejection, rejections)),
        # Paths of files are no business of those who administer some APIs.
        certificates=[] if permission.limited else list(map(_certificate, report.certificates)),
    )


def _certificate(state: CertificateState) -> CertificateBody:
    return CertificateBody(
        certificate=state.certificate,
        key=state.key,
        names=list(state.names),
        not_after=state.not_after,
        current=state.current,
        since=state.since,
        problems=[
            CertificateProblemBody(
                code=one.code,
                severity=one.severity,
                message=one.message,
                found=one.found,
                remedy=one.remedy,
            )
            for one in state.problems
        ],
    )


def _rejection(one: NodeRejection) -> RejectionBody:
    known = find_rejection_cause(one.message)
    return RejectionBody(
        kind=one.kind,
        resource=one.resource,
        version=one.version,
        message=one.message,
        at=one.at,
        apis=list(one.apis),
        revision=one.revision,
        keeps=one.keeps,
        cause=known.cause,
        remedy=known.remedy,
    )


def _can_see(one: NodeRejection, permission: Permission) -> bool:
    return not permission.limited or (bool(one.apis) and all(map(permission.covers_api, one.apis)))
