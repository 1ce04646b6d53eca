"""Understanding a group of refusals: the step that refuses it, what it looks like, what would allow it.

Importing this module loads the linter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.diagnostics import printable
from crossgate.policy import EffectivePolicy, Reason, Request, ServerPolicy, explain
from crossgate.policy.explain import Step
from crossgate.policy.names import NULL
from crossgate.policy.nearest import NearestOrigin, find_nearest_origin
from crossgate.policy.origin import is_well_formed
from crossgate.policy.origin_pattern import serialise_origin_pattern
from crossgate.policy.whole_flow import find_entry
from crossgate.service.recorded_requests import Policy
from crossgate.service.refusal_causes import RefusalCause, find_cause
from crossgate.service.refusal_changes import SuggestedChange, Suggester
from crossgate.service.refusal_signs import Sign, find_signs
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import Fate, FateKind, Replayer, Situation

_SHOWN: Final = 96
"""Characters of a value in a sentence. A longer one loses its middle: the domain is at its end."""
_NAMES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Advice:
    """What there is to know about one group. Sentences are printable, whatever the requests sent."""

    sentence: str
    """What becomes of it, and why."""
    step: Step | None
    """The step of the flow that refuses it now, with the value as it was sent; None if nothing does."""
    fate: Fate | None
    """What becomes of its requests now; None if the group has too little to tell."""
    nearest: NearestOrigin | None = None
    """The allowed origin that is nearest to a refused one."""
    signs: tuple[Sign, ...] = ()
    """Hostile ones first."""
    changes: tuple[SuggestedChange, ...] = ()
    """Empty if nothing refuses it now, or if nothing safe would allow it."""
    cause: RefusalCause | None = None
    """Since when it is refused; None if that is not known."""
    policy: Policy = None
    request: Request | None = None
    """One of its requests, with the policy that decides on it; None if too little is known."""

    @property
    def allowed_by(self) -> str | None:
        """The entry that allows the nearest origin, as in a document, if it is another one."""
        if self.nearest is None or self.policy is None:
            return None
        index = find_entry(self.policy, self.nearest.example)
        own = self.policy.policy if isinstance(self.policy, EffectivePolicy) else self.policy
        if index is None:
            return None
        raw = serialise_origin_pattern(own.allowed_origins[index])
        entry = raw if isinstance(raw, str) else next(iter(raw.values()))
        return None if entry == self.nearest.example else entry


def advise(
    catalogue: Catalogue,
    group: RefusalGroup,
    groups: Sequence[RefusalGroup],
    earlier: Iterable[tuple[int, Catalogue]] = (),
    *,
    replayer: Replayer | None = None,
    cause: RefusalCause | None = None,
    suggest: bool = True,
) -> Advice:
    """The advice for one of the recorded ``groups``.

    ``earlier`` is for `find_cause`, unless the ``cause`` is known. ``replayer`` is that of the catalogue, if
    there is one. To suggest changes takes longer than all the rest: without ``suggest`` there are none.
    """
    suggester = Suggester(catalogue, groups, replayer or Replayer(catalogue))
    situation = suggester.situation(group)
    fate, policy, request = situation.fate, situation.policy, situation.request
    refused = fate is not None and fate.kind in (FateKind.REFUSED, FateKind.OBSERVED)
    by_origin = fate is not None and fate.reason == Reason.ORIGIN_REFUSED
    cause = cause or find_cause(suggester.replayer, group, earlier)
    retired = cause.revision if cause is not None and by_origin and cause.place != "mode" else None
    signs = find_signs(catalogue, policy, group, retired)
    return Advice(
        _sentence(group, situation),
        _failed_step(policy, request) if refused and request is not None else None,
        fate,
        _nearest(policy, group) if by_origin else None,
        signs,
        suggester.suggest(group, signs) if refused and suggest else (),
        cause,
        policy,
        request,
    )


def _failed_step(policy: Policy, request: Request) -> Step | None:
    steps = explain(policy, request).steps
    return steps[-1] if steps and not steps[-1].passed else None


def _nearest(policy: Policy, group: RefusalGroup) -> NearestOrigin | None:
    origin = group.key.origin
    return find_nearest_origin(policy, origin) if policy is not None and is_well_formed(origin) else None


def _sentence(group: RefusalGroup, situation: Situation) -> str:
    fate, key = situation.fate, group.key
    owner = "server-level CORS" if key.api == SERVER_LEVEL else printable(key.api) or "an API for it"
    if isinstance(situation.policy, ServerPolicy):
        owner = "server-level CORS"
    if fate is None:
        if situation.request is None and key.complete:
            return f"It was refused ({key.reason}); the catalogue does not have {owner} now"
        return f"It was refused ({key.reason}); the record has too little of the requests to tell more"
    match fate.kind:
        case FateKind.ALLOWED:
            return f"It was refused ({key.reason}); {owner} allows it now"
        case FateKind.NOT_SERVED:
            return f"It was refused ({key.reason}); no API has its path now"
        case FateKind.OBSERVED:
            return f"Observed: {_why(group, situation, owner)}"
        case _:
            return f"Refused: {_why(group, situation, owner)}"


def _why(group: RefusalGroup, situation: Situation, owner: str) -> str:
    """The step that the requests fail at."""
    key, policy = group.key, situation.policy
    origin = shown(key.origin)
    match situation.fate.reason if situation.fate is not None else key.reason:
        case Reason.ORIGIN_REFUSED if key.origin == NULL:
            return f"{owner} does not allow the origin null"
        case Reason.ORIGIN_REFUSED if not is_well_formed(key.origin):
            return f"{origin} is not a well-formed origin that {owner} allows"
        case Reason.ORIGIN_REFUSED:
            return f"{owner} does not allow the origin {origin}"
        case Reason.METHOD_REFUSED:
            return f"{owner} allows the origin {origin}, but not the method {shown(key.method)}"
        case Reason.HEADER_REFUSED if key.preflight:
            names = key.headers
            if policy is not None:
                names = policy.header_names.find_refused(",".join(names), _NAMES_SHOWN) or names
            word = "header" if len(names) == 1 else "headers"
            listed = ", ".join(map(shown, names[:_NAMES_SHOWN]))
            method = shown(key.method)
            return f"{owner} allows the origin {origin} and the method {method}, but not the {word} {listed}"
        case Reason.HEADER_REFUSED:
            return f"{owner} allows the origin {origin}, but not the Content-Type of the requests"
        case Reason.HOST_REFUSED:
            return f"the Host is not the one that {owner} expects"
        case Reason.ORIGIN_MISSING:
            return "an OPTIONS request without Origin is not a preflight"
        case Reason.METHOD_MISSING:
            return "an OPTIONS request without Access-Control-Request-Method is not a preflight"
        case Reason.METHOD_FORBIDDEN:
            return f"the method {shown(key.method)} is refused everywhere: its response repeats the request"
        case reason:
            return str(reason) or key.reason


def shown(value: str) -> str:
    """A value of a request in a sentence: printable, and of a long one the beginning and the end."""
    text = printable(value)
    half = (_SHOWN - 1) // 2
    return text if len(text) <= _SHOWN else f"{text[:half]}…{text[-half:]}"
