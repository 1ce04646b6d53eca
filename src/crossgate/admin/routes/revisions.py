"""Routes of revisions: the history of changes, their rollout, and rollback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import UnlimitedViewer
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.etag_headers import revision_etag
from crossgate.admin.paging import Page, PageBody, PageRequest, cursor_after
from crossgate.admin.replay_bodies import ReplayBody, replay_body
from crossgate.admin.responses import json_response, read_response
from crossgate.admin.routes.documents import (
    AccessChangeBody,
    ChangeResultBody,
    Confirm,
    PlanBody,
    access_bodies,
    change_result_response,
    plan_body,
)
from crossgate.admin.workers import HistoryRecords
from crossgate.admin.writes import Write
from crossgate.service.errors import NotFound
from crossgate.service.objects import ObjectKind
from crossgate.service.ports import NodeRollout, RecordedHistory, Revision, RolloutState
from crossgate.service.replay import TelemetryRecords
from crossgate.service.revision_effect import revision_effect
from crossgate.service.revision_filter import parse_revision_filter
from crossgate.service.tokens import Token

router = resource_router("Revisions")
_MOST_LATER: Final = 100
Number = Annotated[int, Path(ge=0, le=2**31 - 1, description="The number of a revision.")]


class NodeOutcomeBody(BaseModel):
    """The outcome of a revision on one node."""

    node: str
    outcome: RolloutState
    at: datetime | None
    """When the node decided; null while it is pending."""
    detail: str | None
    """The node's message, if it rejected a resource."""


class ObjectNameBody(BaseModel):
    """One object of the catalogue."""

    kind: ObjectKind
    key: str


class RevisionSummary(BaseModel):
    """One revision."""

    number: int
    author: str
    """The name of the token that made the change."""
    at: datetime
    message: str
    objects: int
    """The number of objects that it changed."""
    named: list[ObjectNameBody]
    """The first of them, at most three."""
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
    """Sorted by kind and key."""
    access: list[AccessChangeBody] | None
    """The origins that gained or lost access to each API; null with a `limit`, or if an object of that time
    cannot be parsed."""
    effect: ReplayBody | None
    """The refusals that were seen since and that it turned: `lost` passed before it, and is refused by it.
    Null as `access` is."""


class RollbackPlanBody(PlanBody):
    """What a rollback would change."""

    taken_back: list[RevisionSummary]
    """The later revisions, whose changes are taken back too; the newest first, at most 100."""


@router.get("/v1/revisions", response_model=RevisionPage)
def list_revisions(
    request: Request,
    context: Context,
    _: UnlimitedViewer,
    page: Page,
    text: Annotated[
        str,
        Query(
            alias="filter",
            max_length=1000,
            description="`author:NAME`, `api:NAME` or `api:NAME/VERSION`, `application:NAME`, and words of"
            " the message.",
        ),
    ] = "",
    author: Annotated[str, Query(max_length=200, description="The whole name, in any case.")] = "",
    api: Annotated[
        str, Query(max_length=500, description="Those that changed this API: `name/version`, or its name.")
    ] = "",
    application: Annotated[
        str, Query(max_length=200, description="Those that changed this application.")
    ] = "",
) -> Response:
    """Revisions, the newest first. `author`, `api` and `application` replace the same words of `filter`."""
    query = parse_revision_filter(text)
    named = {"author": author, "api": api, "application": application}
    query = replace(query, **{name: value for name, value in named.items() if value})
    found = context.service.store.revisions(before=_before(page), limit=page.limit + 1, query=query)
    shown = found[: page.limit]
    next_cursor = cursor_after(str(shown[-1].number)) if len(found) > page.limit else None
    running = context.nodes.revisions()
    items = [RevisionSummary(**_summary(one, running)) for one in shown]
    return read_response(request, RevisionPage(items=items, next=next_cursor))


@router.get("/v1/revisions/{number}", response_model=RevisionWithChanges)
def read_revision(
    request: Request,
    context: Context,
    caller: UnlimitedViewer,
    number: Number,
    limit: Annotated[
        int | None,
        Query(ge=1, le=1000, description="The largest number of changes; their effect is then left out."),
    ] = None,
) -> Response:
    """One revision with its changes, its effect, and its outcome on each node."""
    if limit is None:
        context.leave_to_worker(lambda: _records(context, caller, number))
    found = context.service.store.revision(number, limit=limit)
    if found is None:
        raise NotFound("revision", str(number))
    effect = None
    if limit is None:
        records = context.refusals.records(caller.permission) or TelemetryRecords()
        effect = revision_effect(context.service.store, found, records)
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
    return read_response(
        request,
        RevisionWithChanges(
            **summary,
            changes=changes,
            access=None if effect is None else access_bodies(effect.access),
            effect=None if effect is None else replay_body(effect.replay),
        ),
        in_ascii=True,
    )


@router.get("/v1/revisions/{number}/rollback", response_model=RollbackPlanBody)
def plan_roll_back(context: Context, caller: UnlimitedViewer, number: Number) -> Response:
    """What restoring a revision would change. Send the `ETag` as `If-Match` of the `POST`."""
    context.leave_to_worker(lambda: _records(context, caller, number))
    records = context.refusals.records(caller.permission)
    plan = context.service.plan_rollback(number, caller.permission, records)
    running = context.nodes.revisions()
    later = context.service.store.revisions(limit=min(plan.base - number, _MOST_LATER))
    return json_response(
        RollbackPlanBody(
            **plan_body(plan).model_dump(),
            taken_back=[RevisionSummary(**_summary(one, running)) for one in later],
        ),
        etag=revision_etag(plan.base),
        in_ascii=True,
    )


@router.post("/v1/revisions/{number}/rollback", response_model=ChangeResultBody)
def roll_back(write: Write, _: UnlimitedViewer, number: Number, *, confirm: Confirm = False) -> Response:
    """Restore a revision as a new one; 0 is the empty catalogue.

    What the plan has under `confirmation` is made with `confirm=true` only.
    `If-Match` has the etag of the newest revision, returned by `GET /v1/export` and every plan; or `*`.
    """
    result = write.context.service.rollback(
        number,
        author=write.author,
        message=write.message,
        base=write.base_revision(),
        permission=write.caller.permission,
        confirmed=confirm,
    )
    return change_result_response(result)


def _records(context: AdminContext, caller: Token, number: int) -> HistoryRecords:
    store = context.service.store
    head = store.refresh().revision
    if number > head:
        raise NotFound("revision", str(number))
    revision = store.revision(number) if number else None
    if number and revision is None:
        raise NotFound("revision", str(number))
    later = store.revisions(limit=min(head - number, _MOST_LATER)) if head > number else ()
    history = RecordedHistory(store.objects_at(number, changed_since=True), revision, later)
    return HistoryRecords(history, context.refusals.records(caller.permission) or TelemetryRecords())


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
        "named": [ObjectNameBody(kind=kind, key=key) for kind, key in revision.named],
        "rolls_back_to": revision.rolls_back_to,
        "nodes": outcomes,
    }


def _outcome(one: NodeRollout) -> NodeOutcomeBody:
    pending = one.state is RolloutState.PENDING
    return NodeOutcomeBody(
        node=one.node, outcome=one.state, at=None if pending else one.at, detail=one.detail
    )
