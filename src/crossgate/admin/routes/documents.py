"""Routes of whole documents: check, plan, apply and export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.body import DocumentText, document_text
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.errors import DiagnosticBody, TokenLimited
from crossgate.admin.etag_headers import quoted, revision_etag
from crossgate.admin.file_patches import FilePatchBody, file_patch
from crossgate.admin.openapi import document_body
from crossgate.admin.ownership import Scoped, Selected, read_selector
from crossgate.admin.refusal_bodies import changed_object
from crossgate.admin.replay_bodies import ReplayBody, replay_body
from crossgate.admin.responses import json_response, shown_diagnostics, shown_findings
from crossgate.admin.writes import Write
from crossgate.catalogue.document import read_document, write_document, write_objects
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.lint.rule import Finding
from crossgate.service.access import AccessChange, AccessMode
from crossgate.service.catalogue_service import ChangeResult
from crossgate.service.changes import ReplaceAll
from crossgate.service.errors import InvalidChange, ReadOnly
from crossgate.service.file_store import FileStore
from crossgate.service.objects import ObjectChange, object_to_dict
from crossgate.service.plan import Plan
from crossgate.service.ports import RecordedObject
from crossgate.service.scope import Scope
from crossgate.service.tokens import Token

router = resource_router("Documents")
Prune = Annotated[bool, Query(description="Delete objects within the scope that the document omits.")]
Confirm = Annotated[
    bool, Query(description="Make the change even if the plan says that it must be confirmed.")
]


async def read_planned_text(request: Request, context: Context, caller: Viewer) -> str:
    """The document to plan, for a worker that also gets what is recorded of requests."""
    return await document_text(request, lambda: context.refusals.records(caller.permission))


PlannedText = Annotated[str, Depends(read_planned_text)]


class CheckBody(BaseModel):
    """Whether a document can be applied; its errors and the linter's findings."""

    valid: bool
    diagnostics: list[DiagnosticBody]


class PlannedChangeBody(BaseModel):
    """One object before and after, as in a document; null where it does not exist."""

    kind: str
    key: str
    action: str
    """`add`, `change` or `remove`."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AccessChangeBody(BaseModel):
    """The origins that gain or lose access to one API."""

    api: str
    before: AccessMode
    after: AccessMode
    gains: list[str]
    loses: list[str]


class PlannedFindingBody(DiagnosticBody):
    """A finding of the linter for an object that would change."""

    refuses: bool
    """Whether the linter refuses the change because of it."""


class PlanBody(BaseModel):
    """What a document would change; `changes` is empty if the catalogue already matches it."""

    base: int
    """The revision that the plan is based on."""
    changes: list[PlannedChangeBody]
    access: list[AccessChangeBody]
    findings: list[PlannedFindingBody]
    """Findings for the objects that would change."""
    confirmation: list[DiagnosticBody] = []
    """Why the change is made with `confirm=true` only: it removes much, or changes the listener."""
    replay: ReplayBody | None
    """What it would have made of recorded requests; null if none are recorded."""
    file: FilePatchBody | None = None
    """Of the preview of applications and registrations, while the gateway runs a file: the patch of it."""


class ChangeResultBody(BaseModel):
    """The result of a change."""

    revision: int
    """The newest revision after the change."""
    changed: bool
    """Whether a new revision was created; false if the catalogue already matched."""
    added: int
    modified: int
    removed: int
    findings: list[DiagnosticBody]
    """The linter's findings for the objects that changed."""


@router.post("/v1/check", response_model=CheckBody, openapi_extra=document_body())
def check_document(
    context: Context, caller: Viewer, text: DocumentText, *, prune: Prune = False, selector: Scoped = None
) -> Response:
    """Check whether a document can be applied to the current catalogue."""
    scope = _scope(caller, selector)
    try:
        plan = context.service.plan([_parse(text, scope, prune=prune)], caller.permission)
    except (InvalidInput, InvalidChange) as error:
        return json_response(_check_body(error.diagnostics, valid=False))
    return json_response(_check_body(plan.findings, valid=not plan.refusing))


@router.post("/v1/plan", response_model=PlanBody, openapi_extra=document_body())
def plan_document(
    context: Context, caller: Viewer, text: PlannedText, *, prune: Prune = False, selector: Scoped = None
) -> Response:
    """What applying a document would change, with gained and lost origins and the linter's findings.

    Send the `ETag` of the response as `If-Match` of `POST /v1/apply`.
    """
    desired = _parse(text, _scope(caller, selector), prune=prune)
    plan = context.service.plan([desired], caller.permission, context.refusals.records(caller.permission))
    return json_response(plan_body(plan), etag=revision_etag(plan.base), in_ascii=True)


@router.post("/v1/apply", response_model=ChangeResultBody, openapi_extra=document_body())
def apply_document(
    write: Write,
    text: DocumentText,
    *,
    prune: Prune = False,
    selector: Scoped = None,
    confirm: Confirm = False,
) -> Response:
    """Apply a document as one revision. Sections that it omits stay unchanged, unless `prune` is set.

    With a `selector`, or a token that is limited to some APIs, nothing outside of that scope is changed or
    deleted. What a plan has under `confirmation` is made with `confirm=true` only.

    `If-Match` has the etag of the plan or of the export; `*` applies to any revision.
    """
    base = write.base_revision()
    desired = _parse(text, _scope(write.caller, selector), prune=prune)
    result = write.context.service.change(
        [desired],
        author=write.author,
        message=write.message,
        base=base,
        permission=write.caller.permission,
        confirmed=confirm,
    )
    return change_result_response(result)


@router.get(
    "/v1/export",
    response_class=Response,
    responses={200: {"description": "A document.", "content": {"application/yaml": {}}}},
)
def export_document(
    context: Context,
    caller: Viewer,
    revision: Annotated[
        int | None, Query(ge=0, le=2**31 - 1, description="An earlier revision; default: the newest.")
    ] = None,
    selector: Selected = None,
) -> Response:
    """The document that reproduces a revision; its bytes are the same for the same revision.

    With a `selector`, it has the APIs and applications that are selected, and not the gateway's sections. For
    a limited token, it has what a document of this token may have: no application with an API of others.
    """
    scope = None if selector is None else _scope(caller, selector)
    if revision is not None and caller.permission.limited:
        raise TokenLimited(caller)
    if revision is None:
        context.leave_long_read_to_worker()
    else:
        context.leave_to_worker(lambda: _recorded(context, revision))
    head = context.head
    number = head.revision if revision is None else revision
    catalogue = head.catalogue if number == head.revision else context.service.export(number)
    return Response(
        _write_part(catalogue, Scope(caller.permission) if scope is None else scope),
        media_type="application/yaml",
        headers={"ETag": quoted(revision_etag(number)), "Cache-Control": "no-store"},
    )


def _write_part(catalogue: Catalogue, scope: Scope) -> str:
    if not scope.limited:
        return write_document(catalogue)
    apis = {key: one for key, one in catalogue.apis.items() if scope.includes(one)}
    # Without the APIs of others, an application would lose them when somebody without a limit applies it.
    applications = {key: one for key, one in catalogue.applications.items() if scope.includes(one)}
    if scope.selector is None:
        return write_document(replace(catalogue, apis=apis, applications=applications))
    return write_objects(apis.values(), applications.values())


def _recorded(context: AdminContext, revision: int) -> Sequence[RecordedObject] | None:
    """The objects at the revision; None for the document that a gateway runs, which has no history."""
    try:
        return context.service.objects_at(revision)
    except ReadOnly:
        if revision != context.head.revision:
            raise
        return None


def change_result_response(result: ChangeResult) -> Response:
    """The response to a change of the whole catalogue."""
    revision, plan = result.head.revision, result.plan
    body = ChangeResultBody(
        revision=revision,
        changed=result.changed,
        added=len(plan.added),
        modified=len(plan.modified),
        removed=len(plan.removed),
        findings=_diagnostic_bodies(shown_findings(plan.findings)),
    )
    return json_response(body, etag=revision_etag(revision), revision=revision)


def _scope(caller: Token, selector: str | None) -> Scope:
    return Scope(caller.permission, read_selector(selector))


def _parse(text: str, scope: Scope, *, prune: bool) -> ReplaceAll:
    reading = read_document(text)
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return ReplaceAll(
        reading.catalogue,
        prune,
        gateway=reading.declares("gateway"),
        settings=reading.declares("settings"),
        listen=reading.declares("gateway", "listen"),
        scope=scope,
    )


def _check_body(diagnostics: Sequence[Diagnostic | Finding], *, valid: bool) -> CheckBody:
    return CheckBody(valid=valid, diagnostics=_diagnostic_bodies(shown_diagnostics(diagnostics)))


def _diagnostic_bodies(diagnostics: Sequence[Diagnostic | Finding]) -> list[DiagnosticBody]:
    return [DiagnosticBody.model_validate(one.as_json()) for one in diagnostics]


def access_bodies(changes: Sequence[AccessChange]) -> list[AccessChangeBody]:
    """Changes of access as they are sent."""
    return [
        AccessChangeBody(
            api=one.api, before=one.before, after=one.after, gains=list(one.gains), loses=list(one.loses)
        )
        for one in changes
    ]


def plan_body_with_patch(context: AdminContext, caller: Token, plan: Plan) -> PlanBody:
    """A plan as it is sent, with the patch of the file that the gateway runs."""
    catalogue = context.head.catalogue
    changed = [changed_object(one, catalogue) for one in plan.difference]
    return plan_body(plan).model_copy(
        update={"file": file_patch(context, caller, changed) if changed else None}
    )


def leave_preview_to_worker(context: AdminContext, caller: Token) -> None:
    """Leave a preview to a worker that also gets what is recorded; a patch needs the file of this process.

    Raises:
        NeedsWorkerError: the gateway runs no file, and this is not a worker.

    """
    if not isinstance(context.service.store, FileStore):
        context.leave_to_worker(lambda: context.refusals.records(caller.permission))


def plan_body(plan: Plan) -> PlanBody:
    """A plan as it is sent."""
    refusing = frozenset(plan.refusing)
    return PlanBody(
        base=plan.base,
        changes=[_planned_change(one) for one in plan.difference],
        access=access_bodies(plan.access),
        findings=[
            PlannedFindingBody.model_validate({**one.as_json(), "refuses": one in refusing})
            for one in plan.findings
        ],
        confirmation=_diagnostic_bodies(plan.confirmations),
        replay=None if plan.replay is None else replay_body(plan.replay),
    )


def _planned_change(change: ObjectChange) -> PlannedChangeBody:
    action = "add" if change.before is None else "remove" if change.after is None else "change"
    return PlannedChangeBody(
        kind=change.kind.value,
        key=change.key,
        action=action,
        before=None if change.before is None else object_to_dict(change.before),
        after=None if change.after is None else object_to_dict(change.after),
    )
