"""Routes of whole documents: is it right, what would it change, make it so, and give me one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import DocumentText
from crossgate.admin.context import Context, Message
from crossgate.admin.errors import Finding
from crossgate.admin.etag_headers import demanded_base, quoted, revision_tag
from crossgate.admin.responses import made
from crossgate.admin.routes.plans import Applied, PlanBody, applied, plan_body
from crossgate.admin.schemas import takes_document
from crossgate.admin.validation import routes_about
from crossgate.catalogue.document import read_document, write_document
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.lint import rule as linter
from crossgate.service.changes import ReplaceAll
from crossgate.service.errors import InvalidChange

router = routes_about("Documents")
Prune = Annotated[bool, Query(description="Remove what the document does not have.")]


class Checked(BaseModel):
    """Whether a document could be applied, everything that is wrong with it, and what the linter finds."""

    valid: bool
    diagnostics: list[Finding]


@router.post("/v1/check", response_model=Checked, openapi_extra=takes_document())
def check(context: Context, _: Viewer, text: DocumentText, *, prune: Prune = False) -> Response:
    """Whether the document could be applied to what there is."""
    try:
        planned = context.service.plan([_desired(text, prune=prune)])
    except (InvalidInput, InvalidChange) as refused:
        return made(_checked(refused.diagnostics, valid=False))
    return made(_checked(planned.findings, valid=not planned.refusing))


@router.post("/v1/plan", response_model=PlanBody, openapi_extra=takes_document())
def plan(context: Context, _: Viewer, text: DocumentText, *, prune: Prune = False) -> Response:
    """What applying the document would change, which origins gain or lose access, and what the linter says.

    Its tag is what `POST /v1/apply` wants as `If-Match`.
    """
    planned = context.service.plan([_desired(text, prune=prune)])
    return made(plan_body(planned), tag=revision_tag(planned.base))


@router.post("/v1/apply", response_model=Applied, openapi_extra=takes_document())
def apply(
    request: Request,
    context: Context,
    caller: Editor,
    text: DocumentText,
    *,
    prune: Prune = False,
    message: Message = "",
) -> Response:
    """Make it so, as one revision. Sections that the document leaves out stay as they are, unless pruned.

    `If-Match` is the tag of the plan or of the export; `*` applies to whatever there is.
    """
    base = demanded_base(request.headers)
    desired = _desired(text, prune=prune)
    done = context.service.change([desired], author=caller.name, message=message, base=base)
    return made(applied(done), tag=revision_tag(done.head.revision), revision=done.head.revision)


@router.get(
    "/v1/export",
    response_class=Response,
    responses={200: {"description": "A document.", "content": {"application/yaml": {}}}},
)
def export(
    context: Context,
    _: Viewer,
    revision: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="As it was then.")] = None,
) -> Response:
    """The document that reproduces what there is, byte for byte the same while nothing changes."""
    head = context.head
    number = head.revision if revision is None else revision
    catalogue = head.catalogue if number == head.revision else context.service.export(number)
    return Response(
        write_document(catalogue),
        media_type="application/yaml",
        headers={"ETag": quoted(revision_tag(number)), "Cache-Control": "no-store"},
    )


def _desired(text: str, *, prune: bool) -> ReplaceAll:
    reading = read_document(text)
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return ReplaceAll(
        reading.catalogue, prune, gateway=reading.declares("gateway"), settings=reading.declares("settings")
    )


def _checked(diagnostics: Sequence[Diagnostic | linter.Finding], *, valid: bool) -> Checked:
    findings = [Finding.model_validate(found.as_json()) for found in diagnostics]
    return Checked(valid=valid, diagnostics=findings)
