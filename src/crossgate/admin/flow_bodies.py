"""A whole flow and the stages of a request, as responses have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from pydantic import BaseModel

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Place
from crossgate.policy import Answer, Decision, Forward
from crossgate.policy.script_request import Stage, StageName
from crossgate.policy.server_cors import PREFIX
from crossgate.policy.whole_flow import ChartStep, StepState, WholeFlow
from crossgate.service.file_store import FileStore, Locate
from crossgate.service.ports import CatalogueStore


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


class FlowRuleBody(BaseModel):
    """What decides at a step."""

    kind: str
    """`api`: the policy of the API; `application`: its JavaScript origins; `settings`: server-level CORS."""
    key: str
    path: str
    """The property, and the entry that matches: `allowed_origins[0]`."""
    file: str | None
    line: int | None


class EndOfFlowBody(BaseModel):
    """What the gateway does with requests that end there."""

    action: str
    """`answer` or `forward`."""
    status: int | None
    body: str | None
    would: EndOfFlowBody | None = None
    """With `mode: observe`: what `mode: enforce` would do."""


class FlowStepBody(BaseModel):
    """One step of the flow."""

    number: int
    question: str
    state: StepState
    value: str
    """What the request has there; empty if it has none, or the step was not reached."""
    found: str
    """The value, or why it fails, in words."""
    fails: EndOfFlowBody
    rule: FlowRuleBody | None


class FlowBody(BaseModel):
    """All steps of a flow in their order, reached or not."""

    flow: str
    steps: list[FlowStepBody]
    passed: EndOfFlowBody
    """What becomes of requests that pass all steps."""
    reached_end: bool
    failed: int | None
    """The number of the step that the request fails."""


class StageBody(BaseModel):
    """One request that the browser sends, or would."""

    stage: StageName
    method: str
    origin: str
    request_method: str
    request_headers: str
    sent: bool | None
    """null: the native service decides, by its response to the preflight."""
    why: str
    decision: DecisionBody
    flow: FlowBody


@dataclass(frozen=True, slots=True)
class Rules:
    """Finds the rule behind each step."""

    api: str
    catalogue: Catalogue
    associations: Associations
    locate: Locate | None = None

    def of(self, step: ChartStep) -> FlowRuleBody | None:
        """The rule of the step, with its file and line if the gateway runs a file."""
        if not step.rule:
            return None
        if step.rule.startswith(PREFIX):
            return self._rule("settings", "settings", step.rule, ("settings", step.rule))
        if not self.api:
            return None
        if step.rule == "allowed_origins" and step.state is StepState.PASSED and step.entry is None:
            name = self.associations.application_of(self.api, step.value)
            if name is not None:
                index = list(self.catalogue.applications).index(name)
                return self._rule(
                    "application", name, "javascript_origins", ("applications", index, "javascript_origins")
                )
        index = list(self.catalogue.apis).index(self.api)
        path, place = step.rule, ("apis", index, "cors", step.rule)
        if step.entry is not None:
            return self._rule("api", self.api, f"{path}[{step.entry}]", (*place, step.entry))
        return self._rule("api", self.api, path, place)

    def _rule(self, kind: str, key: str, path: str, place: tuple[str | int, ...]) -> FlowRuleBody:
        found = None if self.locate is None else self.locate(Place(place))
        return FlowRuleBody(
            kind=kind,
            key=key,
            path=path,
            file=None if found is None else found.file,
            line=None if found is None else found.line,
        )


def locator(store: CatalogueStore) -> Locate | None:
    """Finds lines of the file that the gateway runs; None if it serves a store."""
    return store.locate if isinstance(store, FileStore) else None


def flow_body(flow: WholeFlow, rules: Rules) -> FlowBody:
    """A flow, with the rule of each step."""
    return FlowBody(
        flow=flow.flow.value,
        steps=[
            FlowStepBody(
                number=number,
                question=step.question,
                state=step.state,
                value=step.value,
                found=step.found,
                fails=_end(step.fails),
                rule=rules.of(step),
            )
            for number, step in enumerate(flow.steps, 1)
        ],
        passed=_end(flow.passed),
        reached_end=flow.reached_end,
        failed=flow.failed,
    )


def stage_bodies(stages: Iterable[Stage], rules: Rules) -> list[StageBody]:
    """The stages of a request."""
    return [
        StageBody(
            stage=stage.name,
            method=stage.request.method,
            origin=stage.request.origin,
            request_method=stage.request.request_method,
            request_headers=stage.request.request_headers,
            sent=stage.sent,
            why=stage.why,
            decision=decision_body(stage.explanation.decision),
            flow=flow_body(stage.flow, rules),
        )
        for stage in stages
    ]


def decision_body(decision: Decision) -> DecisionBody:
    """A decision, with the headers of its response."""
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
                would=None if decision.would is None else decision_body(decision.would),
            )
        case _ as never:
            assert_never(never)


def _end(decision: Decision) -> EndOfFlowBody:
    match decision:
        case Answer():
            return EndOfFlowBody(action="answer", status=decision.status, body=decision.body)
        case Forward():
            would = None if decision.would is None else _end(decision.would)
            return EndOfFlowBody(action="forward", status=None, body=None, would=would)
        case _ as never:
            assert_never(never)
