"""The use cases of telemetry: find refusals, allow or dismiss them, count decisions, look up a request.

What is not stored yet is included. A caller sees the APIs that its token covers; groups of server-level CORS,
and what belongs to no API, are for callers without a limit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Api
from crossgate.compiler.route_names import DecisionSeries
from crossgate.diagnostics import Diagnostic
from crossgate.policy import Reason
from crossgate.policy.nearest import NearestOrigin, find_nearest_origin
from crossgate.policy.origin import is_well_formed
from crossgate.service.api_traffic import ApiTraffic, find_api_traffic
from crossgate.service.catalogue_service import CatalogueService, ChangeResult, check_text
from crossgate.service.errors import NotFound, StoreUnavailable
from crossgate.service.etag import Precondition
from crossgate.service.observers import Observers
from crossgate.service.open_counts import OpenCounts
from crossgate.service.pending_refusals import add_deltas
from crossgate.service.permission import Permission
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import CounterKey, RecentTelemetry, Revision, TelemetryStore
from crossgate.service.readiness import DAYS_OF_TRAFFIC, Readiness, ready_to_enforce
from crossgate.service.recorded_requests import Policy
from crossgate.service.refusal_causes import RefusalCause, RefusalCauses
from crossgate.service.refusal_index import JudgedGroup, RefusalIndex
from crossgate.service.refusal_query import Position, RefusalOrder, RefusalQuery, can_see
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import (
    DismissalReason,
    Disposition,
    DispositionKind,
    OtherRefusals,
    RefusalGroup,
    RequestRecord,
    SeenIn,
    SeenOrigin,
)
from crossgate.service.replay import TelemetryRecords
from crossgate.service.traffic import (
    REFUSAL_REASONS,
    DecisionKind,
    RefusedCounts,
    Traffic,
    TrafficPeriod,
    decision_kind,
    traffic_of,
    traffic_window,
)
from crossgate.service.visible_refusals import VisibleRefusals
from crossgate.service.visible_traffic import VisibleTraffic

if TYPE_CHECKING:
    from crossgate.service.policy_preview import PolicyPreview
    from crossgate.service.refusal_advice import Advice
    from crossgate.service.refusal_changes import SuggestedChange
    from crossgate.service.refusal_choices import RefusalChoice
    from crossgate.service.refusal_preview import RefusalPreview
    from crossgate.service.refusal_signs import Sign

_OPEN: Final = RefusalQuery(states=frozenset({GroupState.OPEN}))
_MOST_SIGNS: Final = 2000
_KEPT: Final = timedelta(days=60)
"""At least as long as decisions are kept by default."""
_DAY: Final = timedelta(hours=24)
_MOST_REVISIONS: Final = 200
"""Among which the one is looked for that was in force when an entry matched last."""
_RECENT: Final = timedelta(hours=25)
"""What a preview looks back at, and the hour before."""
_COMPARED_ORIGINS: Final = 200_000
"""Of policies, for one list of nearest origins: less than half a second."""


class GroupNotStored(StoreUnavailable):
    """The group was seen and is not stored yet, so that nothing can be recorded about it."""

    def __init__(self) -> None:
        super().__init__("the group is so new that it is not stored yet", "Retry in 5 s")


class RequestNotKept(NotFound):
    """The request is not in the sample."""

    def __init__(self, request_id: str) -> None:
        super().__init__("request", request_id)
        self.diagnostics = [
            Diagnostic(
                "request-not-kept",
                "request not found in the sample of this control plane",
                "Look for its group in `crossgate refusals`: single requests are kept for some minutes only, "
                "and of many requests a part",
                found=request_id,
            )
        ]


@dataclass(frozen=True, slots=True)
class FoundRefusals:
    """A part of the groups that a query finds, in order."""

    groups: Sequence[JudgedGroup]
    begin: int
    """How many come before."""
    total: int
    last: Position | None
    """The position of the last one; None if there are no more."""
    states: Mapping[GroupState, int]
    """How many groups in each state it would find if it did not ask for states."""


@dataclass(frozen=True, slots=True)
class AllowResult:
    """A change that allows a group, and the group after it."""

    change: SuggestedChange
    result: ChangeResult
    group: JudgedGroup


class RefusalService:
    """The use cases over one catalogue and its telemetry. Methods block; call them from a thread."""

    def __init__(self, catalogue: CatalogueService, store: TelemetryStore, recent: RecentTelemetry) -> None:
        self.catalogue = catalogue
        self._store = store
        self._recent = recent
        self._history = PolicyHistory(catalogue.store, catalogue.clock)
        self._index = RefusalIndex(catalogue.store, self._history, store, recent)
        self._causes = RefusalCauses(catalogue.store, self._history)
        self._decided = Observers[str]()
        self._open = OpenCounts(catalogue.store)
        self.watch(lambda _: self._open.clear())
        self._visible = VisibleRefusals()
        self._traffic = VisibleTraffic()
        self._signs: dict[str, tuple[SeenIn, Policy, Sequence[Sign]]] = {}

    def warm_up(self) -> None:
        """Read and judge all groups: of 10,000 in a second, which the first list would wait for."""
        with suppress(StoreUnavailable):
            self._index.in_order(RefusalOrder.CLIENTS)

    def find(self, query: RefusalQuery, permission: Permission) -> list[JudgedGroup]:
        """The groups that the caller can see, without their hours, the most frequent first.

        Raises:
            StoreUnavailable: the database fails.

        """
        return [one for _, one in self._matching(query, permission, RefusalOrder.COUNT)[0]]

    def find_some(
        self,
        query: RefusalQuery,
        permission: Permission,
        order: RefusalOrder = RefusalOrder.COUNT,
        *,
        limit: int,
        after: Position | None = None,
        skip: int = 0,
    ) -> FoundRefusals:
        """A part of what :meth:`find` returns: at most ``limit`` groups.

        They are those behind the position ``after``, without the first ``skip`` of them.

        Raises:
            StoreUnavailable: the database fails.

        """
        found, states = self._matching(query, permission, order)
        begin = 0 if after is None else bisect_right(found, after, key=lambda one: one[0])
        begin += skip
        some = found[begin : begin + limit]
        last = some[-1][0] if some and begin + limit < len(found) else None
        return FoundRefusals([one for _, one in some], begin, len(found), last, states)

    def _matching(
        self, query: RefusalQuery, permission: Permission, order: RefusalOrder
    ) -> tuple[list[tuple[Position, JudgedGroup]], Counter[GroupState]]:
        ordered = self._index.in_order(order)
        if permission.limited:
            ordered = self._visible.of(ordered, order, permission)
        if not query.only_states:
            since = query.since
            ordered = [
                one
                for one in ordered
                if query.matches(one[1].group.key) and (since is None or one[1].group.last_seen >= since)
            ]
        states = Counter(judged.status.state for _, judged in ordered)
        wanted = {state for state in states if query.matches_state(state)}
        if wanted != states.keys():
            ordered = [one for one in ordered if one[1].status.state in wanted]
        return ordered, states

    def get(self, group_id: str, permission: Permission) -> JudgedGroup:
        """One group.

        Raises:
            NotFound: there is none with that id, or the caller cannot see it.
            StoreUnavailable: the database fails.

        """
        stored = self._store.refusal(group_id)
        pending = [one for one in self._recent.pending_groups() if one.key.id == group_id]
        found = add_deltas([] if stored is None else [stored], pending)
        visible = [one for one in found if can_see(permission, one.key.api)]
        return self._index.judge([self._find(group_id, visible)])[0]

    def advise(
        self, group_id: str, permission: Permission, *, suggest: bool = True
    ) -> tuple[JudgedGroup, Advice]:
        """One group and what there is to know about it. It names groups that the caller can see only.

        Without ``suggest`` there are no changes that would allow it, which take up to a second to find.

        Raises:
            NotFound, StoreUnavailable: as for :meth:`get`.

        """
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_advice import advise

        judged = self.get(group_id, permission)
        replayer = self._index.replayer()
        advice = advise(
            replayer.catalogue,
            judged.group,
            self._groups(permission) if suggest else (),
            replayer=replayer,
            cause=self._causes.find(judged.group, replayer),
            suggest=suggest,
        )
        shown = tuple(one for one in advice.changes if _shows(permission, one))
        return judged, replace(advice, changes=shown)

    def preview_choice(
        self, group_id: str, choice: RefusalChoice | int, permission: Permission
    ) -> tuple[RefusalGroup, RefusalPreview]:
        """What a choice, or the suggested change of that number, would do for the group.

        Raises:
            NotFound: there is no such group or change, or the caller cannot see what the choice touches.
            StoreUnavailable: the database fails.

        """
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_preview import preview_choice

        records = self.records_around(group_id, permission)
        group = self._find(group_id, records.groups)
        shows = partial(_shows, permission)
        found = preview_choice(self.catalogue, group, records, choice, shows)
        if found.change is not None and not shows(found.change):
            raise NotFound("application", getattr(choice, "application", ""))
        return group, found

    def records_around(self, group_id: str, permission: Permission) -> TelemetryRecords:
        """What is recorded of the API of a group, as far as the caller can see it.

        Raises:
            NotFound, StoreUnavailable: as for :meth:`get`.

        """
        stored = self._store.refusal(group_id)
        pending = (one.key for one in self._recent.pending_groups() if one.key.id == group_id)
        key = stored.key if stored is not None else next(pending, None)
        if key is None:
            # A worker has nothing but the records that it was sent.
            groups = [one for one in self._store.refusals() if can_see(permission, one.key.api)]
        else:
            groups = self._groups_of(key.api, permission)
        allowed = self._store.allowed_origins(api=None if key is None else key.api)
        return TelemetryRecords(
            tuple(groups), tuple(one for one in allowed if can_see(permission, one.key.api))
        )

    def allow(
        self,
        group_id: str,
        choice: RefusalChoice | int,
        *,
        author: str,
        message: str,
        preconditions: Callable[[SuggestedChange], Sequence[Precondition]],
        permission: Permission,
        confirm: str = "",
        sentence: str = "",
    ) -> AllowResult:
        """Make the chosen change, or the suggested one of that number, and record that it allows the group.

        ``sentence`` is that of the change that the caller saw; ``confirm`` is what was typed to confirm it.

        Raises:
            NotFound: there is no such group, or no such change.
            StoreUnavailable: the database fails; the change is not made.
            SuggestionMoved: the change is another one than the caller saw.
            ConfirmationNeeded: it has not been confirmed.
            Forbidden, PreconditionFailed, InvalidChange, LintErrors, ReadOnly: as for
                :meth:`CatalogueService.change`.

        """
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_preview import (
            ChosenChange,
            find_chosen,
            require_shown,
            suggestion_to_confirm,
        )

        self.catalogue.store.require_writable()
        found: ChosenChange
        if isinstance(choice, int):
            judged, advice = self.advise(group_id, permission)
            if not 1 <= choice <= len(advice.changes):
                raise NotFound("suggested change", f"{choice} of {len(advice.changes)}")
            suggested = advice.changes[choice - 1]
            found = suggestion_to_confirm(self.catalogue, judged.group, suggested, advice.signs)
        else:
            judged = self.get(group_id, permission)
            groups = self._groups_of(judged.group.key.api, permission)
            found = find_chosen(self.catalogue, judged.group, groups, choice)
            suggested = found.change
        require_shown(found, choice if isinstance(choice, int) else None, sentence, confirm)
        key = judged.group.key
        default = f"Allow refusal group {group_id}" + (f" of {key.api}" if key.api else "")
        result = self.catalogue.change(
            suggested.changes,
            author=author,
            message=message or default,
            preconditions=preconditions(suggested),
            permission=permission,
        )
        disposition = Disposition(
            DispositionKind.ALLOWED, self.catalogue.clock(), author, result.head.revision
        )
        try:
            stored = self._store.dispose(group_id, disposition)
        except StoreUnavailable:
            stored = None
        self._decided.notify(group_id)
        # The change is made, whatever becomes of its record: the group's state follows from the policy too.
        group = replace(stored or judged.group, disposition=disposition)
        return AllowResult(suggested, result, self._index.judge([group])[0])

    def dismiss(
        self, group_id: str, reason: DismissalReason, note: str, *, author: str, permission: Permission
    ) -> JudgedGroup:
        """Record that the refusals are as they should be, and why.

        Raises:
            NotFound, StoreUnavailable: as for :meth:`get`.
            GroupNotStored: the group is too new.
            InvalidChange: the note is too long, or contains control characters.

        """
        revision = self.catalogue.store.head.revision
        at = self.catalogue.clock()
        note = check_text(note, "note")
        disposition = Disposition(DispositionKind.DISMISSED, at, author, revision, reason, note)
        return self._dispose(group_id, disposition, permission)

    def reopen(self, group_id: str, permission: Permission) -> JudgedGroup:
        """Forget what was decided about a group; raises as :meth:`dismiss` does."""
        return self._dispose(group_id, None, permission)

    def others(self, query: RefusalQuery, permission: Permission) -> list[OtherRefusals]:
        """Refusals that match the query, and whose groups were not kept because there were too many.

        Raises:
            StoreUnavailable: the database fails.

        """
        if query.origin or query.method or query.words:
            return []  # nobody knows what they sent
        stored = self._store.other_refusals(since=query.since)
        return [
            one
            for one in stored
            if can_see(permission, one.api)
            and query.covers_api(one.api)
            and query.reason in ("", one.reason)
            and query.observed in (None, one.observed)
        ]

    def nearest(self, groups: Sequence[RefusalGroup]) -> Mapping[str, NearestOrigin]:
        """By id of the groups whose origin was refused: the allowed origin that is nearest to it.

        The work is bounded: of groups whose policies have very many origins, only the first are compared.
        """
        replayer = self._index.replayer()
        left, found = _COMPARED_ORIGINS, dict[str, NearestOrigin]()
        for group in groups:
            key = group.key
            if key.reason != Reason.ORIGIN_REFUSED or not is_well_formed(key.origin):
                continue
            policy = replayer.policy(key.api)
            if policy is None or left < 0:
                continue
            left -= len(policy.origins.exact) + 100
            nearest = find_nearest_origin(policy, key.origin)
            if nearest is not None:
                found[key.id] = nearest
        return found

    def decisions(
        self, since: datetime, until: datetime, permission: Permission, api: str = ""
    ) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions by hour, from the hour that contains ``since`` to ``until``; with ``api``, of that one.

        Raises:
            StoreUnavailable: the database fails.

        """
        since = since.replace(minute=0, second=0, microsecond=0)
        found = dict(self._store.decisions(since, until, api=api or None))
        for (hour, series), count in self._recent.pending_decisions().items():
            if since <= hour < until and api in ("", series.api):
                found[hour, series] = found.get((hour, series), 0) + count
        return {key: count for key, count in found.items() if can_see(permission, key[1].api)}

    def traffic(self, period: TrafficPeriod, permission: Permission) -> Traffic:
        """Decisions over time by kind, of the APIs that the caller can see.

        Raises:
            StoreUnavailable: the database fails.

        """
        now, apis = self.catalogue.clock(), None
        since, step, steps = traffic_window(period, now, by_hour=permission.limited)
        until = since + steps * step
        if permission.limited:
            apis = self._traffic.apis(self.catalogue.store.head.catalogue.apis, permission)
            stored = self._traffic.counts(apis, permission, since, until, self._store.traffic)
        else:
            stored = [self._store.traffic(since, until)]
        pending = Counter[tuple[datetime, DecisionKind]]()
        for (_, series), count in self._recent.pending_decisions().items():
            if apis is None or series.api in apis:
                pending[now, decision_kind(series)] += count
        return traffic_of(since, step, steps, (*stored, pending))

    def count_open(self, permission: Permission) -> int:
        """How many groups wait for a decision. Every page shows it, so it is kept until something changes.

        Raises:
            StoreUnavailable: the database fails.

        """
        return self._open.count(permission, lambda: self.find_some(_OPEN, permission, limit=0).total)

    def widest_open(self, permission: Permission) -> Iterator[JudgedGroup]:
        """The groups that wait for a decision, those of most clients first.

        Raises:
            StoreUnavailable: the database fails.

        """
        return (one for _, one in self._matching(_OPEN, permission, RefusalOrder.CLIENTS)[0])

    def totals(self, permission: Permission) -> Mapping[CounterKey, int]:
        """What each Envoy process that is connected to this control plane counted since it began."""
        totals = self._recent.totals()
        return {key: count for key, count in totals.items() if can_see(permission, key.series.api)}

    def causes(self, groups: Sequence[RefusalGroup]) -> Mapping[str, RefusalCause]:
        """By id of the groups: since which revision they are refused, as far as that is known."""
        replayer = self._index.replayer()
        found = {one.key.id: self._causes.find(one, replayer) for one in groups}
        return {id_: one for id_, one in found.items() if one is not None}

    def signs(self, groups: Sequence[RefusalGroup]) -> Mapping[str, Sequence[Sign]]:
        """By id of the groups: what they look like, hostile signs first."""
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_signs import find_signs

        replayer = self._index.replayer()
        found: dict[str, Sequence[Sign]] = {}
        for group in groups:
            id_, policy = group.key.id, replayer.policy(group.key.api)
            known = self._signs.get(id_)
            if known is None or known[:2] != (group.seen_in, policy):
                known = group.seen_in, policy, find_signs(replayer.catalogue, policy, group)
                if len(self._signs) >= _MOST_SIGNS:
                    self._signs.clear()
                self._signs[id_] = known
            found[id_] = known[2]
        return found

    def count_alike(self, group: RefusalGroup, cause: RefusalCause, permission: Permission) -> int:
        """How many other groups of the API are refused since the same revision, for the same reason.

        Those that wait for a decision count, at most 500 are compared.
        """
        groups = (one for _, one in self._index.in_order(RefusalOrder.COUNT))
        visible = (one for one in groups if can_see(permission, one.group.key.api))
        return self._causes.count_alike(group, cause, visible, self._index.replayer())

    def find_request(self, request_id: str, permission: Permission) -> RequestRecord:
        """A request that is still in the sample of this control plane.

        Raises:
            RequestNotKept: it is not, or the caller cannot see its API.

        """
        found = self._recent.find_request(request_id)
        if found is None or not can_see(permission, found.series.api):
            raise RequestNotKept(request_id)
        return found

    def readiness(self, api: str, permission: Permission, days: int = DAYS_OF_TRAFFIC) -> Readiness:
        """Whether an API in observe mode can be enforced.

        Raises:
            NotFound: there is no such API, or the caller cannot see it.
            StoreUnavailable: the database fails.

        """
        catalogue, now = self.catalogue.store.head.catalogue, self.catalogue.clock()
        if api not in catalogue.apis or not can_see(permission, api):
            raise NotFound("API", api)
        decisions = self.decisions(now - _KEPT, now, permission, api)
        groups = [one for one in self._groups(permission) if one.key.api == api]
        others = self.others(RefusalQuery(api=api), permission)
        return ready_to_enforce(catalogue, api, decisions, groups, now, days, others)

    def records(self, permission: Permission) -> TelemetryRecords | None:
        """What a plan is replayed on, as far as the caller can see it; None if the database fails."""
        try:
            groups = self._groups(permission)
            allowed = self._store.allowed_origins()
        except StoreUnavailable:
            return None
        visible = tuple(one for one in allowed if can_see(permission, one.key.api))
        return TelemetryRecords(tuple(groups), visible).without_hours()

    def seen_origins(
        self, permission: Permission, origins: Collection[str] | None = None
    ) -> list[SeenOrigin]:
        """Where and when these origins were allowed, as far as the caller can see it; None: all.

        Raises:
            StoreUnavailable: the database fails.

        """
        found = self._store.seen_origins(origins)
        return [one for one in found if can_see(permission, one.api)]

    def recent_records(self, api: str, permission: Permission) -> TelemetryRecords | None:
        """What is recorded of one API in the last 25 hours, with its hours; None if the database fails."""
        since = self.catalogue.clock() - _RECENT
        try:
            groups = self._groups_of(api, permission, since)
            allowed = self._store.allowed_origins(api=api)
        except StoreUnavailable:
            return None
        first = since.replace(minute=0, second=0, microsecond=0)
        return TelemetryRecords(
            tuple(
                replace(one, hours={hour: count for hour, count in one.hours.items() if hour >= first})
                for one in groups
            ),
            tuple(one for one in allowed if can_see(permission, one.key.api)),
        )

    def refused_by_api(self, permission: Permission, apis: Collection[str]) -> RefusedCounts:
        """Refused and observed requests of the last 24 hours, of those APIs that the caller can see.

        Raises:
            StoreUnavailable: the database fails.

        """
        until = self.catalogue.clock() + timedelta(seconds=1)
        since = (until - _DAY).replace(minute=0, second=0, microsecond=0)
        visible = {one for one in apis if can_see(permission, one)}
        found = Counter(self._store.refused_by_api(since, until + timedelta(hours=1), visible))
        for (hour, series), count in self._recent.pending_decisions().items():
            if hour >= since and series.api in visible and series.reason in REFUSAL_REASONS:
                found[series.api, decision_kind(series)] += count
        return found

    def api_traffic(self, api: str, permission: Permission) -> ApiTraffic:
        """What is recorded of one API, in the last 24 hours where it has a time.

        Raises:
            StoreUnavailable: the database fails.

        """
        store = self.catalogue.store
        found = store.head.catalogue.apis.get(api)
        since = self.catalogue.clock() - _DAY
        groups = self._groups_of(api, permission, since)
        allowed = self._store.allowed_origins(api=api)

        def revisions() -> Sequence[Revision]:
            return store.revisions(limit=_MOST_REVISIONS)

        return find_api_traffic(None if found is None else found.cors, groups, allowed, since, revisions)

    def preview_policy(
        self,
        api: Api,
        policy: Mapping[str, object] | None,
        lint: Mapping[str, object] | None,
        associations: Associations,
        permission: Permission,
    ) -> PolicyPreview:
        """What saving a draft would do, judged by what is recorded too.

        ``policy`` and ``lint`` are as in a :class:`~crossgate.service.policy_preview.PolicyDraft`;
        ``associations`` are those that the caller can see.

        Raises:
            Forbidden, NotFound: as for :meth:`CatalogueService.plan`.

        """
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.policy_preview import PolicyDraft, preview_policy

        return preview_policy(
            self.catalogue,
            api,
            PolicyDraft(policy, lint),
            associations=associations,
            records=self.recent_records(api.key, permission),
            permission=permission,
        )

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback`` when something was counted or decided, until the result is called.

        Its argument is the id of a group about which something was decided, otherwise empty. The calls come
        from any thread. What other control planes learn is not noticed.
        """
        removals = (self._recent.subscribe(lambda: callback("")), self._decided.add(callback))

        def remove() -> None:
            for one in removals:
                one()

        return remove

    def _dispose(self, group_id: str, disposition: Disposition | None, permission: Permission) -> JudgedGroup:
        self.get(group_id, permission)
        stored = self._store.dispose(group_id, disposition)
        if stored is None:
            raise GroupNotStored
        self._decided.notify(group_id)
        return self._index.judge(add_deltas([stored], self._recent.pending_groups(), only_known=True))[0]

    def _groups(self, permission: Permission) -> list[RefusalGroup]:
        """All groups that the caller can see, without their hours."""
        return [one for one in self._index.groups() if can_see(permission, one.key.api)]

    def _groups_of(
        self, api: str, permission: Permission, since: datetime | None = None
    ) -> list[RefusalGroup]:
        """The groups of one API with their hours, pending ones included, if the caller can see them."""
        if not can_see(permission, api):
            return []
        pending = [one for one in self._recent.pending_groups() if one.key.api == api]
        found = add_deltas(self._store.refusals(api=api), pending)
        return [one for one in found if since is None or one.last_seen >= since]

    def _find(self, group_id: str, groups: Iterable[RefusalGroup]) -> RefusalGroup:
        found = next((one for one in groups if one.key.id == group_id), None)
        if found is None:
            raise NotFound("refusal group", group_id)
        return found


def _shows(permission: Permission, change: SuggestedChange) -> bool:
    """Whether the caller may know of all objects that the change touches.

    An invalid change has no difference, and can name an object of others in its sentence.
    """
    if not permission.limited:
        return True
    sides = (side for one in change.difference for side in (one.before, one.after) if side is not None)
    return bool(change.difference) and all(map(permission.covers, sides))
