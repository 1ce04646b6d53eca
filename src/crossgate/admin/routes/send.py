"""Sending an explained request through the gateway's own listener."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field

from crossgate.admin.auth import Editor
from crossgate.admin.body import ModelBody
from crossgate.admin.context import Context, resource_router
from crossgate.admin.flow_bodies import HeaderBody
from crossgate.admin.responses import json_response
from crossgate.admin.routes.explain import ExplainRequest, explained_api
from crossgate.catalogue.model import Gateway
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.policy import Answer
from crossgate.policy.names import ORIGIN, REQUEST_HEADERS, REQUEST_METHOD, SEC_FETCH_SITE, is_token
from crossgate.policy.request import Request as PolicyRequest
from crossgate.policy.script_request import Stage, StageName
from crossgate.service.sent_request import NotSent, SentRequest, find_disagreements

router = resource_router("Explain")
_LONGEST: Final = 8 * 1024


class SendRequest(ExplainRequest):
    """The request to send; it is explained under the newest revision."""

    confirm_native: bool = Field(
        default=False, description="Send also what reaches the native service, which may act on it."
    )


class SentStageBody(BaseModel):
    """One request that was sent, and what came back."""

    stage: StageName
    method: str
    path: str
    status: int
    headers: list[HeaderBody]
    """Those that CORS is about."""
    disagreements: list[str]
    """How the response differs from what was computed; empty if it agrees."""


class SentBody(BaseModel):
    """What the gateway answered."""

    revision: int
    at: datetime
    sent: list[SentStageBody]
    needs_confirmation: bool
    """Whether a request was not sent because it would reach the native service: send `confirm_native`."""


@router.post("/v1/explain/send", response_model=SentBody)
def send_request(
    context: Context, caller: Editor, body: Annotated[SendRequest, Depends(ModelBody(SendRequest))]
) -> Response:
    """Send the request through the gateway's own listener, and compare the response with the decision.

    Nothing else is reached: the address is the gateway's. It counts in the statistics as any request does.
    """
    if body.revision is not None or body.policy is not None or body.compare is not None:
        raise InvalidInput([_NOT_ENFORCED])
    if context.sender is None:
        raise NotSent(
            "this control plane runs no Envoy of its own", "Send the request to a node with curl instead"
        )
    explained, request = explained_api(context, caller, body)
    # Named, so that no worker explains it: only this process can send.
    made = explained.explain(request, context.head.revision, script=body.script)
    catalogue = explained.view.catalogue
    path = body.path or (f"{catalogue.apis[explained.api].endpoints[0]}/" if explained.api else "/")
    sent: list[SentStageBody] = []
    needs_confirmation = False
    for stage in made.stages:
        if stage.sent is False or (not body.script and stage is not made.decided):
            break
        decision = stage.explanation.decision
        if not isinstance(decision, Answer) and not body.confirm_native:
            needs_confirmation = True
            break
        response = context.sender.send(catalogue.gateway, _as_sent(stage, path, catalogue.gateway))
        sent.append(
            SentStageBody(
                stage=stage.name,
                method=stage.request.method,
                path=path,
                status=response.status,
                headers=[HeaderBody(name=name, value=value) for name, value in response.shown],
                disagreements=find_disagreements(decision, response),
            )
        )
    return json_response(
        SentBody(
            revision=made.revision, at=datetime.now(UTC), sent=sent, needs_confirmation=needs_confirmation
        )
    )


def _as_sent(stage: Stage, path: str, gateway: Gateway) -> SentRequest:
    """The request of a stage; raises InvalidInput if it cannot be written as HTTP."""
    request: PolicyRequest = stage.request
    headers = (
        (ORIGIN, request.origin),
        (REQUEST_METHOD, request.request_method),
        (REQUEST_HEADERS, request.request_headers),
        (SEC_FETCH_SITE, request.sec_fetch_site),
        ("Content-Type", request.content_type),
        ("User-Agent", "crossgate-simulator"),
    )
    host = request.host or _usual_host(gateway)
    found = [
        *([] if is_token(request.method) else [_unsendable("method", request.method)]),
        *([] if path.startswith("/") and _is_visible(path, "!") else [_unsendable("path", path)]),
        *(_unsendable(name, value) for name, value in (("Host", host), *headers) if not _is_visible(value)),
    ]
    if found:
        raise InvalidInput(found)
    return SentRequest(request.method, path, host, tuple(one for one in headers if one[1]))


def _usual_host(gateway: Gateway) -> str:
    origins = sorted(gateway.public_origins)
    return origins[0].partition("://")[2] if origins else str(gateway.listen)


def _is_visible(value: str, first: str = " ") -> bool:
    return len(value) <= _LONGEST and all(first <= one <= "~" or one == "\t" for one in value)


def _unsendable(name: str, value: str) -> Diagnostic:
    return Diagnostic(
        "cannot-be-sent",
        f"the {name} cannot be sent over HTTP: it has a control, a space or more than 8 KiB",
        "Change it, or look at the computed decision only",
        found=value[:100],
    )


_NOT_ENFORCED: Final = Diagnostic(
    "not-enforced",
    "only the newest revision can be sent: the gateway enforces no draft and no earlier revision",
    "Leave out revision, policy and compare",
    place=Place(()),
)
