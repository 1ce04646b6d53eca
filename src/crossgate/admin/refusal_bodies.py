"""Groups of refusals and the advice for them as response bodies, the same in lists and in events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel

from crossgate.admin.errors import DiagnosticBody
from crossgate.admin.flow_bodies import FlowBody
from crossgate.catalogue.model import Catalogue
from crossgate.policy.nearest import NearestOrigin
from crossgate.policy.origin_difference import Side, compare_origins
from crossgate.service.etag import EtagTarget, PolicyOf, etag_of
from crossgate.service.objects import ObjectChange, ObjectKind, object_to_dict
from crossgate.service.refusal_causes import RefusalCause
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.refusal_service import RefusalService
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import (
    DismissalReason,
    Disposition,
    DispositionKind,
    OtherRefusals,
    RefusalGroup,
)
from crossgate.service.replay import FateKind

if TYPE_CHECKING:
    # They load the linter, which is loaded after clients are served.
    from crossgate.service.refusal_advice import Advice
    from crossgate.service.refusal_changes import SuggestedChange
    from crossgate.service.refusal_signs import Sign


class DispositionBody(BaseModel):
    """What was decided about a group."""

    kind: DispositionKind
    at: datetime
    author: str
    """The name of the token."""
    revision: int
    """The revision that allowed the group, or the newest one when it was dismissed."""
    reason: DismissalReason | None
    """Why it was dismissed."""
    note: str


class SignBody(BaseModel):
    """One thing that a group looks like."""

    kind: str
    """Such as `look-alike`, `scanner` or `own-page`."""
    sentence: str
    hostile: bool
    """Whether it speaks against allowing the group."""


class OriginPieceBody(BaseModel):
    """Some characters that both origins have, or only one of them."""

    side: Side
    text: str


class RefusalBody(BaseModel):
    """Refused requests with the same API, origin, reason, method and header names."""

    id: str
    api: str
    """Key of the API, or `server-level`."""
    origin: str
    """As the requests sent it; hostile. Ends with `…` if it was longer than 255 characters."""
    reason: str
    """The code of the step that refused it, such as `origin-refused`."""
    preflight: bool
    method: str
    """The requested method of a preflight, otherwise the request's."""
    headers: list[str]
    """The requested header names, in lower case."""
    observed: bool
    """Observe mode forwarded these requests; `enforce` would have refused them."""
    count: int
    """All requests since `first_seen`."""
    error: int
    """The count is within plus or minus this, with 95 % confidence; 0 if it is exact."""
    sampled: int
    """Requests that were reported one by one."""
    clients: int
    """Distinct client addresses on the day with most, estimated."""
    first_seen: datetime
    last_seen: datetime
    state: GroupState
    revision: int | None
    """The revision since which an allowed group is allowed; of a reopened one, the first change of the policy
    after the decision."""
    still_refused: bool
    """An allowed group is still refused: a node does not enforce the revision."""
    decision: DispositionBody | None
    """What was decided last."""
    nearest: str | None
    """The allowed origin, or the wildcard, that is nearest to a refused origin."""
    difference: str | None
    """How the nearest one differs, for example `scheme https, not http`."""
    comparison: list[OriginPieceBody]
    """The origin beside the nearest allowed one, in pieces; empty if there is none."""
    since_revision: int | None
    """The revision since which it is refused, if an earlier one let it pass."""
    signs: list[SignBody]
    """What it looks like, hostile signs first."""
    path: str
    """A sample without query: below the endpoint two segments, the others as `*`."""
    user_agents: list[str]
    """Families, such as `Chrome` or `curl`."""
    fetch_sites: list[str]
    """Values of `Sec-Fetch-Site`; the same for the next two."""
    fetch_modes: list[str]
    fetch_dests: list[str]


class OtherRefusalsBody(BaseModel):
    """Refusals whose groups were not kept, because there were too many."""

    api: str
    reason: str
    observed: bool
    count: int
    error: int
    last_seen: datetime


class StepOfAdvice(BaseModel):
    """The step of the flow that refuses the requests now."""

    question: str
    answer: str


class CauseBody(BaseModel):
    """The revision since which a group is refused."""

    revision: int
    at: datetime | None
    place: str
    """What it changed: `allowed_origins`, `allowed_methods`, `allow_headers`, `mode`, `cors`,
    `application NAME`; empty if something else did it."""
    removed: list[str]
    """The entries that it took away."""
    alike: int
    """How many other groups of the API are refused since, for the same reason; at most 500 are compared."""


class HourBody(BaseModel):
    """Requests within one hour."""

    hour: datetime
    """Its beginning."""
    count: int


class TurnedBody(BaseModel):
    """A recorded group that a change would allow."""

    id: str
    api: str
    origin: str
    reason: str
    count: int


class SuggestedChangeBody(BaseModel):
    """One change that would allow a group."""

    number: int
    """For `POST …/allow`."""
    form: str
    """Such as `policy-origin` or `application-origin`."""
    sentence: str
    verdict: str
    """What the linter's proof says of what is added."""
    caution: str
    """What to consider before; can be empty."""
    patch: str
    """A unified diff of the objects, as in a document."""
    objects: list[ChangedObjectBody]
    findings: list[DiagnosticBody]
    """The linter's findings for the change."""
    refused: list[DiagnosticBody]
    """Why the change would be refused; empty if it would not be."""
    turned: int
    """How many recorded refusals it would have allowed."""
    turns: list[TurnedBody]
    """The groups that it would allow, this one first."""


class ChangedObjectBody(BaseModel):
    """An object that a change touches, before and after, as in a document."""

    kind: ObjectKind
    key: str
    etag: str | None
    """For `If-Match`; of an API, that of its policy."""
    before: dict[str, object] | None
    after: dict[str, object] | None


class FateBody(BaseModel):
    """What becomes of a group's requests under the newest revision."""

    kind: FateKind
    reason: str


class RefusalDetail(RefusalBody):
    """A group with what there is to know about it."""

    sentence: str
    """Why it was refused."""
    step: StepOfAdvice | None
    now: FateBody | None
    """Null if the group has too little to tell."""
    flow: FlowBody | None
    """All steps of the flow that the requests take now; null if the group has too little to tell."""
    allowed_by: str | None
    """The entry that allows the nearest origin, if it is another one."""
    cause: CauseBody | None
    hours: list[HourBody]
    changes: list[SuggestedChangeBody]
    """The smallest changes that would allow it, the smallest first."""
    file: str | None
    """The file that the gateway runs, if it runs one: change it there."""


@dataclass(frozen=True, slots=True)
class GroupNotes:
    """What rows of a list say about groups besides, by id."""

    nearest: Mapping[str, NearestOrigin] = field(default_factory=dict)
    causes: Mapping[str, RefusalCause] = field(default_factory=dict)
    signs: Mapping[str, Sequence[Sign]] = field(default_factory=dict)


def notes_on(refusals: RefusalService, groups: Sequence[JudgedGroup]) -> GroupNotes:
    """The notes on some groups."""
    found = [one.group for one in groups]
    return GroupNotes(refusals.nearest(found), refusals.causes(found), refusals.signs(found))


def refusal_fields(judged: JudgedGroup, notes: GroupNotes) -> dict[str, object]:
    """The fields of a :class:`RefusalBody`."""
    id_ = judged.group.key.id
    nearest, cause = notes.nearest.get(id_), notes.causes.get(id_)
    pieces = () if nearest is None else compare_origins(judged.group.key.origin, nearest.example)
    group, status = judged.group, judged.status
    key, seen = group.key, group.seen_in
    return {
        "id": id_,
        "api": key.api,
        "origin": key.origin,
        "reason": key.reason,
        "preflight": key.preflight,
        "method": key.method,
        "headers": list(key.headers),
        "observed": key.observed,
        "count": round(group.count),
        "error": round(group.error),
        "sampled": group.sampled,
        "clients": group.clients,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "state": status.state,
        "revision": status.revision,
        "still_refused": status.lags,
        "decision": None if status.disposition is None else _disposition(status.disposition),
        "nearest": nearest and nearest.entry,
        "difference": nearest and nearest.difference,
        "comparison": [{"side": one.side, "text": one.text} for one in pieces],
        "since_revision": cause and cause.revision,
        "signs": [
            {"kind": one.kind, "sentence": one.sentence, "hostile": one.hostile}
            for one in notes.signs.get(id_, ())
        ],
        "path": seen.path,
        "user_agents": list(seen.user_agents),
        "fetch_sites": list(seen.fetch_sites),
        "fetch_modes": list(seen.fetch_modes),
        "fetch_dests": list(seen.fetch_dests),
    }


def refusal_bodies(groups: Sequence[JudgedGroup], notes: GroupNotes) -> list[RefusalBody]:
    """The groups as bodies."""
    return [RefusalBody.model_validate(refusal_fields(one, notes)) for one in groups]


def refusal_detail(
    judged: JudgedGroup,
    advice: Advice,
    catalogue: Catalogue,
    file: str | None,
    flow: FlowBody | None = None,
    alike: int = 0,
) -> RefusalDetail:
    """A group with its advice; ``alike`` is how many others have the same cause."""
    step, fate, cause, nearest = advice.step, advice.fate, advice.cause, advice.nearest
    id_ = judged.group.key.id
    notes = GroupNotes({id_: nearest} if nearest else {}, {id_: cause} if cause else {}, {id_: advice.signs})
    return RefusalDetail.model_validate(
        {
            **refusal_fields(judged, notes),
            "sentence": advice.sentence,
            "step": step and {"question": step.question, "answer": step.answer},
            "flow": flow,
            "now": fate and {"kind": fate.kind, "reason": fate.reason},
            "allowed_by": advice.allowed_by,
            "cause": cause
            and {
                "revision": cause.revision,
                "at": cause.at,
                "place": cause.place,
                "removed": list(cause.removed),
                "alike": alike,
            },
            "hours": [
                {"hour": hour, "count": round(count)} for hour, count in sorted(judged.group.hours.items())
            ],
            "changes": [
                suggested_change(number, one, catalogue) for number, one in enumerate(advice.changes, 1)
            ],
            "file": file,
        }
    )


def suggested_change(number: int, change: SuggestedChange, catalogue: Catalogue) -> SuggestedChangeBody:
    """A suggested change; ``catalogue`` is the newest one."""
    return SuggestedChangeBody.model_validate(
        {
            "number": number,
            "form": change.form,
            "sentence": change.sentence,
            "verdict": change.verdict,
            "caution": change.caution,
            "patch": change.patch,
            "objects": [changed_object(one, catalogue) for one in change.difference],
            "findings": [one.as_json() for one in change.findings],
            "refused": [one.as_json() for one in change.refusing],
            "turned": round(change.turned),
            "turns": [_turned(one) for one in change.turns],
        }
    )


def changed_object(change: ObjectChange, catalogue: Catalogue) -> ChangedObjectBody:
    """An object that a change touches; ``catalogue`` is the newest one."""
    sides = (change.before, change.after)
    before, after = (None if side is None else object_to_dict(side) for side in sides)
    etag = etag_of(catalogue, target_of(change.kind, change.key))
    return ChangedObjectBody(kind=change.kind, key=change.key, etag=etag, before=before, after=after)


def other_refusals(found: Sequence[OtherRefusals]) -> list[OtherRefusalsBody]:
    """Refusals without groups as bodies."""
    return [
        OtherRefusalsBody(
            api=one.api,
            reason=one.reason,
            observed=one.observed,
            count=round(one.count),
            error=round(1.96 * one.variance**0.5),
            last_seen=one.last_seen,
        )
        for one in found
    ]


def target_of(kind: ObjectKind, key: str) -> EtagTarget:
    """What ``If-Match`` names of an object that a suggested change touches."""
    return PolicyOf(key) if kind is ObjectKind.API else (kind, key)


def _disposition(found: Disposition) -> DispositionBody:
    return DispositionBody(
        kind=found.kind,
        at=found.at,
        author=found.author,
        revision=found.revision,
        reason=found.reason,
        note=found.note,
    )


def _turned(group: RefusalGroup) -> TurnedBody:
    key = group.key
    return TurnedBody(id=key.id, api=key.api, origin=key.origin, reason=key.reason, count=round(group.count))
