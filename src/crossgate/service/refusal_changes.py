"""The smallest changes that would allow a group of refusals, with what each would let in besides.

A change is suggested only if the replay shows that it allows the group. ``null`` is never suggested, nor a
pattern that is not proven to admit one registrable domain. Importing this module loads the linter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import Diagnostic
from crossgate.lint.origin_verdict import ONLY_THIS_ORIGIN
from crossgate.lint.rule import Finding
from crossgate.policy import Reason
from crossgate.service.change_candidates import Candidate, find_candidates
from crossgate.service.changes import Change
from crossgate.service.errors import InvalidChange
from crossgate.service.lint_gate import lint_change
from crossgate.service.objects import Difference, ObjectChange, ObjectKind, object_to_dict
from crossgate.service.plan import apply_changes
from crossgate.service.policy_gaps import ChangeForm
from crossgate.service.refusal_choices import Chosen, RefusalChoice, choose
from crossgate.service.refusal_signs import Sign
from crossgate.service.refusals import CUT, REST_UNKNOWN, RefusalGroup
from crossgate.service.replay import Replayer, Situation
from crossgate.service.snapshot import Snapshot

_STILL_REFUSED: Final = Diagnostic(
    "still-refused",
    "these requests would still be refused",
    "Choose an entry that admits their origin, and all that they request",
)


@dataclass(frozen=True, slots=True)
class SuggestedChange:
    """One change that would allow a group."""

    form: ChangeForm
    sentence: str
    """What it adds and to what: ``Add https://app.example.com to allowed_origins of petstore/1.0``."""
    changes: tuple[Change, ...]
    """For `CatalogueService.change`."""
    difference: Difference
    patch: str
    """The same as a unified diff of the objects in a document."""
    verdict: str
    """Whom it lets in, in few words: ``Only this origin``."""
    caution: str = ""
    """What to consider before, as sentences; empty if nothing."""
    findings: tuple[Finding, ...] = ()
    """What the linter finds after the change and does not find now."""
    refusing: tuple[Finding | Diagnostic, ...] = ()
    """Why the change would be refused; empty if it would not be."""
    turns: tuple[RefusalGroup, ...] = ()
    """The recorded groups that it would allow, this one first."""

    @property
    def turned(self) -> float:
        """How many recorded refusals it would have turned."""
        return sum(group.count for group in self.turns)


@dataclass(frozen=True, slots=True)
class Suggester:
    """Suggests changes for the groups of one catalogue."""

    catalogue: Catalogue
    groups: Sequence[RefusalGroup]
    replayer: Replayer = field(repr=False)

    @classmethod
    def of(cls, catalogue: Catalogue, groups: Sequence[RefusalGroup]) -> Suggester:
        """The suggester for a catalogue and all groups that are recorded."""
        return cls(catalogue, groups, Replayer(catalogue))

    def situation(self, group: RefusalGroup) -> Situation:
        """What becomes of the group's requests now, and why.

        A refused origin is refused whatever method and headers the requests ask for.
        """
        by_origin = self._by_origin(group)
        return self.replayer.situation(by_origin or group)

    def suggest(self, group: RefusalGroup, signs: Sequence[Sign] = ()) -> tuple[SuggestedChange, ...]:
        """The changes that would allow the group, the smallest first; ``signs`` are the group's."""
        by_origin = self._by_origin(group)
        replayed = by_origin or group
        situation = self.replayer.situation(replayed)
        candidates = find_candidates(self.catalogue, situation, replayed, self.groups, signs)
        if by_origin is not None:
            candidates = (
                replace(one, cautions=(*one.cautions, REST_UNKNOWN))
                for one in candidates
                if one.form is ChangeForm.POLICY_ORIGIN and one.verdict == ONLY_THIS_ORIGIN
            )
        found = (self._judged(one, group, replayed) for one in candidates)
        return tuple(one for one in found if one is not None)

    def consider(
        self, group: RefusalGroup, choice: RefusalChoice, signs: Sequence[Sign] = ()
    ) -> tuple[SuggestedChange, Chosen]:
        """The change that somebody chose.

        Raises:
            InvalidChange: it cannot be made, or the group would still be refused.

        """
        replayed = self._by_origin(group) or group
        chosen = choose(self.catalogue, self.replayer.situation(replayed), replayed, choice, signs)
        found = self._judged(chosen.candidate, group, replayed)
        if found is None:
            raise InvalidChange([_STILL_REFUSED])
        return found, chosen

    def _by_origin(self, group: RefusalGroup) -> RefusalGroup | None:
        """The group with a method in place of what is not kept, if its origin is refused now."""
        key = group.key
        if key.complete or key.reason != Reason.ORIGIN_REFUSED or key.origin.endswith(CUT):
            return None
        # Of a request without preflight, an API judges the origin only, as it does that of a preflight.
        preflight = key.preflight and self.catalogue.server_policy is not None
        found = replace(group, key=replace(key, preflight=preflight, method="GET", headers=()))
        fate = self.replayer.fate(found)
        return found if fate is not None and fate.reason == Reason.ORIGIN_REFUSED else None

    def _judged(
        self, candidate: Candidate, group: RefusalGroup, replayed: RefusalGroup
    ) -> SuggestedChange | None:
        try:
            # Without an index of endpoints, which takes long to make and which no such change needs.
            difference, after = apply_changes(Snapshot(0, self.catalogue), candidate.changes)
        except InvalidChange as invalid:
            return self._suggested(candidate, (), refusing=tuple(invalid.diagnostics))
        if not self.replayer.replay(after, [replayed]).gained:
            return None
        turned = self.replayer.replay(after, self.groups).groups_gained
        # Of each object that changes, what the linter finds already is not news.
        unchanged = tuple(ObjectChange(one.kind, one.key, one.before, one.before) for one in difference)
        known = {_identity(one) for one in lint_change(self.catalogue, self.catalogue, unchanged).findings}
        result = lint_change(self.catalogue, after, difference)
        return self._suggested(
            candidate,
            difference,
            findings=tuple(one for one in result.findings if _identity(one) not in known),
            refusing=result.refusing,
            turns=(group, *(one for one in turned if one != group)),
        )

    def _suggested(
        self,
        candidate: Candidate,
        difference: Difference,
        *,
        findings: tuple[Finding, ...] = (),
        refusing: tuple[Finding | Diagnostic, ...] = (),
        turns: tuple[RefusalGroup, ...] = (),
    ) -> SuggestedChange:
        witness = next((one.witness for one in refusing if isinstance(one, Finding) and one.witness), None)
        return SuggestedChange(
            candidate.form,
            candidate.sentence,
            candidate.changes,
            difference,
            render_patch(difference),
            candidate.verdict if witness is None else f"Unsafe: {witness} passes",
            ". ".join(candidate.cautions),
            findings,
            refusing,
            turns,
        )


_SECTIONS: Final = {ObjectKind.API: "apis", ObjectKind.APPLICATION: "applications"}


def render_patch(difference: Difference) -> str:
    """The difference as a unified diff of the objects as a document has them."""
    return "".join(
        line
        for one in difference
        for line in unified_diff(
            _lines(one.kind, one.before), _lines(one.kind, one.after), one.key, one.key, n=2
        )
    )


def _lines(kind: ObjectKind, found: object) -> list[str]:
    if found is None:
        return []
    raw = object_to_dict(found)  # type: ignore[arg-type]
    section = _SECTIONS.get(kind)
    return write_yaml({section: [raw]} if section else {kind.value: raw}).splitlines(keepends=True)


def _identity(finding: Finding) -> object:
    what = finding.diagnostic
    return what.code, what.severity, what.message, what.found, finding.witness
