"""Plans, and what came of carrying them out, as JSON has them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from crossgate.admin.errors import Finding
from crossgate.lint import rule as linter
from crossgate.service.access import Regime
from crossgate.service.catalogue_service import ChangeResult
from crossgate.service.objects import ObjectChange, serialise_object
from crossgate.service.plan import Plan


class PlannedChange(BaseModel):
    """One object before and after, as a document has it; null where there is none."""

    kind: str
    key: str
    action: str
    """`add`, `change` or `remove`."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AccessChanged(BaseModel):
    """What changes for the origins of one API."""

    api: str
    before: Regime
    after: Regime
    gains: list[str]
    loses: list[str]


class PlannedFinding(Finding):
    """What the linter says of something that would change."""

    refuses: bool
    """Whether the change is refused for it."""


class PlanBody(BaseModel):
    """What would change; nothing would if `changes` is empty."""

    base: int
    """The revision on which it was made."""
    changes: list[PlannedChange]
    access: list[AccessChanged]
    findings: list[PlannedFinding]
    """Of what would change, and of nothing else."""


class Applied(BaseModel):
    """What was done."""

    revision: int
    """The newest revision afterwards."""
    changed: bool
    """Whether there is a new revision; false if everything was so already."""
    added: int
    modified: int
    removed: int
    findings: list[Finding]
    """What the linter says of what was changed."""


def plan_body(plan: Plan) -> PlanBody:
    """The plan."""
    return PlanBody(
        base=plan.base,
        changes=[_planned(one) for one in plan.difference],
        access=[
            AccessChanged(
                api=one.api,
                before=one.before,
                after=one.after,
                gains=list(one.gains),
                loses=list(one.loses),
            )
            for one in plan.access
        ],
        findings=[
            PlannedFinding.model_validate({**one.as_json(), "refuses": one in plan.refusing})
            for one in plan.findings
        ],
    )


def applied(done: ChangeResult) -> Applied:
    """What was done."""
    plan = done.plan
    return Applied(
        revision=done.head.revision,
        changed=done.changed,
        added=len(plan.added),
        modified=len(plan.changed),
        removed=len(plan.removed),
        findings=[stated(one) for one in plan.findings],
    )


def stated(finding: linter.Finding) -> Finding:
    """One finding of the linter."""
    return Finding.model_validate(finding.as_json())


def _planned(change: ObjectChange) -> PlannedChange:
    action = "add" if change.before is None else "remove" if change.after is None else "change"
    return PlannedChange(
        kind=change.kind.value,
        key=change.key,
        action=action,
        before=None if change.before is None else serialise_object(change.before),
        after=None if change.after is None else serialise_object(change.after),
    )
