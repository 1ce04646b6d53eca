"""When the policy of an API changed: in a store with revisions, and in a file without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.catalogues import api, catalogue, policy

from crossgate.catalogue.model import Application, Catalogue, Gateway
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import Change, PutApi, PutApplication, PutGateway
from crossgate.service.file_store import FileStore
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import RecordedRevision, Revision
from crossgate.service.refusal_states import PolicyChange
from crossgate.store import SqliteDirectory, open_store

START = datetime(2026, 11, 1, tzinfo=UTC)
PETS, STOCK = api("pets", policy("https://a.example")), api("stock", policy("https://a.example"))
SHOP = Application("shop", ("https://shop.example",), ("stock/1.0",))
HISTORY: Sequence[tuple[Change, set[str]]] = [
    (PutApi(PETS), {"pets/1.0"}),
    (PutApi(STOCK), {"stock/1.0"}),
    (PutApi(replace(PETS, native=replace(PETS.native, port=9999))), set()),
    (PutApplication(SHOP), {"stock/1.0"}),
    (PutApplication(replace(SHOP, apis=("pets/1.0", "stock/1.0"))), {"pets/1.0", "stock/1.0"}),
    (PutApi(api("pets", policy("https://b.example"))), {"pets/1.0"}),
    (PutGateway(Gateway(public_origins=("https://own.example",))), {"pets/1.0", "stock/1.0"}),
]
Apply = Callable[[Change], tuple[int, datetime]]
"""Makes a change; returns the revision and the time that it counts from."""


@pytest.fixture(params=["store", "file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[PolicyHistory, Apply]]:
    clock = iter(START + timedelta(minutes=minute) for minute in range(1000))
    now = START

    def tick() -> datetime:
        nonlocal now
        now = next(clock)
        return now

    if request.param == "store":
        with open_store(SqliteDirectory(tmp_path / "data")) as store:
            service = CatalogueService(store.catalogue, clock=tick)

            def change(one: Change) -> tuple[int, datetime]:
                return service.change([one], author="ann").head.revision, now

            yield PolicyHistory(store.catalogue, tick), change
        return
    # A file that holds what a store would hold after the same changes.
    with open_store(SqliteDirectory(tmp_path / "data")) as store:
        service = CatalogueService(store.catalogue)
        file = FileStore("gateway.yaml", Catalogue())
        found = PolicyHistory(file, tick)

        def edit(one: Change) -> tuple[int, datetime]:
            file.replace(service.change([one], author="ann").head.catalogue)
            found.note_head()
            return file.head.revision, now

        yield found, edit


@pytest.mark.parametrize("name", ["pets/1.0", "stock/1.0"])
def test_the_first_change_of_an_api(history: tuple[PolicyHistory, Apply], name: str) -> None:
    found, change = history
    made = [change(one) for one, _ in HISTORY]
    touching = [PolicyChange(*one) for one, (_, apis) in zip(made, HISTORY, strict=True) if name in apis]

    for revision, time in made:
        at_or_after = next((one for one in touching if one.at >= time), None)
        later = next((one for one in touching if one.revision > revision), None)
        assert found.of(name).first(after=time) == at_or_after
        assert found.of(name).first(after=START, revision=revision) == later


def test_each_revision_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(SqliteDirectory(tmp_path / "data")) as store:
        service = CatalogueService(store.catalogue)
        for change, _ in HISTORY:
            service.change([change], author="ann")
        read: list[int] = []
        revision = store.catalogue.revision

        def counted(_: object, number: int) -> RecordedRevision | None:
            read.append(number)
            return revision(number)

        monkeypatch.setattr(type(store.catalogue), "revision", counted)
        history = PolicyHistory(store.catalogue)
        for _ in range(3):
            assert history.of("pets/1.0").first(after=START, revision=0) is not None
        assert sorted(read) == list(range(1, len(HISTORY) + 1))


def test_an_unchanged_head_is_not_looked_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(SqliteDirectory(tmp_path / "data")) as store:
        service = CatalogueService(store.catalogue)
        for change, _ in HISTORY:
            service.change([change], author="ann")
        listed: list[int | None] = []
        revisions = store.catalogue.revisions

        def counted(_: object, *, before: int | None = None, limit: int = 50) -> Sequence[Revision]:
            listed.append(before)
            return revisions(before=before, limit=limit)

        monkeypatch.setattr(type(store.catalogue), "revisions", counted)
        history = PolicyHistory(store.catalogue)

        def ask() -> int:
            listed.clear()
            for api_key in ("pets/1.0", "stock/1.0"):
                history.of(api_key).first(after=START)
                history.of(api_key).first(after=datetime.now(UTC))
            return len(listed)

        assert ask() <= 2
        assert ask() == 0
        last = service.change(
            [PutApi(api("stock", policy("https://new.example")))], author="ann"
        ).head.revision
        changed = history.of("stock/1.0").first(after=START, revision=last - 1)
        assert changed is not None
        assert changed.revision == last
        assert ask() == 0


def test_a_file_that_did_not_change_has_no_history() -> None:
    store = FileStore("gateway.yaml", catalogue([PETS]))
    history = PolicyHistory(store)
    store.replace(catalogue([api("pets", policy("https://a.example"))]))

    assert history.of("pets/1.0").first(after=START) is None
    store.replace(catalogue([api("pets", policy("https://b.example"))]))
    changed = history.of("pets/1.0").first(after=START)
    assert changed is not None
    assert changed.revision == 3
