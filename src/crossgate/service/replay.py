"""What a change of the catalogue would have made of recorded requests, by the decisions of the engine.

A record is a group of refusals, or an allowed origin. It lacks parts of the requests, such as the Host and
the whole path. So it stands for all requests that it can have been made from: if the engine decides alike on
all of them, the prediction is certain; otherwise it is unknown. Nothing is guessed.

Only records of APIs whose decisions can change are replayed. Records of an API that the catalogue does not
have now are left out: nobody knows where their requests go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.policy import Answer, EffectivePolicy, Reason, Request, ServerPolicy, decide
from crossgate.policy.flow import MALFORMED
from crossgate.service.recorded_requests import Policy, Record, possible_requests
from crossgate.service.refusals import AllowedOrigin, RefusalGroup


class FateKind(StrEnum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    """It reaches the native service, or it is a preflight that is allowed."""
    OBSERVED = "observed"
    """Observe mode forwards it; ``enforce`` would refuse it."""
    REFUSED = "refused"
    NOT_SERVED = "not-served"
    """No API has its path."""


_RANKS: Final = {FateKind.ALLOWED: 0, FateKind.OBSERVED: 1, FateKind.REFUSED: 2, FateKind.NOT_SERVED: 2}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request, and the reason if it is refused or observed."""

    kind: FateKind
    reason: str = ""
    """Empty as well if different requests of one record have different reasons."""


MOST_REPLAYED: Final = 4000
"""Records that are replayed: 4 s of processor time if each is of another API, with regular expressions."""


@dataclass(frozen=True, slots=True)
class TelemetryRecords:
    """Everything that a change can be replayed on."""

    groups: Sequence[RefusalGroup] = ()
    allowed: Sequence[AllowedOrigin] = ()

    def __bool__(self) -> bool:
        return bool(self.groups or self.allowed)

    def without_hours(self) -> TelemetryRecords:
        """The records without their counts by hour, which the replay does not need and which are large."""
        return replace(self, groups=tuple(replace(one, hours={}) for one in self.groups))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record, and what would become of its requests."""

    record: Record
    before: Fate
    after: Fate

    @property
    def error(self) -> float | None:
        """That of the count; None for an allowed origin, whose count is estimated from a small sample."""
        return self.record.error if isinstance(self.record, RefusalGroup) else None


@dataclass(frozen=True, slots=True)
class Replay:
    """The records for which a change makes a difference, those of most requests first."""

    gained: tuple[Replayed, ...] = ()
    """Refused or observed before the change, and allowed after it; or refused before, and observed after."""
    lost: tuple[Replayed, ...] = ()
    """The other way round; or not served after the change."""
    unknown: tuple[Record, ...] = ()
    """Of APIs that change; the record has too little to tell."""
    omitted: int = 0
    """Records of APIs that change beyond `MOST_REPLAYED`: those of fewest requests."""

    @property
    def groups_gained(self) -> tuple[RefusalGroup, ...]:
        """The groups of refusals among those gained."""
        return tuple(one.record for one in self.gained if isinstance(one.record, RefusalGroup))


class Replayer:
    """Replays on several changes of one catalogue; each of its policies is looked up once."""

    def __init__(self, before: Catalogue, associations: Associations | None = None) -> None:
        self._before = before
        self._now = _Side(before, associations or Associations.of(before.applications), before)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue before the changes."""
        return self._before

    @property
    def associations(self) -> Associations:
        """Those of the catalogue's applications."""
        return self._now.associations

    def advance(self, catalogue: Catalogue) -> Replayer:
        """The replayer for another catalogue, in less time than a new one if there are many applications."""
        associations, _ = self.associations.advance(catalogue.applications)
        return Replayer(catalogue, associations)

    def policy(self, api: str) -> Policy:
        """What decides on the requests to the API, or to server-level CORS; None if nothing does."""
        judges = self._now.judges(api)
        return judges[0].policy if judges else self._before.server_policy

    def fate(self, record: Record) -> Fate | None:
        """What becomes of the record's requests; None if the record has too little to tell."""
        return self._now.fate(record)

    def situation(self, record: Record) -> Situation:
        """The same, with the policy and a request with which it can be explained."""
        fate, judges = self.fate(record), self._now.judges(record.key.api)
        if judges is None or not record.key.complete:
            return Situation(fate)
        policy = judges[0].policy
        request = next(iter(possible_requests(record, policy, self._before)))
        return Situation(fate, policy, request)

    def replay(
        self, after: Catalogue, groups: Iterable[RefusalGroup], allowed: Iterable[AllowedOrigin] = ()
    ) -> Replay:
        """What becomes of the records if ``after`` replaces the catalogue."""
        changed, touched = self._now.associations.advance(after.applications)
        then, now = self._now, _Side(after, changed, self._before)
        gained: list[Replayed] = []
        lost: list[Replayed] = []
        unknown: list[Record] = []
        records: list[Record] = [*groups, *allowed]
        differing = _DifferingApis(then, now, touched)
        changed_records = sorted((one for one in records if one.key.api in differing), key=_most_first)
        for record in changed_records[:MOST_REPLAYED]:
            old, new = then.fate(record), now.fate(record)
            if old is None or new is None:
                unknown.append(record)
            elif _RANKS[new.kind] != _RANKS[old.kind]:
                better = _RANKS[new.kind] < _RANKS[old.kind]
                (gained if better else lost).append(Replayed(record, old, new))
        omitted = max(0, len(changed_records) - MOST_REPLAYED)
        return Replay(tuple(gained), tuple(lost), tuple(unknown), omitted)


def _most_first(record: Record) -> tuple[float, str]:
    return -record.count, repr(record.key)


@dataclass(frozen=True, slots=True)
class Situation:
    """What becomes of the requests of one record, and why."""

    fate: Fate | None
    policy: Policy = None
    request: Request | None = None
    """One that the record can have been made from; None if it was cut, or its API does not exist."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """What can decide on the requests of a record."""

    policy: Policy
    served: bool = True
    """Whether an API has their paths."""


_Judges = Sequence[_Judge] | None
"""All that can decide on requests of a record; None if that is not known."""


def _decisive(judges: _Judges) -> object:
    """The part of the policies on which decisions depend."""
    return None if judges is None else [(judge.served, _decisive_part(judge.policy)) for judge in judges]


def _decisive_part(policy: Policy) -> object:
    match policy:
        case EffectivePolicy(policy=own):
            return (
                {*own.allowed_origins},
                policy.application_origins,
                policy.public_origins,
                policy.same_origin,
                {*own.allowed_methods},
                {*own.allow_headers},
                own.plain_options,
                own.mode,
            )
        case ServerPolicy():
            return (
                {*policy.allowed_origins},
                policy.public_origins,
                policy.same_origin,
                {*policy.supported_methods},
                {*policy.supported_headers},
                policy.host,
            )
        case None:
            return None


@dataclass(frozen=True)
class _Side:
    """One of the two catalogues; ``before`` is the one in which the requests were recorded."""

    catalogue: Catalogue
    associations: Associations
    before: Catalogue
    _judges: dict[str, _Judges] = field(default_factory=dict)

    def fate(self, record: Record) -> Fate | None:
        """What becomes of the record's requests; None if that is not certain."""
        reason = record.key.reason if isinstance(record, RefusalGroup) else ""
        if reason in _MALFORMED:
            return Fate(FateKind.REFUSED, reason)  # whatever the API, or without one
        judges = self.judges(record.key.api)
        if judges is None or not record.key.complete:
            return None
        found = {fate for judge in judges for fate in self._fates(record, judge)}
        kinds = {one.kind for one in found}
        if len(kinds) != 1:
            return None
        return found.pop() if len(found) == 1 else Fate(kinds.pop())

    def judges(self, api: str) -> _Judges:
        """What decides on the requests that went to the API, or to server-level CORS."""
        if api not in self._judges:
            self._judges[api] = self._find_judges(api)
        return self._judges[api]

    def _find_judges(self, api: str) -> _Judges:
        server = self.catalogue.server_policy
        if api == SERVER_LEVEL:
            return None if server is None else [_Judge(server)]
        known = self.before.apis.get(api)
        if known is None:
            return None
        return [
            _Judge(server, owner is not None)
            if owner is None or server is not None
            else _Judge(effective_policy(self.catalogue, self.associations, owner))
            for owner in self._owners(api, known.endpoints)
        ]

    def _owners(self, api: str, endpoints: Sequence[str]) -> Sequence[str | None]:
        """The APIs that have the paths below these endpoints; None stands for no API."""
        own = self.catalogue.apis.get(api)
        if own is not None and {*endpoints} <= {*own.endpoints}:
            return [api]
        return [*dict.fromkeys(owner for endpoint in endpoints for owner in self._owners_of(endpoint))]

    def _owners_of(self, endpoint: str) -> Iterator[str | None]:
        segments = endpoint.split("/")
        for count in range(len(segments), 0, -1):
            owner = self._by_endpoint.get("/".join(segments[:count]))
            if owner is not None:
                yield owner
                return
        yield None
        inside = f"{endpoint}/"
        at = bisect_left(self._sorted_endpoints, inside)
        for found in self._sorted_endpoints[at:]:
            if not found.startswith(inside):
                break
            yield self._by_endpoint[found]

    @cached_property
    def _by_endpoint(self) -> dict[str, str]:
        return {endpoint: key for key, api in self.catalogue.apis.items() for endpoint in api.endpoints}

    @cached_property
    def _sorted_endpoints(self) -> list[str]:
        return sorted(self._by_endpoint)

    def _fates(self, record: Record, judge: _Judge) -> Iterator[Fate]:
        if not judge.served and judge.policy is None:
            yield _NOT_SERVED
            return
        for request in possible_requests(record, judge.policy, self.before):
            fate = _fate_of(judge.policy, request)
            yield fate if judge.served or fate.kind is FateKind.REFUSED else _NOT_SERVED


class _DifferingApis(dict[str, bool]):
    """The APIs, and server-level CORS, that decide otherwise in one of the two catalogues."""

    def __init__(self, then: _Side, now: _Side, touched: Collection[str]) -> None:
        super().__init__()
        self._then, self._now, self._touched = then, now, touched
        before, after = then.catalogue, now.catalogue
        one, other = before.gateway, after.gateway
        self._same_for_all = (
            before.server_policy == after.server_policy
            and one.public_origins == other.public_origins
            and one.same_origin is other.same_origin
        )

    def __contains__(self, api: object) -> bool:
        return self[str(api)]

    def __missing__(self, api: str) -> bool:
        then, now = self._then, self._now
        known = then.catalogue.apis.get(api)
        # Most APIs do not change, and need no policy to be built.
        same = self._same_for_all and api not in self._touched and known is now.catalogue.apis.get(api)
        self[api] = not same and _decisive(then.judges(api)) != _decisive(now.judges(api))
        return self[api]


def _fate_of(policy: Policy, request: Request) -> Fate:
    decision = decide(policy, request)
    if isinstance(decision, Answer):
        refused = decision.reason is not Reason.PREFLIGHT_ALLOWED
        return Fate(FateKind.REFUSED, decision.reason) if refused else _ALLOWED
    if decision.would is not None and decision.would.reason is not Reason.PREFLIGHT_ALLOWED:
        return Fate(FateKind.OBSERVED, decision.reason)
    return _ALLOWED


_ALLOWED: Final = Fate(FateKind.ALLOWED)
_NOT_SERVED: Final = Fate(FateKind.NOT_SERVED)
_MALFORMED: Final = frozenset(str(step.outcome.reason) for step in MALFORMED)
