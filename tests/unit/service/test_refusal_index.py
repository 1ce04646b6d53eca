"""The index of refusals, against reading and judging all groups anew."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.catalogues import api, application, policy
from tests.refusals import Collected
from tests.telemetry import NOON, dismissal, group, group_key, refused

from crossgate.catalogue.model import Gateway
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi, PutApplication, PutGateway, PutPolicy
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.pending_refusals import add_deltas
from crossgate.service.permission import EVERYTHING
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import TelemetryStore
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.refusal_query import RefusalOrder, RefusalQuery
from crossgate.service.refusal_service import RefusalService
from crossgate.service.refusal_states import GroupState, group_status
from crossgate.service.replay import FateKind, Replayer
from crossgate.store import SqliteDirectory, Store, open_store

APIS = ("pets/1.0", "shop/1.0", "stock/1.0")
ORIGINS = tuple(f"https://{name}.example" for name in "abcdef")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(SqliteDirectory(tmp_path)) as opened:
        yield opened


def judged_anew(
    service: CatalogueService, telemetry: TelemetryStore, recent: Collected
) -> dict[str, tuple[GroupState, int | None, FateKind | None, float]]:
    replayer = Replayer(service.store.head.catalogue)
    history = PolicyHistory(service.store, service.clock)
    found = {}
    for one in add_deltas(telemetry.refusals(), recent.pending_groups()):
        fate = replayer.fate(one)
        passes = fate is not None and fate.kind is FateKind.ALLOWED
        status = group_status(one, history.of(one.key.api), passes=passes)
        found[one.key.id] = status.state, status.revision, fate.kind if fate else None, one.count
    return found


def shown(found: list[JudgedGroup]) -> dict[str, tuple[GroupState, int | None, FateKind | None, float]]:
    return {
        one.group.key.id: (
            one.status.state,
            one.status.revision,
            one.fate.kind if one.fate else None,
            one.group.count,
        )
        for one in found
    }


@pytest.mark.parametrize("in_memory", [True, False])
def test_it_agrees_with_judging_all_groups_anew(store: Store, in_memory: bool) -> None:
    rng = random.Random(7)  # noqa: S311 - a test that runs alike each time
    service = CatalogueService(store.catalogue)
    telemetry: TelemetryStore = InMemoryTelemetryStore() if in_memory else store.telemetry
    recent = Collected()
    refusals = RefusalService(service, telemetry, recent)
    service.change([PutApi(api(key.split("/")[0], policy(ORIGINS[0]))) for key in APIS], author="ann")
    seen = set[GroupState]()
    for step in range(120):
        api_key, origin = rng.choice(APIS), rng.choice(ORIGINS)
        key = group_key(origin, api_key)
        match rng.randrange(8):
            case 0 | 1 | 2:
                at = service.clock() - timedelta(seconds=rng.randrange(60))
                telemetry.add_telemetry(refused(group(key, rng.randrange(1, 9), at, [step])))
            case 3:
                recent.groups = [group(key, rng.randrange(1, 9), service.clock())]
            case 4:
                recent.groups = []
                decided = dismissal(service.clock()) if rng.random() < 0.6 else None
                telemetry.dispose(key.id, decided)
            case 5 if api_key in service.store.head.catalogue.apis:
                service.change([PutPolicy(api_key, policy(*rng.sample(ORIGINS, 2)))], author="ann")
            case 6:
                owner = application("shop", rng.choice(ORIGINS), apis=["pets/1.0"])
                change = PutApplication(owner) if "pets/1.0" in service.store.head.catalogue.apis else None
                service.change([change] if change else [], author="ann")
            case 7 if rng.random() < 0.3:
                service.change([PutGateway(Gateway(public_origins=(rng.choice(ORIGINS),)))], author="ann")
            case _:
                telemetry.prune_telemetry(service.clock() - timedelta(seconds=40))
        found = refusals.find(RefusalQuery(), EVERYTHING)
        assert shown(found) == judged_anew(service, telemetry, recent), step
        assert [one.group.count for one in found] == sorted((one.group.count for one in found), reverse=True)
        seen |= {one.status.state for one in found}
    assert {GroupState.OPEN, GroupState.ALLOWED, GroupState.DISMISSED} <= seen


def test_nothing_is_judged_again_without_a_change(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    service = CatalogueService(store.catalogue)
    service.change([PutApi(api("pets", policy())), PutApi(api("shop", policy()))], author="ann")
    store.telemetry.add_telemetry(refused(*(group(group_key(one)) for one in ORIGINS)))
    refusals = RefusalService(service, store.telemetry, Collected())
    assert len(refusals.find(RefusalQuery(), EVERYTHING)) == len(ORIGINS)
    judged: list[str] = []
    monkeypatch.setattr(Replayer, "fate", lambda _, record: judged.append(record.key.origin))

    refusals.find(RefusalQuery(), EVERYTHING)
    assert judged == []
    service.change([PutPolicy("shop/1.0", policy(ORIGINS[1]))], author="ann")
    refusals.find(RefusalQuery(), EVERYTHING)
    assert judged == []  # of another API
    store.telemetry.add_telemetry(refused(group(group_key(ORIGINS[2]), 5)))
    refusals.find(RefusalQuery(), EVERYTHING)
    assert judged == [ORIGINS[2]]


def test_parts_of_a_list_and_what_is_in_each_state(store: Store) -> None:
    service = CatalogueService(store.catalogue)
    service.change([PutApi(api("pets", policy()))], author="ann")
    clients = (3, 1, 2, 3, 0, 5)
    for number, (origin, count) in enumerate(zip(ORIGINS, clients, strict=True)):
        at = NOON + timedelta(minutes=number)
        store.telemetry.add_telemetry(refused(group(group_key(origin), number + 1, at, range(count))))
    store.telemetry.dispose(group_key(ORIGINS[0]).id, dismissal())
    refusals = RefusalService(service, store.telemetry, Collected())
    query = RefusalQuery(states=frozenset({GroupState.OPEN}))

    def origins(order: RefusalOrder, **more: object) -> str:
        found = refusals.find_some(query, EVERYTHING, order, limit=2, **more)  # type: ignore[arg-type]
        assert (found.total, dict(found.states)) == (5, {GroupState.OPEN: 5, GroupState.DISMISSED: 1})
        return "".join(one.group.key.origin[8] for one in found.groups)

    assert origins(RefusalOrder.CLIENTS) == "fd"
    assert origins(RefusalOrder.CLIENTS, skip=2) == "cb"
    assert origins(RefusalOrder.RECENT) == "fe"
    assert origins(RefusalOrder.COUNT) == "fe"
    first = refusals.find_some(query, EVERYTHING, RefusalOrder.CLIENTS, limit=2)
    assert origins(RefusalOrder.CLIENTS, after=first.last) == "cb"
    assert refusals.find_some(query, EVERYTHING, limit=9).last is None
