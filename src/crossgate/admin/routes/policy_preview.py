"""The preview of a draft of a policy: what saving it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.errors import DiagnosticBody
from crossgate.admin.etag_headers import parse_preconditions, quoted
from crossgate.admin.file_patches import FilePatchBody, file_patch
from crossgate.admin.refusal_bodies import ChangedObjectBody, changed_object
from crossgate.admin.responses import json_response, shown_findings
from crossgate.admin.routes.apis import api_key, find_api
from crossgate.service.access import AccessMode
from crossgate.service.etag import PolicyOf, etag_of, require
from crossgate.service.tokens import Token

if TYPE_CHECKING:
    # They load the linter, which is loaded after clients are served.
    from crossgate.lint.origin_verdict import OriginVerdict
    from crossgate.service.recorded_effect import AffectedOrigin, RecordedEffect

router = resource_router("Policies")
_MOST_LISTED = 1000


class PreviewRequest(BaseModel):
    """A draft."""

    model_config = ConfigDict(extra="forbid")

    policy: dict[str, Any] | None = None
    """As for `PUT …/policy`; null for an API without a policy."""
    lint: dict[str, Any] | None = None
    """The API's `lint`, with the findings that are accepted; null if it stays as it is."""


class OriginVerdictBody(BaseModel):
    """Whom an entry lets in."""

    words: str
    """Such as `Only this origin`, `Only example.com` or `Unsafe: evilexample.com passes`."""
    safety: str
    """`safe`, `caution` or `unsafe`."""
    witness: str | None
    """An origin that gets in and should not."""


class JudgedEntryBody(BaseModel):
    """One entry of the allowed origins."""

    index: int
    entry: Any
    verdict: OriginVerdictBody | None
    """Null if it cannot be parsed: then `errors` has the reason."""


class ApplicationOriginBody(BaseModel):
    """An origin that an application brings."""

    application: str
    origin: str
    suspended: bool
    """Then it has no effect."""
    verdict: OriginVerdictBody
    also: Any
    """The entry of the policy that admits it too; null if none does."""


class PreviewedFindingBody(DiagnosticBody):
    """A finding of the linter."""

    refuses: bool
    """Whether saving would be refused because of it."""


class AcceptedFindingBody(BaseModel):
    """An acceptance in the API's `lint.allow`."""

    index: int
    code: str
    entry: str | None
    reason: str
    finding: DiagnosticBody | None
    """What it accepts in the draft; null if nothing is left of it."""


class AccessBody(BaseModel):
    """The origins and patterns that gain or lose access, as in a plan."""

    before: AccessMode
    after: AccessMode
    gains: list[str]
    loses: list[str]


class AffectedOriginBody(BaseModel):
    """Recorded requests of one origin."""

    origin: str
    """As the requests sent it; hostile."""
    clients: int | None
    """Distinct addresses, estimated; null for requests that passed, whose clients are not counted."""
    requests: int


class EffectBody(BaseModel):
    """What the draft would have made of the recorded requests of the last 24 hours."""

    refusals: int
    turned: int
    """Refusals that would pass."""
    refused: int
    """Requests that passed and would be refused, estimated."""
    gains: list[AffectedOriginBody]
    """At most 1,000; so is `loses`."""
    loses: list[AffectedOriginBody]
    unknown: int
    """Records that have too little of the requests to tell."""


class PreviewBody(BaseModel):
    """What saving a draft would do. Paths of errors and findings are relative to the policy."""

    base: int
    """The newest revision, on which the draft was previewed."""
    valid: bool
    """Whether it could be saved."""
    errors: list[DiagnosticBody]
    """What is wrong; the rest of the draft is previewed without it."""
    findings: list[PreviewedFindingBody]
    origins: list[JudgedEntryBody]
    """At most 2,000; so is `application_origins`."""
    application_origins: list[ApplicationOriginBody]
    accepted: list[AcceptedFindingBody]
    objects: list[ChangedObjectBody]
    """The API before and after; empty if nothing would change."""
    patch: str
    """The same as a unified diff of the API as a document has it."""
    access: AccessBody | None
    """Null if nobody gains or loses access."""
    effect: EffectBody | None
    """Null if nothing is recorded."""
    file: FilePatchBody | None
    """The change of the file that the gateway runs; null if it runs none, or if the proofs took long."""


async def _draft(
    request: Request,
    context: Context,
    caller: Viewer,
    name: str,
    version: str,
    body: Annotated[PreviewRequest, Depends(ModelBody(PreviewRequest))],
) -> PreviewRequest:
    """The draft, if its preconditions hold."""
    key = find_api(context.view(caller).catalogue, name, version).key
    _require_unchanged(request, context, key)
    return body


def _require_unchanged(request: Request, context: AdminContext, key: str) -> None:
    """Check the preconditions, if there are any.

    Raises:
        PreconditionFailed: the policy is another one than the draft was begun with.

    """
    headers = request.headers
    if "If-Match" in headers or "If-None-Match" in headers:
        for precondition in parse_preconditions(headers, PolicyOf(key), creates=True):
            require(context.head.catalogue, precondition)


@router.post("/v1/apis/{name}/{version}/policy/preview", response_model=PreviewBody)
def preview_policy(
    context: Context,
    caller: Viewer,
    name: str,
    version: str,
    draft: Annotated[PreviewRequest, Depends(_draft)],
) -> Response:
    """What saving a draft of the policy would do. Nothing changes, and any role may ask.

    With `If-Match`, 412 if the policy is another one than the draft was begun with; `If-None-Match: *` for an
    API that had no policy. The response has the etag of the policy as it is.
    """
    key = api_key(name, version)
    with context.quick_proofs(lambda: context.refusals.recent_records(key, caller.permission)):
        found = _preview(context, caller, name, version, draft)
    etag = etag_of(context.head.catalogue, PolicyOf(found[0]))
    response = json_response(found[1], in_ascii=True)
    if etag is not None:
        response.headers["ETag"] = quoted(etag)
    return response


def _verdict(found: OriginVerdict) -> dict[str, object]:
    return {"words": found.words, "safety": found.safety, "witness": found.witness}


def _affected(found: AffectedOrigin) -> dict[str, object]:
    return {
        "origin": found.origin,
        "clients": found.clients,
        "requests": round(found.requests),
    }


def effect_values(effect: RecordedEffect) -> dict[str, object]:
    """The values of an :class:`EffectBody`."""
    return {
        "refusals": round(effect.refusals),
        "turned": round(effect.turned),
        "refused": round(effect.refused),
        "gains": [_affected(one) for one in effect.gains[:_MOST_LISTED]],
        "loses": [_affected(one) for one in effect.loses[:_MOST_LISTED]],
        "unknown": effect.unknown,
    }


def _preview(
    context: AdminContext, caller: Token, name: str, version: str, draft: PreviewRequest
) -> tuple[str, PreviewBody]:
    view = context.view(caller)
    api = find_api(view.catalogue, name, version)
    found = context.refusals.preview_policy(
        api, draft.policy, draft.lint, view.associations, caller.permission
    )
    refusing = frozenset(found.refusing)
    access, effect = found.access, found.effect
    catalogue = context.head.catalogue
    objects = [changed_object(one, catalogue) for one in found.difference]
    body = {
        "base": found.base,
        "valid": found.valid,
        "errors": [one.as_json() for one in found.errors[:_MOST_LISTED]],
        "findings": [{**one.as_json(), "refuses": one in refusing} for one in shown_findings(found.findings)],
        "origins": [
            {"index": one.index, "entry": one.entry, "verdict": one.verdict and _verdict(one.verdict)}
            for one in found.entries
        ],
        "application_origins": [
            {
                "application": one.application,
                "origin": one.origin,
                "suspended": one.suspended,
                "verdict": _verdict(one.verdict),
                "also": one.also,
            }
            for one in found.application_origins
        ],
        "accepted": [
            {
                "index": one.index,
                "code": one.suppression.code,
                "entry": one.suppression.entry,
                "reason": one.suppression.reason,
                "finding": one.finding and one.finding.as_json(),
            }
            for one in found.accepted
        ],
        "objects": objects,
        "patch": found.patch,
        "access": access
        and {
            "before": access.before,
            "after": access.after,
            "gains": access.gains,
            "loses": access.loses,
        },
        "effect": effect and effect_values(effect),
        "file": file_patch(context, caller, objects) if objects else None,
    }
    return api.key, PreviewBody.model_validate(body)
