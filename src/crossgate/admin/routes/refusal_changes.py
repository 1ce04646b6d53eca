"""Routes of changes that allow a group of refusals: previewed, then made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.errors import DiagnosticBody
from crossgate.admin.etag_headers import parse_preconditions
from crossgate.admin.file_patches import FilePatchBody, file_patch
from crossgate.admin.proof_bodies import EntryProofBody, PatternRequest, entry_proof
from crossgate.admin.refusal_bodies import RefusalBody, SuggestedChangeBody, suggested_change, target_of
from crossgate.admin.responses import json_response, shown_findings
from crossgate.admin.routes.policy_preview import EffectBody, effect_values
from crossgate.admin.routes.refusals import GroupId, refusal_body
from crossgate.admin.writes import Write
from crossgate.catalogue.model import Suppression
from crossgate.service.etag import Absent, Precondition
from crossgate.service.tokens import Token

if TYPE_CHECKING:
    # They load the linter, which is loaded after clients are served.
    from crossgate.service.refusal_changes import SuggestedChange
    from crossgate.service.refusal_choices import RefusalChoice
    from crossgate.service.refusal_preview import RefusalPreview

router = resource_router("Refusals")


class AcceptRequest(BaseModel):
    """A finding that is accepted: it is written to `lint.allow` of the API or the application."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=2000)
    entry: str | None = Field(default=None, max_length=4096, description="What the finding shows as `found`.")


class ChoiceRequest(BaseModel):
    """A change that allows a group: a suggested one, or one of your own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    change: int | None = Field(
        default=None, ge=1, le=1000, description="The number of a suggested change; 1 without a choice."
    )
    entry: PatternRequest | None = Field(
        default=None, description="The entry for the allowed origins, in place of the origin itself."
    )
    application: str | None = Field(
        default=None, max_length=500, description="Add the origin to this application, existing or new."
    )
    policy: bool = Field(
        default=False, description="Add the origin, the method or the headers to the policy."
    )
    method: str | None = Field(default=None, max_length=200, description="In place of the refused method.")
    headers: list[str] | None = Field(
        default=None, max_length=100, description="In place of the refused headers."
    )
    accept: list[AcceptRequest] = Field(default=[], max_length=100)

    def choice(self) -> RefusalChoice | int:
        """The choice, or the number of the suggested change."""
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_choices import RefusalChoice

        own = (self.entry, self.application, self.method, self.headers) != (None,) * 4 or self.accept
        if self.change is not None or not (own or self.policy):
            return self.change or 1
        return RefusalChoice(
            None if self.entry is None else self.entry.entry(),
            self.application or "",
            self.method,
            None if self.headers is None else tuple(self.headers),
            tuple(Suppression(one.code, one.reason, one.entry) for one in self.accept),
        )


class AllowRequest(ChoiceRequest):
    """The change to make."""

    confirm: str = Field(
        default="", max_length=4096, description="What a preview has in `confirm.value`, if it has one."
    )
    sentence: str = Field(
        default="", max_length=8192, description="That of the change that was seen; 412 if it is another now."
    )


class ConfirmationBody(BaseModel):
    """What must be sent in `confirm`, and why."""

    value: str
    reason: str


class RefusalPreviewBody(BaseModel):
    """What a change would do. Nothing is changed."""

    base: int
    """The newest revision."""
    valid: bool
    """Whether it can be made, once it is confirmed."""
    errors: list[DiagnosticBody]
    """Why it cannot be made."""
    change: SuggestedChangeBody | None
    """Number 0 unless it is a suggested one."""
    proof: EntryProofBody | None
    """Whom the entry lets in; null if no origin is added."""
    confirm: ConfirmationBody | None
    """Null if nothing needs to be confirmed."""
    effect: EffectBody | None
    """On recorded requests of the API in the last 24 hours."""
    if_match: str
    """For `If-Match` of `POST …/allow`."""
    file: FilePatchBody | None
    """Null unless the gateway runs a file."""


class AllowedBody(BaseModel):
    """A change that allows a group."""

    revision: int
    """The newest revision, which allows the group."""
    changed: bool
    """Whether the request created it."""
    change: SuggestedChangeBody
    findings: list[DiagnosticBody]
    """The linter's findings for the change."""
    refusal: RefusalBody


@router.post("/v1/refusals/{group}/preview", response_model=RefusalPreviewBody)
def preview_refusal_change(
    context: Context,
    caller: Viewer,
    group: GroupId,
    body: Annotated[ChoiceRequest, Depends(ModelBody(ChoiceRequest))],
) -> Response:
    """What a change that allows a group would do, and what must be sent to make it. Nothing changes."""
    with context.quick_proofs(lambda: context.refusals.records_around(group, caller.permission)):
        found_group, found = context.refusals.preview_choice(group, body.choice(), caller.permission)
        pattern = body.entry or PatternRequest(kind="exact", value=found_group.key.origin)
        answer = _preview(context, caller, body.change or 0, pattern, found)
    return json_response(answer, in_ascii=True)


@router.post("/v1/refusals/{group}/allow", response_model=AllowedBody)
def allow_refusal(
    write: Write,
    group: GroupId,
    body: Annotated[AllowRequest, Depends(ModelBody(AllowRequest))],
) -> Response:
    """Make a change as a revision. The group is then allowed since that revision.

    `If-Match` has the etags of all objects that the change touches, returned with the group and with a
    preview; or `*`.
    """
    context = write.context
    before = context.head.catalogue

    def preconditions(change: SuggestedChange) -> list[Precondition]:
        found: list[Precondition] = []
        for one in change.difference:
            target = target_of(one.kind, one.key)
            known = one.before is not None
            found += parse_preconditions(write.headers, target) if known else [Absent(target)]
        return found

    choice = body.choice()
    allowed = context.refusals.allow(
        group,
        choice,
        author=write.author,
        message=write.message,
        preconditions=preconditions,
        permission=write.caller.permission,
        confirm=body.confirm,
        sentence=body.sentence,
    )
    answer = AllowedBody(
        revision=allowed.result.head.revision,
        changed=allowed.result.changed,
        change=suggested_change(choice if isinstance(choice, int) else 0, allowed.change, before),
        findings=[
            DiagnosticBody.model_validate(one.as_json())
            for one in shown_findings(allowed.result.plan.findings)
        ],
        refusal=refusal_body(context, allowed.group),
    )
    return json_response(answer, revision=allowed.result.head.revision, in_ascii=True)


def _preview(
    context: AdminContext, caller: Token, number: int, pattern: PatternRequest, found: RefusalPreview
) -> RefusalPreviewBody:
    change = None if found.change is None else suggested_change(number, found.change, context.head.catalogue)
    etags = [] if change is None else [one.etag for one in change.objects if one.etag is not None]
    values: dict[str, Any] = {
        "base": found.base,
        "valid": found.valid,
        "errors": [one.as_json() for one in found.errors],
        "change": change,
        "proof": found.report and entry_proof(pattern, found.report),
        "confirm": found.confirm and {"value": found.confirm.value, "reason": found.confirm.reason},
        "effect": found.effect and effect_values(found.effect),
        "if_match": ", ".join(f'"{one}"' for one in etags) or "*",
        "file": change and file_patch(context, caller, change.objects),
    }
    return RefusalPreviewBody.model_validate(values)
