"""The explanation of the decision on one request under the newest revision."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, assert_never

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.responses import json_response
from crossgate.admin.views import View
from crossgate.catalogue.effective import effective_policy
from crossgate.catalogue.endpoint_index import resolve_api
from crossgate.policy import (
    Answer,
    Decision,
    EffectivePolicy,
    Forward,
    RegexOrigin,
    Request,
    ServerPolicy,
    explain,
)
from crossgate.service.errors import NotFound

router = resource_router("Explain")
_LONGEST = 64 * 1024
_QUICK_BYTES = 4 * 1024
_QUICK_ORIGINS = 500
_QUICK_EXPRESSIONS = 4
"""What a request and a policy may have for an explanation that takes a few milliseconds, without a worker."""


class ExplainRequest(BaseModel):
    """The request to explain; omit the headers that it does not have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    api: str = Field(default="", max_length=500, description="`name/version`; not needed with a `path`.")
    path: str = Field(default="", max_length=_LONGEST, description="As sent; without one, no path is judged.")
    method: str = Field(default="GET", max_length=_LONGEST)
    origin: str = Field(default="", max_length=_LONGEST)
    request_method: str = Field(default="", max_length=_LONGEST, description="Access-Control-Request-Method.")
    request_headers: str = Field(
        default="", max_length=_LONGEST, description="Access-Control-Request-Headers."
    )
    sec_fetch_site: str = Field(
        default="",
        max_length=_LONGEST,
        description="Sec-Fetch-Site. With `same-origin`, the request counts as one without Origin.",
    )
    host: str = Field(default="", max_length=_LONGEST, description="Not judged if empty.")
    content_type: str = Field(default="", max_length=_LONGEST, description="Used by server-level CORS only.")


class HeaderBody(BaseModel):
    """One response header."""

    name: str
    value: str


class DecisionBody(BaseModel):
    """The decision on the request."""

    action: str
    """`answer`: the gateway answers; `forward`: the native service does."""
    flow: str
    reason: str
    headers: list[HeaderBody]
    status: int | None = None
    body: str | None = None
    strips_cors_headers: bool | None = None
    adds_vary_origin: bool | None = None
    would: DecisionBody | None = None
    """With `mode: observe`: the decision that `mode: enforce` would have made."""


class StepBody(BaseModel):
    """One check, and whether the request passed it."""

    question: str
    answer: str
    passed: bool


class HintBody(BaseModel):
    """Why an origin or a method was probably refused, and what to do about it."""

    message: str
    remedy: str
    write: str | None
    """What browsers send in place of the refused value, if its spelling is wrong."""
    nearest: str | None
    """The allowed origin, or the wildcard, that is nearest to a refused origin."""


class ExplanationBody(BaseModel):
    """The decision and the steps that led to it."""

    revision: int
    decision: DecisionBody
    steps: list[StepBody]
    hint: HintBody | None


@router.post("/v1/explain", response_model=ExplanationBody)
def explain_request(
    context: Context, caller: Viewer, body: Annotated[ExplainRequest, Depends(ModelBody(ExplainRequest))]
) -> Response:
    """The decision on one request, and why it is made."""
    if len(body.model_dump_json()) > _QUICK_BYTES:
        context.leave_to_worker()
    revision, view = context.head.revision, context.view(caller)
    catalogue, api = view.catalogue, body.api
    if catalogue.server_policy is None:
        api = resolve_api(catalogue.apis, api, body.path)
    if api not in catalogue.apis and (api or not body.path):
        raise NotFound("API", api)
    request = Request(
        body.method,
        body.origin.strip(" \t"),
        body.request_method.strip(" \t"),
        body.request_headers.strip(" \t"),
        body.host,
        body.content_type,
        body.path,
        body.sec_fetch_site,
    )
    explanation = explain(_policy(context, view, api), request)
    return json_response(
        ExplanationBody(
            revision=revision,
            decision=_decision(explanation.decision),
            steps=[
                StepBody(question=step.question, answer=step.answer, passed=step.passed)
                for step in explanation.steps
            ],
            hint=None if explanation.hint is None else HintBody(**asdict(explanation.hint)),
        )
    )


def _policy(context: AdminContext, view: View, api: str) -> EffectivePolicy | ServerPolicy | None:
    policy = view.catalogue.server_policy
    if policy is None and not api:
        return None  # Envoy refuses such a path before it looks for an API.
    if not _is_quick(view, api):
        context.leave_to_worker()
    return policy or effective_policy(view.catalogue, view.associations, api)


def _is_quick(view: View, api: str) -> bool:
    """Whether the decision takes a few milliseconds; the first one compiles the policy's expressions."""
    server, application_origins = view.catalogue.server_policy, frozenset[str]()
    if server is not None:
        entries = server.allowed_origins
    else:
        cors = view.catalogue.apis[api].cors
        entries = () if cors is None else cors.allowed_origins
        application_origins = view.associations.origins(api)
    expressions = sum(isinstance(one, RegexOrigin) for one in entries)
    return len(entries) + len(application_origins) <= _QUICK_ORIGINS and expressions <= _QUICK_EXPRESSIONS


def _decision(decision: Decision) -> DecisionBody:
    headers = [HeaderBody(name=name, value=value) for name, value in decision.headers]
    match decision:
        case Answer():
            return DecisionBody(
                action="answer",
                flow=decision.flow.value,
                reason=decision.reason.value,
                headers=headers,
                status=decision.status,
                body=decision.body,
            )
        case Forward():
            return DecisionBody(
                action="forward",
                flow=decision.flow.value,
                reason=decision.reason.value,
                headers=headers,
                strips_cors_headers=decision.strip,
                adds_vary_origin=decision.vary,
                would=None if decision.would is None else _decision(decision.would),
            )
        case _ as never:
            assert_never(never)
