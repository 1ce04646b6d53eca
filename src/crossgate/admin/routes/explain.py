"""The explanation of the decision on one request, under the newest revision, an earlier one or a draft."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.flow_bodies import (
    DecisionBody,
    FlowBody,
    Rules,
    StageBody,
    decision_body,
    flow_body,
    locator,
    stage_bodies,
)
from crossgate.admin.responses import json_response
from crossgate.admin.views import View
from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.endpoint_index import resolve_api
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import InvalidInput
from crossgate.policy import Flow, Forward, RegexOrigin, Request, read_policy
from crossgate.policy.responses import Policy
from crossgate.policy.script_request import Stage, deciding_stage, request_stages, script_stages
from crossgate.policy.whole_flow import blank_flow
from crossgate.service.earlier_catalogues import catalogue_at
from crossgate.service.errors import NotFound
from crossgate.service.permission import visible
from crossgate.service.tokens import Token

router = resource_router("Explain")
_LONGEST = 64 * 1024
_QUICK_BYTES = 4 * 1024
_QUICK_ORIGINS = 500
_QUICK_EXPRESSIONS = 4
"""What a request and a policy may have for an explanation that takes a few milliseconds, without a worker."""


class ComparedWith(BaseModel):
    """A draft of the API's policy, or an earlier revision."""

    model_config = ConfigDict(extra="forbid", strict=True)

    revision: int | None = Field(default=None, ge=1)
    policy: dict[str, Any] | None = None


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
    content_type: str = Field(
        default="",
        max_length=_LONGEST,
        description="Used by server-level CORS, and to tell whether a script's request needs a preflight.",
    )
    script: bool = Field(
        default=False,
        description="The request is one of a page's script: `method` and `request_headers` are what the "
        "script sets, and a preflight goes first if the Fetch standard demands one.",
    )
    revision: int | None = Field(default=None, ge=1, description="Explain under an earlier revision.")
    policy: dict[str, Any] | None = Field(
        default=None, description="Explain under this policy of the API, which is not stored."
    )
    compare: ComparedWith | None = Field(default=None, description="Explain under these as well.")


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


class ComparisonBody(BaseModel):
    """The decision under the draft or the revision that was named."""

    revision: int
    draft: bool
    decision: DecisionBody
    flow: FlowBody
    stages: list[StageBody]
    differs: bool
    """Whether the outcome is another: of any stage, as far as it is reached."""
    step: int | None
    """The number of the step where one of the two fails first; null if none does."""


class ExplanationBody(BaseModel):
    """The decision and the steps that led to it."""

    revision: int
    decision: DecisionBody
    steps: list[StepBody]
    hint: HintBody | None
    flow: FlowBody
    """All steps of the flow, reached or not."""
    stages: list[StageBody]
    """What the browser sends, in order; the decision and the flow above are those of the request explained,
    for a script those of the last stage that is sent."""
    compared: ComparisonBody | None = None


class FlowsBody(BaseModel):
    """The two flows, before any request."""

    preflight: FlowBody
    request: FlowBody


@router.get("/v1/explain", response_model=FlowsBody)
def read_flows(context: Context, caller: Viewer, api: str = "") -> Response:
    """All steps of a preflight and of a CORS request, for an API or, without one, for any."""
    view = context.view(caller)
    if api and api not in view.catalogue.apis:
        raise NotFound("API", api)
    associations = view.associations if api else Associations()
    policy: Policy = view.catalogue.server_policy
    if policy is None and api:
        policy = effective_policy(view.catalogue, associations, api)
    rules = Rules(api, view.catalogue, associations, locator(context.service.store))
    return json_response(
        FlowsBody(
            preflight=flow_body(blank_flow(policy, Flow.PREFLIGHT), rules),
            request=flow_body(blank_flow(policy, Flow.CORS_REQUEST), rules),
        )
    )


@router.post("/v1/explain", response_model=ExplanationBody)
def explain_request(
    context: Context, caller: Viewer, body: Annotated[ExplainRequest, Depends(ModelBody(ExplainRequest))]
) -> Response:
    """The decision on one request, and why it is made."""
    if len(body.model_dump_json()) > _QUICK_BYTES and body.revision is None and body.compare is None:
        context.leave_to_worker()
    situation, request = explained_api(context, caller, body)
    made = situation.explain(request, body.revision, body.policy, script=body.script)
    compared = None
    if body.compare is not None:
        other = situation.explain(request, body.compare.revision, body.compare.policy, script=body.script)
        compared = _comparison(made, other)
    explanation = made.decided.explanation
    return json_response(
        ExplanationBody(
            revision=made.revision,
            decision=decision_body(explanation.decision),
            steps=[
                StepBody(question=step.question, answer=step.answer, passed=step.passed)
                for step in explanation.steps
            ],
            hint=None if explanation.hint is None else HintBody(**asdict(explanation.hint)),
            flow=flow_body(made.decided.flow, made.rules),
            stages=stage_bodies(made.stages, made.rules),
            compared=compared,
        )
    )


def explained_api(context: AdminContext, caller: Token, body: ExplainRequest) -> tuple[ExplainedApi, Request]:
    """The API that the body is about, and the request.

    Raises:
        NotFound: the caller can see no such API.
        InvalidInput: the path leads to another API, or to none.

    """
    view = context.view(caller)
    catalogue, api = view.catalogue, body.api
    if catalogue.server_policy is None or body.script:
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
    return ExplainedApi(context, caller, view, api), request


@dataclass(frozen=True, slots=True)
class Explained:
    """A request, explained."""

    revision: int
    draft: bool
    stages: tuple[Stage, ...]
    decided: Stage
    rules: Rules


@dataclass(frozen=True, slots=True)
class ExplainedApi:
    """The API that a request is for, as the caller sees it, for explanations under its policies."""

    context: AdminContext
    caller: Token
    view: View
    api: str

    def explain(
        self,
        request: Request,
        revision: int | None = None,
        draft: dict[str, Any] | None = None,
        *,
        script: bool,
    ) -> Explained:
        """The request under a revision, or the newest, and with a draft in place of the API's policy.

        Raises:
            NotFound: the revision is not known, or has no such API.
            InvalidInput: the draft has errors.

        """
        catalogue, associations = self.view.catalogue, self.view.associations
        locate = locator(self.context.service.store)
        head = self.context.head.revision
        if revision is not None and revision != head:
            known = catalogue_at(self.context.service.store, self.api, revision)
            if known is None:
                raise NotFound("revision", str(revision))
            catalogue = visible(known, self.caller.permission)
            associations, locate = Associations.of(catalogue.applications), None
            if self.api and self.api not in catalogue.apis:
                raise NotFound("API", self.api)
        if draft is not None:
            catalogue = self._with_draft(catalogue, draft)
        policy = self._policy(catalogue, associations, earlier=revision is not None or draft is not None)
        stages = (script_stages if script else request_stages)(policy, request)
        return Explained(
            revision or head,
            draft is not None,
            stages,
            deciding_stage(stages) if script else stages[0],
            Rules(self.api, catalogue, associations, locate),
        )

    def _with_draft(self, catalogue: Catalogue, draft: dict[str, Any]) -> Catalogue:
        if self.api not in catalogue.apis:
            raise NotFound("API", self.api)
        policy, diagnostics = read_policy(draft)
        if diagnostics:
            raise InvalidInput(found.within("policy") for found in diagnostics)
        changed = replace(catalogue.apis[self.api], cors=policy)
        return replace(catalogue, apis={**catalogue.apis, self.api: changed})

    def _policy(self, catalogue: Catalogue, associations: Associations, *, earlier: bool) -> Policy:
        policy = catalogue.server_policy
        if policy is None and not self.api:
            return None  # Envoy refuses such a path before it looks for an API.
        if not earlier and not _is_quick(self.view, self.api):
            self.context.leave_to_worker()
        return policy or effective_policy(catalogue, associations, self.api)


def _comparison(made: Explained, other: Explained) -> ComparisonBody:
    return ComparisonBody(
        revision=other.revision,
        draft=other.draft,
        decision=decision_body(other.decided.explanation.decision),
        flow=flow_body(other.decided.flow, other.rules),
        stages=stage_bodies(other.stages, other.rules),
        differs=_outcomes(made) != _outcomes(other),
        step=min((one for one in (_fails(made), _fails(other)) if one is not None), default=None),
    )


def _fails(made: Explained) -> int | None:
    return made.decided.flow.failed


def _outcomes(made: Explained) -> list[object]:
    """What tells two explanations apart: the decisions, without the headers that a policy only lists."""
    found: list[object] = []
    for stage in made.stages:
        decision = stage.explanation.decision
        would = decision.would if isinstance(decision, Forward) else None
        found.append((stage.name, stage.sent, type(decision), decision.reason, would is not None))
    return found


def _is_quick(view: View, api: str) -> bool:
    """Whether the decision takes a few milliseconds; the first one compiles the policy's expressions."""
    server, application_origins = view.catalogue.server_policy, frozenset[str]()
    if server is not None:
        entries = server.allowed_origins
    elif not api:
        return True
    else:
        cors = view.catalogue.apis[api].cors
        entries = () if cors is None else cors.allowed_origins
        application_origins = view.associations.origins(api)
    expressions = sum(isinstance(one, RegexOrigin) for one in entries)
    return len(entries) + len(application_origins) <= _QUICK_ORIGINS and expressions <= _QUICK_EXPRESSIONS
