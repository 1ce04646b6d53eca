"""Routes that import documents of other kinds: what becomes of one, and which kinds there are."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.etag_headers import revision_etag
from crossgate.admin.import_bodies import (
    ImportBody,
    ImportKindsBody,
    diagnostic_bodies,
    finding_bodies,
    kept_bodies,
    kind_body,
    left_out_bodies,
    refusals,
    taken_bodies,
)
from crossgate.admin.openapi import raw_body
from crossgate.admin.responses import json_response
from crossgate.admin.routes.documents import plan_body
from crossgate.diagnostics import InvalidInput
from crossgate.importers.natives import split_native
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source

router = resource_router("Documents")
_MAX_OPTIONS: Final = 1000
_LONGEST: Final = 2000


async def read_source(request: Request, context: Context, caller: Viewer) -> bytes:
    """The document to import, for a worker that also gets what is recorded of requests.

    Raises:
        BodyTooLarge: it is above the limit; the rest of it is not read.
        NeedsWorkerError: this is not a worker.

    """
    body = await request.body()
    context.leave_to_worker(lambda: context.refusals.records(caller.permission))
    return body


@router.get("/v1/import/kinds", response_model=ImportKindsBody)
def list_import_kinds(_: Viewer) -> Response:
    """The kinds of documents that can be imported."""
    # The readers take 7 MiB, which a gateway that imports nothing does not need.
    from crossgate.importers.kinds import KINDS

    return json_response(ImportKindsBody(items=[kind_body(one) for one in KINDS]))


@router.post("/v1/import", response_model=ImportBody, openapi_extra=raw_body())
def import_document(
    context: Context,
    caller: Viewer,
    data: Annotated[bytes, Depends(read_source)],
    *,
    kind: Annotated[
        str | None, Query(max_length=100, description="The kind of document. Default: as it is recognised.")
    ] = None,
    native: Annotated[
        list[str] | None,
        Query(
            max_length=_MAX_OPTIONS,
            description="Base URL of the native service of all APIs, or of one: `petstore=https://…`.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None, Query(max_length=_MAX_OPTIONS, description="Added to the allowed origins.")
    ] = None,
    name: Annotated[str | None, Query(max_length=_LONGEST, description="Name of the one API.")] = None,
    version: Annotated[str | None, Query(max_length=_LONGEST, description="Version of the one API.")] = None,
    observe: Annotated[bool, Query(description="Policies refuse nothing, and count.")] = False,
    update: Annotated[
        bool, Query(description="Let objects that exist take over what the document says.")
    ] = False,
    file: Annotated[
        str, Query(max_length=_LONGEST, description="Name of the document, for places.")
    ] = "document",
) -> Response:
    """What would become of a document of another kind: a Crossgate document, and its plan.

    Nothing is changed. Send `document` to `POST /v1/apply`, with the `ETag` of the response as `If-Match`.
    References to other documents are refused.
    """
    from crossgate.service.import_plan import plan_import  # as above

    options = ImportOptions(
        natives=dict(map(split_native, native or ())),
        origins=tuple(origin or ()),
        name=name,
        version=version,
        observe=observe,
    )
    try:
        made = plan_import(
            context.service,
            Source(file, data),
            kind,
            options,
            update=update,
            permission=caller.permission,
            records=context.refusals.records(caller.permission),
        )
    except InvalidInput as invalid:
        raise InvalidInput(refusals(invalid.diagnostics, kind)) from None
    body = ImportBody(
        kind=made.kind.name,
        title=made.kind.title,
        document=made.document,
        taken=taken_bodies(made.merged.written),
        left_out=left_out_bodies(made.merged.written),
        diagnostics=diagnostic_bodies(made.imported.diagnostics),
        findings=finding_bodies(made.merged.written.findings),
        kept=kept_bodies(made.merged.kept),
        plan=plan_body(made.plan),
    )
    return json_response(body, etag=revision_etag(made.plan.base), in_ascii=True)
