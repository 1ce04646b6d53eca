"""What a chosen change would do for a group of refusals, before it is made.

Importing this module loads the linter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossgate.diagnostics import Diagnostic
from crossgate.lint.entry_report import EntryReport, report_entry
from crossgate.lint.proof import suffix_list
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.errors import ConfirmationNeeded, InvalidChange, NotFound, SuggestionMoved
from crossgate.service.plan import apply_changes
from crossgate.service.policy_gaps import ChangeForm
from crossgate.service.recorded_effect import PERIOD, RecordedEffect, recorded_effect, records_since
from crossgate.service.refusal_changes import SuggestedChange, Suggester
from crossgate.service.refusal_choices import Confirmation, RefusalChoice, confirmation
from crossgate.service.refusal_signs import Sign, find_signs
from crossgate.service.refusals import RefusalGroup
from crossgate.service.replay import TelemetryRecords
from crossgate.service.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RefusalPreview:
    """A chosen change with its effect, or why it cannot be made."""

    base: int
    change: SuggestedChange | None
    report: EntryReport | None
    """On the entry that it adds; None if it adds no origin."""
    confirm: Confirmation | None
    effect: RecordedEffect | None
    errors: tuple[Diagnostic, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether it could be made, once it is confirmed."""
        return not self.errors and self.change is not None and not self.change.refusing


@dataclass(frozen=True, slots=True)
class ChosenChange:
    """A change that is about to be made."""

    change: SuggestedChange
    report: EntryReport | None
    confirm: Confirmation | None


def find_chosen(
    service: CatalogueService,
    group: RefusalGroup,
    groups: Sequence[RefusalGroup],
    choice: RefusalChoice | int,
    shows: Callable[[SuggestedChange], bool] = lambda _: True,
) -> ChosenChange:
    """The chosen change, or the suggested one of that number among those that ``shows`` returns true for.

    Raises:
        NotFound: no change has that number.
        InvalidChange: the choice cannot be made.

    """
    catalogue = service.store.head.catalogue
    suggester = Suggester.of(catalogue, groups)
    signs = find_signs(catalogue, suggester.situation(group).policy, group)
    if isinstance(choice, RefusalChoice):
        change, chosen = suggester.consider(group, choice, signs)
        return ChosenChange(change, chosen.report, chosen.confirm)
    changes = [one for one in suggester.suggest(group, signs) if shows(one)]
    if not 1 <= choice <= len(changes):
        raise NotFound("suggested change", f"{choice} of {len(changes)}")
    return suggestion_to_confirm(service, group, changes[choice - 1], signs)


def suggestion_to_confirm(
    service: CatalogueService, group: RefusalGroup, change: SuggestedChange, signs: Sequence[Sign]
) -> ChosenChange:
    """A suggested change, with what must be typed before it is made."""
    if change.form not in (ChangeForm.POLICY_ORIGIN, ChangeForm.APPLICATION_ORIGIN):
        return ChosenChange(change, None, None)
    domains = service.store.head.catalogue.gateway.lint.domains
    report = report_entry(group.key.origin, suffix_list(domains.shared, domains.single_owner))
    hostile = tuple(sign.sentence for sign in signs if sign.hostile)
    return ChosenChange(change, report, confirmation(group.key.origin, report, hostile))


def require_shown(found: ChosenChange, number: int | None, sentence: str, typed: str) -> None:
    """Return if the change is the one that was shown, and confirmed as far as that is needed.

    Raises:
        SuggestionMoved: ``sentence`` is that of another change.
        ConfirmationNeeded: ``typed`` is not what must be typed.

    """
    if sentence and sentence != found.change.sentence:
        raise SuggestionMoved(number or 0, found.change.sentence)
    needed = found.confirm
    if needed is not None and typed != needed.value:
        raise ConfirmationNeeded(needed.value, needed.reason, typed)


def preview_choice(
    service: CatalogueService,
    group: RefusalGroup,
    records: TelemetryRecords,
    choice: RefusalChoice | int,
    shows: Callable[[SuggestedChange], bool],
) -> RefusalPreview:
    """The preview of a choice, as :func:`find_chosen` has it.

    ``records`` are of the group's API, with their hours.

    Raises:
        NotFound: no change has that number.

    """
    head = service.store.head
    try:
        found = find_chosen(service, group, records.groups, choice, shows)
    except InvalidChange as invalid:
        report = None
        if isinstance(choice, RefusalChoice) and choice.entry is not None:
            domains = head.catalogue.gateway.lint.domains
            report = report_entry(choice.entry, suffix_list(domains.shared, domains.single_owner))
        return RefusalPreview(head.revision, None, report, None, None, tuple(invalid.diagnostics))
    recent = records_since(records, service.clock() - PERIOD)
    effect = None
    if found.change.difference:
        _, after = apply_changes(Snapshot(0, head.catalogue), found.change.changes)
        replay = Suggester.of(head.catalogue, ()).replayer.replay(after, recent.groups, recent.allowed)
        effect = recorded_effect(recent, replay)
    return RefusalPreview(head.revision, found.change, found.report, found.confirm, effect)
