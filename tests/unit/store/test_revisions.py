"""Revisions, differences, rollbacks and rollouts, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import Catalogue, Gateway, Settings
from crossgate.net.address import HostPort
from crossgate.policy import read_server_policy
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import (
    Change,
    DeleteApi,
    DeleteApplication,
    PutApi,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    ReplaceAll,
)
from crossgate.service.errors import BaseMoved, InvalidChange, NotFound, PreconditionFailed
from crossgate.service.etag import Matches, etag_of
from crossgate.service.objects import ObjectKind
from crossgate.service.ports import NodeRollout, Proposal, RolloutState
from crossgate.service.snapshot import Snapshot
from crossgate.store import Store, StoreLocation, open_store

PETS = api("pets", policy("https://a.example", {"regex": "https://r[0-9]+\\.example"}, credentials=True))
WEB = application("wéb 'app'", "https://web.example", apis=["pets/1.0"])


def everything() -> Catalogue:
    written = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": "https://s.example"}
    server, _ = read_server_policy(written, lambda _: [])
    return Catalogue(
        gateway=Gateway(HostPort("::1", 9000), native_ca="/ca.pem"),
        settings=Settings(written, server),
        apis={PETS.key: PETS},
        applications={WEB.name: WEB},
    )


def test_empty_store_is_at_revision_0(store: Store) -> None:
    assert store.catalogue.head == Snapshot()
    assert store.catalogue.revisions() == []


def test_change_is_one_revision_with_its_difference(store: Store, service: CatalogueService) -> None:
    before = datetime.now(UTC)
    done = service.change([PutApi(PETS), PutApplication(WEB)], author="ann", message=" first\n ")
    assert done.changed
    assert done.head is store.catalogue.head
    recorded = store.catalogue.revision(1)
    assert recorded is not None
    revision = recorded.revision
    assert (revision.number, revision.author, revision.message, revision.objects) == (1, "ann", "first", 2)
    assert before <= revision.at <= datetime.now(UTC)
    assert [(one.kind, one.key, one.before) for one in recorded.difference] == [
        (ObjectKind.API, "pets/1.0", None),
        (ObjectKind.APPLICATION, WEB.name, None),
    ]
    assert recorded.difference[1].after == {
        "name": WEB.name,
        "javascript_origins": ["https://web.example"],
        "apis": ["pets/1.0"],
    }


def test_difference_shows_before_and_after(store: Store, service: CatalogueService) -> None:
    service.change([PutApi(api("pets"))], author="ann")
    service.change([PutApi(api("other"))], author="ann")
    service.change([PutPolicy("pets/1.0", policy("https://a.example")), DeleteApi("other/1.0")], author="bob")
    recorded = store.catalogue.revision(3)
    assert recorded is not None
    removed, changed = recorded.difference
    assert (removed.key, removed.after) == ("other/1.0", None)
    assert removed.before is not None
    assert changed.before is not None
    assert "cors" not in changed.before
    assert changed.after is not None
    assert changed.after["cors"] == {"allowed_origins": ["https://a.example"], "allowed_methods": ["GET"]}


def test_change_without_effect_makes_no_revision(store: Store, service: CatalogueService) -> None:
    service.change([PutApi(PETS)], author="ann")
    assert not service.change([PutApi(PETS)], author="bob").changed
    assert store.catalogue.head.revision == 1


def test_reopened_store_is_complete(location: StoreLocation) -> None:
    with open_store(location) as store:
        CatalogueService(store.catalogue).change([ReplaceAll(everything())], author="ann")
        stored = store.catalogue.head
    with open_store(location) as again:
        assert again.catalogue.head == stored
        assert again.catalogue.head.catalogue.server_policy == everything().server_policy
        exported = CatalogueService(again.catalogue).export()
        assert not CatalogueService(again.catalogue).plan([ReplaceAll(exported, prune=True)]).difference


def test_refused_change_stores_nothing(store: Store, service: CatalogueService) -> None:
    service.change([PutApi(PETS)], author="ann")
    with pytest.raises(InvalidChange):
        service.change([PutApi(api("new")), PutApplication(application("x", apis=["none/1"]))], author="ann")

    def fail(head: Snapshot) -> Proposal:
        raise ZeroDivisionError(head.revision)

    with pytest.raises(ZeroDivisionError):
        store.catalogue.commit(fail)
    assert store.catalogue.head.revision == 1
    assert store.catalogue.revision(2) is None


def test_stale_etag_or_base_is_refused_with_the_current_one(service: CatalogueService) -> None:
    pets = (ObjectKind.API, "pets/1.0")
    first = service.change([PutApi(PETS)], author="ann").head
    etag = etag_of(first.catalogue, pets) or ""
    change = PutPolicy("pets/1.0", policy("https://b.example"))
    service.change([change], author="bob", preconditions=[Matches(pets, (etag,))])
    with pytest.raises(PreconditionFailed) as failed:
        service.change([DeleteApi("pets/1.0")], author="ann", preconditions=[Matches(pets, (etag,))])
    assert failed.value.wanted == (etag,)
    assert failed.value.found == etag_of(service.store.head.catalogue, pets)
    with pytest.raises(BaseMoved) as moved:
        service.change([ReplaceAll(catalogue(), prune=True)], base=1, author="ann")
    assert (moved.value.base, moved.value.head) == (1, 2)


def test_rollback_restores_any_state_as_a_new_revision(store: Store, service: CatalogueService) -> None:
    states = [store.catalogue.head.catalogue]
    steps: list[list[Change]] = [
        [ReplaceAll(everything())],
        [PutPolicy("pets/1.0", policy("https://b.example")), PutApi(api("new"))],
        [DeleteApplication(WEB.name), DeleteApi("new/1.0"), PutGateway(Gateway())],
        [PutSettings(Settings())],
    ]
    states += (service.change(changes, author="ann").head.catalogue for changes in steps)
    for number in (1, 3, 0, 2, 4):
        assert service.rollback(number, author="bob", confirmed=True).head.catalogue == states[number]
    assert store.catalogue.head.revision == 9
    assert [one.rolls_back_to for one in store.catalogue.revisions()] == [4, 2, 0, 3, 1, *[None] * 4]
    for number, state in enumerate(states):
        assert service.export(number) == state
    assert not service.rollback(9, author="bob").changed
    for missing in (-1, 10):
        with pytest.raises(NotFound):
            service.rollback(missing, author="bob")
        with pytest.raises(NotFound):
            service.export(missing)


def test_revisions_are_paged_newest_first(store: Store, service: CatalogueService) -> None:
    for name in "abcde":
        service.change([PutApi(api(name))], author=name)
    first = store.catalogue.revisions(limit=2)
    assert [(one.number, one.author) for one in first] == [(5, "e"), (4, "d")]
    assert [one.number for one in store.catalogue.revisions(before=4, limit=9)] == [3, 2, 1]


def test_rollouts_are_stored(store: Store, service: CatalogueService) -> None:
    service.change([PutApi(PETS)], author="ann")
    now = datetime.now(UTC)
    pending, applied = (
        NodeRollout("b", RolloutState.PENDING, now),
        NodeRollout("b", RolloutState.APPLIED, now),
    )
    rejected = NodeRollout("a", RolloutState.REJECTED, now, "bad route")
    store.catalogue.record_rollouts({1: [pending]})
    store.catalogue.record_rollouts({1: [applied, rejected]})
    store.catalogue.record_rollouts({0: [applied]})
    assert store.catalogue.revisions()[0].nodes == (rejected, applied)


def test_observers_are_called_with_every_head_in_order(store: Store, service: CatalogueService) -> None:
    revisions: list[int] = []
    stop = store.catalogue.watch(lambda head: revisions.append(head.revision))
    for name in "abc":
        service.change([PutApi(api(name))], author="ann")
    service.change([PutApi(api("a"))], author="ann")
    stop()
    service.change([PutApi(api("d"))], author="ann")
    assert revisions == [1, 2, 3]


def test_unchanged_parts_stay_the_same_objects(service: CatalogueService) -> None:
    first = service.change([ReplaceAll(everything())], author="ann").head.catalogue
    second = service.change([PutApi(api("new"))], author="ann").head.catalogue
    assert second.applications is first.applications
    assert second.apis["pets/1.0"] is first.apis["pets/1.0"]


def test_pending_head_is_announced_before_the_head_moves(location: StoreLocation) -> None:
    with open_store(location) as store:
        calls: list[tuple[str, int, int]] = []

        def record(what: str, head: Snapshot) -> None:
            calls.append((what, head.revision, store.catalogue.head.revision))

        stops = [
            store.catalogue.watch_pending(lambda head: record("pending", head)),
            store.catalogue.watch(lambda head: record("stored", head)),
        ]
        service = CatalogueService(store.catalogue)
        service.change([PutApi(PETS)], author="ann")
        service.change([PutApi(PETS)], author="ann")
        for stop in stops:
            stop()
        service.change([DeleteApi(PETS.key)], author="ann")
    assert calls == [("pending", 1, 0), ("stored", 1, 1)]
