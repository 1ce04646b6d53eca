"""Understanding a group of refusals: the step that refused it, what it looks like, what would allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossgate.catalogue.model import Catalogue
from crossgate.policy.explain import Step
from crossgate.policy.nearest import NearestOrigin
from crossgate.service.refusal_changes import SuggestedChange, suggest_changes
from crossgate.service.refusal_signs import Sign
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import Fate, find_fate


@dataclass(frozen=True, slots=True)
class Advice:
    """What there is to know about one group. Every string is printable, whatever the requests sent."""

    sentence: str
    """Why it was refused."""
    step: Step | None
    """The step of the flow that refuses it now; None if nothing does."""
    fate: Fate | None
    """What becomes of its requests now; None if the group has too little to tell."""
    nearest: NearestOrigin | None = None
    """The allowed origin that is nearest to a refused one."""
    signs: tuple[Sign, ...] = ()
    """Hostile ones first."""
    changes: tuple[SuggestedChange, ...] = ()
    """Empty if nothing refuses it now, or if nothing safe would allow it."""


def advise(
    catalogue: Catalogue,
    group: RefusalGroup,
    groups: Sequence[RefusalGroup],
    earlier: Sequence[tuple[int, Catalogue]] = (),
) -> Advice:
    """The advice for one of the recorded ``groups``; ``earlier`` are revisions, the newest first."""
    del earlier
    return Advice(
        sentence=group.key.reason,
        step=None,
        fate=find_fate(catalogue, group),
        changes=suggest_changes(catalogue, group, groups),
    )
