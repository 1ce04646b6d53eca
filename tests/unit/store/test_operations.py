"""The store reports each transaction: its kind, its duration, and whether the database failed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from tests.catalogues import api, catalogue

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import DeleteApi, ReplaceAll
from crossgate.service.errors import NotFound, StoreUnavailable
from crossgate.service.ports import NodeRollout, RolloutState
from crossgate.store import Store
from crossgate.store.store import StoreOperation


@pytest.fixture
def operations(store: Store) -> list[StoreOperation]:
    seen: list[StoreOperation] = []
    store.catalogue.watch_operations(seen.append)
    return seen


def _kinds(operations: list[StoreOperation]) -> list[tuple[str, bool]]:
    assert all(one.seconds > 0 for one in operations)
    return [(one.kind, one.failed) for one in operations]


def test_kinds(store: Store, service: CatalogueService, operations: list[StoreOperation]) -> None:
    service.change([ReplaceAll(catalogue([api("pets")]))], author="ann")
    store.catalogue.revisions()
    applied = NodeRollout("n", RolloutState.APPLIED, datetime.now(UTC))
    store.catalogue.record_rollouts({1: [applied]})
    # With PostgreSQL, the listener reads the new revision besides.
    assert {*_kinds(operations)} == {("commit", False), ("read", False), ("write", False)}
    assert _kinds(operations).count(("commit", False)) == 1


def test_a_refused_change_is_not_a_failure(
    service: CatalogueService, operations: list[StoreOperation]
) -> None:
    with pytest.raises(NotFound):
        service.change([DeleteApi("none/1")], author="ann")
    assert not any(failed for _, failed in _kinds(operations))


def test_a_failing_database(store: Store, operations: list[StoreOperation]) -> None:
    with pytest.raises(StoreUnavailable), store.catalogue.reading() as connection:
        connection.execute(text("SELECT * FROM missing"))
    assert ("read", True) in _kinds(operations)
