"""The route that explains: what happens to one request under the newest revision, step by step."""

from __future__ import annotations

from typing import assert_never

from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context
from crossgate.admin.responses import made
from crossgate.admin.validation import routes_about
from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Catalogue
from crossgate.policy import Answer, Decision, EffectivePolicy, Forward, Request, ServerPolicy, explain
from crossgate.service.errors import NotFound

router = routes_about("Explain")
_LONGEST = 64 * 1024


class Asked(BaseModel):
    """A request to explain; headers that it has not are left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    api: str = Field(max_length=500, description="`name/version`.")
    method: str = Field(default="GET", max_length=_LONGEST)
    origin: str = Field(default="", max_length=_LONGEST)
    request_method: str = Field(default="", max_length=_LONGEST, description="Access-Control-Request-Method.")
    request_headers: str = Field(
        default="", max_length=_LONGEST, description="Access-Control-Request-Headers."
    )
    host: str = Field(default="", max_length=_LONGEST, description="For server-level CORS.")
    content_type: str = Field(default="", max_length=_LONGEST, description="For server-level CORS.")


class HeaderBody(BaseModel):
    """One header of the answer."""

    name: str
    value: str


class DecisionBody(BaseModel):
    """What happens to the request."""

    action: str
    """`answer`: here, without the native service; `forward`: to it."""
    flow: str
    reason: str
    headers: list[HeaderBody]
    status: int | None = None
    body: str | None = None
    strips_cors_headers: bool | None = None
    adds_vary_origin: bool | None = None
    would: DecisionBody | None = None
    """What enforcing would have done, where the policy observes."""


class StepBody(BaseModel):
    """One question of the flow, and whether it let the request pass."""

    question: str
    answer: str
    passed: bool


class Explained(BaseModel):
    """The decision, and the steps that led there."""

    revision: int
    decision: DecisionBody
    steps: list[StepBody]


@router.post("/v1/explain", response_model=Explained)
def explain_request(context: Context, _: Viewer, asked: Asked) -> Response:
    """What happens to one request, and why."""
    head = context.head
    if asked.api not in head.catalogue.apis:
        raise NotFound("API", asked.api)
    request = Request(
        asked.method,
        asked.origin.strip(" \t"),
        asked.request_method.strip(" \t"),
        asked.request_headers.strip(" \t"),
        asked.host,
        asked.content_type,
    )
    explanation = explain(_policy(head.catalogue, asked.api), request)
    return made(
        Explained(
            revision=head.revision,
            decision=_decision(explanation.decision),
            steps=[
                StepBody(question=step.question, answer=step.answer, passed=step.passed)
                for step in explanation.steps
            ],
        )
    )


def _policy(catalogue: Catalogue, api: str) -> EffectivePolicy | ServerPolicy | None:
    if catalogue.server_policy is not None:
        return catalogue.server_policy
    concerned = {name: one for name, one in catalogue.applications.items() if api in one.apis}
    return effective_policy(catalogue, Associations.of(concerned), api)


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
