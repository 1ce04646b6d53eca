"""The use cases of telemetry: find refusals, allow or dismiss them, count decisions, look up a request.

What is not stored yet is included. A caller sees the APIs that its token covers; groups of server-level CORS,
and what belongs to no API, are for callers without a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Api, Catalogue
from crossgate.compiler.route_names import SERVER_LEVEL, DecisionSeries
from crossgate.diagnostics import Diagnostic
from crossgate.policy import EffectivePolicy, Reason, ServerPolicy
from crossgate.policy.nearest import NearestOrigin, find_nearest_origin
from crossgate.policy.origin import is_well_formed
from crossgate.service import hyperloglog
from crossgate.service.api_traffic import ApiTraffic, find_api_traffic
from crossgate.service.catalogue_service import CatalogueService, ChangeResult, check_text
from crossgate.service.earlier_catalogues import earlier_catalogues
from crossgate.service.errors import NotFound, StoreUnavailable
from crossgate.service.etag import Precondition
from crossgate.service.observers import Observers
from crossgate.service.permission import Permission
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import CounterKey, RecentTelemetry, TelemetryStore
from crossgate.service.readiness import DAYS_OF_TRAFFIC, Readiness, ready_to_enforce
from crossgate.service.refusal_states import GroupState, GroupStatus, group_status
from crossgate.service.refusals import (
    DismissalReason,
    Disposition,
    DispositionKind,
    GroupDelta,
    GroupKey,
    OtherRefusals,
    RefusalGroup,
    RequestRecord,
    SeenOrigin,
)
from crossgate.service.replay import Fate, FateKind, Replayer, TelemetryRecords
from crossgate.service.telemetry_rules import KeptGroup, merge_samples
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

if TYPE_CHECKING:
    from crossgate.service.policy_preview import PolicyPreview
    from crossgate.service.refusal_advice import Advice
    from crossgate.service.refusal_changes import SuggestedChange

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
class RefusalQuery:
    """Which groups to find; the default finds all."""

    api: str = ""
    since: datetime | None = None
    """Seen at that time or later."""
    reason: str = ""
    states: frozenset[GroupState] = frozenset()
    """Empty: any. With open ones, reopened ones are found too: both wait for a decision."""
    origin: str = ""
    """A part of the origin, compared without case."""
    observed: bool | None = None
    """Whether observe mode forwarded the requests; None: either."""

    def matches(self, key: GroupKey) -> bool:
        """Whether it finds groups with that key, whatever their state."""
        return (
            self.reason in ("", key.reason)
            and self.api in ("", key.api)
            and self.observed in (None, key.observed)
            and self.origin.lower() in key.origin.lower()
        )

    def matches_state(self, state: GroupState) -> bool:
        """Whether it finds groups in that state."""
        reopened = state is GroupState.REOPENED and GroupState.OPEN in self.states
        return not self.states or state in self.states or reopened


@dataclass(frozen=True, slots=True)
class JudgedGroup:
    """A group with its state, and with what becomes of its requests now."""

    group: RefusalGroup
    status: GroupStatus
    fate: Fate | None
    """None if the group has too little to tell."""


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
        self._decided = Observers[str]()

    def find(self, query: RefusalQuery, permission: Permission) -> list[JudgedGroup]:
        """The groups that the caller can see, the most frequent first.

        Raises:
            StoreUnavailable: the database fails.

        """
        return list(self.in_order(query, permission))

    def in_order(
        self, query: RefusalQuery, permission: Permission, after: tuple[int, str] | None = None
    ) -> Iterator[JudgedGroup]:
        """As :meth:`find`, one by one; ``after`` is the `order` of the group before the first one.

        A list has up to 10,000 groups, and a page needs the first of them only.
        """
        found = [(order(one), one) for one in self._groups(query, permission) if query.matches(one.key)]
        found.sort(key=lambda one: one[0])
        ordered = [one for place, one in found if after is None or place > after]
        for judged in self._judge(ordered):
            if query.matches_state(judged.status.state):
                yield judged

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
        return next(self._judge([self._find(group_id, visible)]))

    def advise(self, group_id: str, permission: Permission) -> tuple[JudgedGroup, Advice]:
        """One group and what there is to know about it. It names groups that the caller can see only.

        Raises:
            NotFound, StoreUnavailable: as for :meth:`get`.

        """
        # Imported here: it loads the linter, which is loaded after clients are served.
        from crossgate.service.refusal_advice import advise

        groups = self._groups(RefusalQuery(), permission)
        found = self._find(group_id, groups)
        store = self.catalogue.store
        advice = advise(store.head.catalogue, found, groups, earlier_catalogues(store, found.key.api))
        if permission.limited:
            changes = tuple(one for one in advice.changes if _concerns_only(permission, one))
            advice = replace(advice, changes=changes)
        return next(self._judge([found])), advice

    def allow(
        self,
        group_id: str,
        number: int,
        *,
        author: str,
        message: str,
        preconditions: Callable[[SuggestedChange], Sequence[Precondition]],
        permission: Permission,
    ) -> AllowResult:
        """Make the suggested change of that number, counted from 1, and record that it allows the group.

        Raises:
            NotFound: there is no such group, or no such change.
            StoreUnavailable: the database fails; the change is not made.
            Forbidden, PreconditionFailed, InvalidChange, LintErrors, ReadOnly: as for
                :meth:`CatalogueService.change`.

        """
        self.catalogue.store.require_writable()
        judged, advice = self.advise(group_id, permission)
        if not 1 <= number <= len(advice.changes):
            raise NotFound("suggested change", f"{number} of {len(advice.changes)}")
        suggested = advice.changes[number - 1]
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
        return AllowResult(suggested, result, next(self._judge([group])))

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
        if query.origin:
            return []  # nobody knows their origins
        stored = self._store.other_refusals(since=query.since, api=query.api or None)
        return [
            one
            for one in stored
            if can_see(permission, one.api)
            and query.reason in ("", one.reason)
            and query.observed in (None, one.observed)
        ]

    def nearest(self, groups: Sequence[RefusalGroup]) -> Mapping[str, NearestOrigin]:
        """By id of the groups whose origin was refused: the allowed origin that is nearest to it.

        The work is bounded: of groups whose policies have very many origins, only the first are compared.
        """
        catalogue = self.catalogue.store.head.catalogue
        associations = Associations.of(catalogue.applications)
        policies: dict[str, EffectivePolicy | ServerPolicy | None] = {}
        left, found = _COMPARED_ORIGINS, dict[str, NearestOrigin]()
        for group in groups:
            key = group.key
            if key.reason != Reason.ORIGIN_REFUSED or not is_well_formed(key.origin):
                continue
            if key.api not in policies:
                policies[key.api] = _policy_of(catalogue, associations, key.api)
            policy = policies[key.api]
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
        if permission.limited:
            apis = frozenset(filter(permission.covers_api, self.catalogue.store.head.catalogue.apis))
        since, step, steps = traffic_window(period, now, by_hour=permission.limited)
        stored = self._store.traffic(since, since + steps * step, apis)
        pending = Counter[tuple[datetime, DecisionKind]]()
        for (_, series), count in self._recent.pending_decisions().items():
            if apis is None or series.api in apis:
                pending[now, decision_kind(series)] += count
        return traffic_of(since, step, steps, (stored, pending))

    def widest_open(self, permission: Permission) -> Iterator[JudgedGroup]:
        """The groups that wait for a decision, those of most clients first.

        Raises:
            StoreUnavailable: the database fails.

        """
        query = RefusalQuery(states=frozenset({GroupState.OPEN}))
        found = sorted(self._groups(query, permission), key=lambda one: (-one.clients, order(one)))
        for judged in self._judge(found):
            if query.matches_state(judged.status.state):
                yield judged

    def totals(self, permission: Permission) -> Mapping[CounterKey, int]:
        """What each Envoy process that is connected to this control plane counted since it began."""
        totals = self._recent.totals()
        return {key: count for key, count in totals.items() if can_see(permission, key.series.api)}

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
        groups = self._groups(RefusalQuery(api=api), permission)
        others = self.others(RefusalQuery(api=api), permission)
        return ready_to_enforce(catalogue, api, decisions, groups, now, days, others)

    def records(self, permission: Permission) -> TelemetryRecords | None:
        """What a plan is replayed on, as far as the caller can see it; None if the database fails."""
        try:
            groups = self._groups(RefusalQuery(), permission)
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
            groups = self._groups(RefusalQuery(api=api, since=since), permission)
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
        groups = self._groups(RefusalQuery(api=api, since=since), permission)
        allowed = self._store.allowed_origins(api=api)
        revisions = store.revisions(limit=_MOST_REVISIONS)
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
        return next(self._judge(add_deltas([stored], self._recent.pending_groups(), only_known=True)))

    def _groups(self, query: RefusalQuery, permission: Permission) -> list[RefusalGroup]:
        """The groups, pending ones included, that can match and that the caller can see."""
        pending = [
            one
            for one in self._recent.pending_groups()
            if query.since is None or one.last_seen >= query.since
        ]
        stored = self._store.refusals(since=query.since, api=query.api or None)
        if query.since is not None and pending:
            # A group that was seen before only, and whose refusals since are not stored yet.
            known, wanted = {one.key for one in stored}, {one.key for one in pending}
            older = self._store.refusals(api=query.api or None) if wanted - known else ()
            stored = [*stored, *(one for one in older if one.key in wanted - known)]
        found = add_deltas(stored, pending)
        return [one for one in found if can_see(permission, one.key.api) and query.api in ("", one.key.api)]

    def _find(self, group_id: str, groups: Iterable[RefusalGroup]) -> RefusalGroup:
        found = next((one for one in groups if one.key.id == group_id), None)
        if found is None:
            raise NotFound("refusal group", group_id)
        return found

    def _judge(self, groups: Iterable[RefusalGroup]) -> Iterator[JudgedGroup]:
        self._history.note_head()
        replayer = Replayer(self.catalogue.store.head.catalogue)
        for group in groups:
            fate = replayer.fate(group)
            passes = fate is not None and fate.kind is FateKind.ALLOWED
            status = group_status(group, self._history.of(group.key.api), passes=passes)
            yield JudgedGroup(group, status, fate)


def order(group: RefusalGroup) -> tuple[int, str]:
    """The place of a group in lists: those of most requests come first."""
    return -round(group.count), group.key.id


class NothingRecent:
    """A :class:`~crossgate.service.ports.RecentTelemetry` of a control plane that collects nothing."""

    def pending_groups(self) -> Sequence[GroupDelta]:
        """None."""
        return ()

    def pending_decisions(self) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """None."""
        return {}

    def totals(self) -> Mapping[CounterKey, int]:
        """None."""
        return {}

    def find_request(self, request_id: str) -> RequestRecord | None:
        """None."""
        del request_id
        return None

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Never call ``callback``."""
        del callback
        return lambda: None


def add_deltas(
    groups: Iterable[RefusalGroup], deltas: Iterable[GroupDelta], *, only_known: bool = False
) -> list[RefusalGroup]:
    """The groups with what is not stored yet; with ``only_known``, without groups that are new."""
    found = {one.key: one for one in groups}
    for delta in deltas:
        known = found.get(delta.key)
        if known is not None:
            found[delta.key] = _add(known, delta)
        elif not only_known:
            group = KeptGroup.of(delta).group
            found[delta.key] = replace(group, hours={delta.hour: delta.count})
    return list(found.values())


def _add(group: RefusalGroup, delta: GroupDelta) -> RefusalGroup:
    return replace(
        group,
        sampled=group.sampled + delta.sampled,
        count=group.count + delta.count,
        variance=group.variance + delta.variance,
        first_seen=min(group.first_seen, delta.first_seen),
        last_seen=max(group.last_seen, delta.last_seen),
        # The registers of the stored clients are in the store.
        clients=max(group.clients, hyperloglog.estimate(delta.clients)),
        seen_in=merge_samples(group.seen_in, delta.seen_in),
        hours={**group.hours, delta.hour: group.hours.get(delta.hour, 0.0) + delta.count},
    )


def _policy_of(
    catalogue: Catalogue, associations: Associations, api: str
) -> EffectivePolicy | ServerPolicy | None:
    if catalogue.server_policy is not None:
        return catalogue.server_policy
    return effective_policy(catalogue, associations, api) if api in catalogue.apis else None


def can_see(permission: Permission, api: str) -> bool:
    """Whether the caller can see telemetry of that API, of ``server-level`` or, if empty, of no API."""
    if not permission.limited:
        return True
    return api not in ("", SERVER_LEVEL) and permission.covers_api(api)


def _concerns_only(permission: Permission, change: SuggestedChange) -> bool:
    """Whether a limited caller may know of all objects that the change touches.

    An invalid change has no difference, and can name an object of others in its sentence.
    """
    sides = (side for one in change.difference for side in (one.before, one.after) if side is not None)
    return bool(change.difference) and all(map(permission.covers, sides))
