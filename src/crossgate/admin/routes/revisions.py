"""Routes of revisions: who changed what, what became of it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.context import Context, Message
from crossgate.admin.etag_headers import demanded_base, revision_tag
from crossgate.admin.paging import Cursor, Limit, cursor_after, invalid_cursor, last_key
from crossgate.admin.responses import made, seen
from crossgate.admin.routes.plans import Applied, applied
from crossgate.admin.validation import routes_about
from crossgate.service.errors import NotFound
from crossgate.service.ports import NodeRollout, Revision, RolloutState

router = routes_about("Revisions")
Number = Annotated[int, Path(ge=0, le=2**31 - 1, description="A revision's number.")]


class OutcomeOnNode(BaseModel):
    """What one node made of a revision."""

    node: str
    outcome: RolloutState
    at: datetime | None
    """Since when; null while it is pending."""
    detail: str | None
    """The node's own message, if it rejected a part."""


class RevisionSummary(BaseModel):
    """One change, whole."""

    number: int
    author: str
    """The name of the token."""
    at: datetime
    message: str
    objects: int
    """How many objects it changed."""
    rolls_back_to: int | None
    """The revision whose state it restored."""
    nodes: list[OutcomeOnNode]


class RecordedChange(BaseModel):
    """One object before and after, as a document has it; null where there was none."""

    kind: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RevisionPage(BaseModel):
    """Revisions, the newest first."""

    items: list[RevisionSummary]
    next: str | None
    """The cursor of the next page; null on the last."""


class RevisionWithChanges(RevisionSummary):
    """A revision and what it changed."""

    changes: list[RecordedChange]


@router.get("/v1/revisions", response_model=RevisionPage)
def list_revisions(
    request: Request, context: Context, _: Viewer, *, limit: Limit = 50, cursor: Cursor = ""
) -> Response:
    """Revisions, the newest first."""
    found = context.service.store.revisions(before=_before(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_after(str(page[-1].number)) if len(found) > limit else None
    running = context.nodes.revisions()
    items = [RevisionSummary(**_summary(one, running)) for one in page]
    return seen(request, RevisionPage(items=items, next=following))


@router.get("/v1/revisions/{number}", response_model=RevisionWithChanges)
def show_revision(request: Request, context: Context, _: Viewer, number: Number) -> Response:
    """One revision: who, when, why, what, and what became of it on the nodes."""
    found = context.service.store.revision(number)
    if found is None:
        raise NotFound("revision", str(number))
    changes = [
        RecordedChange(
            kind=one.kind.value,
            key=one.key,
            before=None if one.before is None else dict(one.before),
            after=None if one.after is None else dict(one.after),
        )
        for one in found.difference
    ]
    summary = _summary(found.revision, context.nodes.revisions())
    return seen(request, RevisionWithChanges(**summary, changes=changes))


@router.post("/v1/revisions/{number}/rollback", response_model=Applied)
def roll_back(
    request: Request, context: Context, caller: Editor, number: Number, message: Message = ""
) -> Response:
    """Restore the state of that revision, as a new one; 0 is the empty catalogue.

    `If-Match` is the tag of the newest revision, which `GET /v1/export` and every plan give; or `*`.
    """
    base = demanded_base(request.headers)
    done = context.service.rollback(number, author=caller.name, message=message, base=base)
    return made(applied(done), tag=revision_tag(done.head.revision), revision=done.head.revision)


def _before(cursor: str) -> int | None:
    if not cursor:
        return None
    key = last_key(cursor)
    if not (key.isascii() and key.isdigit() and len(key) <= 9):
        raise invalid_cursor(cursor)
    return int(key)


def _summary(revision: Revision, running: Mapping[str, int | None]) -> dict[str, Any]:
    known = {one.node for one in revision.nodes}
    outcomes = [_outcome(one) for one in revision.nodes]
    outcomes += [
        OutcomeOnNode(node=node, outcome=RolloutState.PENDING, at=None, detail=None)
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


def _outcome(one: NodeRollout) -> OutcomeOnNode:
    pending = one.state is RolloutState.PENDING
    return OutcomeOnNode(node=one.node, outcome=one.state, at=None if pending else one.at, detail=one.detail)
