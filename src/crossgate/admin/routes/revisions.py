"""Routes of revisions: the history of changes, their rollout, and rollback."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import UnlimitedViewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.paging import Page, PageBody, PageRequest, cursor_after
from crossgate.admin.responses import read_response
from crossgate.admin.routes.documents import ChangeResultBody, change_result_response
from crossgate.admin.writes import Write
from crossgate.service.errors import NotFound
from crossgate.service.ports import NodeRollout, Revision, RolloutState

router = resource_router("Revisions")
Number = Annotated[int, Path(ge=0, le=2**31 - 1, description="The number of a revision.")]


class NodeOutcomeBody(BaseModel):
    """The outcome of a revision on one node."""

    node: str
    outcome: RolloutState
    at: datetime | None
    """When the node decided; null while it is pending."""
    detail: str | None
    """The node's message, if it rejected a resource."""


class RevisionSummary(BaseModel):
    """One revision."""

    number: int
    author: str
    """The name of the token that made the change."""
    at: datetime
    message: str
    objects: int
    """The number of objects that it changed."""
    rolls_back_to: int | None
    """The revision that it restored, if it is a rollback."""
    nodes: list[NodeOutcomeBody]


class RevisionChangeBody(BaseModel):
    """One object before and after, as in a document; null where it did not exist."""

    kind: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RevisionPage(PageBody[RevisionSummary]):
    """Revisions, the newest first."""


class RevisionWithChanges(RevisionSummary):
    """A revision with its changes."""

    changes: list[RevisionChangeBody]


@router.get("/v1/revisions", response_model=RevisionPage)
def list_revisions(request: Request, context: Context, _: UnlimitedViewer, page: Page) -> Response:
    """Revisions, the newest first."""
    found = context.service.store.revisions(before=_before(page), limit=page.limit + 1)
    shown = found[: page.limit]
    next_cursor = cursor_after(str(shown[-1].number)) if len(found) > page.limit else None
    running = context.nodes.revisions()
    items = [RevisionSummary(**_summary(one, running)) for one in shown]
    return read_response(request, RevisionPage(items=items, next=next_cursor))


@router.get("/v1/revisions/{number}", response_model=RevisionWithChanges)
def read_revision(request: Request, context: Context, _: UnlimitedViewer, number: Number) -> Response:
    """One revision with its changes and its outcome on each node."""
    context.leave_to_worker(lambda: context.service.store.revision(number))
    found = context.service.store.revision(number)
    if found is None:
        raise NotFound("revision", str(number))
    changes = [
        RevisionChangeBody(
            kind=one.kind.value,
            key=one.key,
            before=None if one.before is None else dict(one.before),
            after=None if one.after is None else dict(one.after),
        )
        for one in found.difference
    ]
    summary = _summary(found.revision, context.nodes.revisions())
    return read_response(request, RevisionWithChanges(**summary, changes=changes))


@router.post("/v1/revisions/{number}/rollback", response_model=ChangeResultBody)
def roll_back(write: Write, _: UnlimitedViewer, number: Number) -> Response:
    """Restore a revision as a new one; 0 is the empty catalogue.

    `If-Match` has the etag of the newest revision, returned by `GET /v1/export` and every plan; or `*`.
    """
    result = write.context.service.rollback(
        number,
        author=write.author,
        message=write.message,
        base=write.base_revision(),
        permission=write.caller.permission,
    )
    return change_result_response(result)


def _before(page: PageRequest) -> int | None:
    key = page.after
    if key is None:
        return None
    if not (key.isascii() and key.isdigit() and len(key) <= 9):
        raise page.invalid_cursor()
    return int(key)


def _summary(revision: Revision, running: Mapping[str, int | None]) -> dict[str, Any]:
    known = {one.node for one in revision.nodes}
    outcomes = [_outcome(one) for one in revision.nodes]
    outcomes += [
        NodeOutcomeBody(node=node, outcome=RolloutState.PENDING, at=None, detail=None)
        for node, runs in sorted(running.items())
        if node not in known and (runs is None or runs < revision.number)
    ]
    return {
        "number": revision.number,
        "author": revision.author,
        "at": revision.at,
        "message": revision.message,
        "objects": revision.objects,
        "rolls_back_to": revision.rolls_back_to,
        "nodes": outcomes,
    }


def _outcome(one: NodeRollout) -> NodeOutcomeBody:
    pending = one.state is RolloutState.PENDING
    return NodeOutcomeBody(
        node=one.node, outcome=one.state, at=None if pending else one.at, detail=one.detail
    )
