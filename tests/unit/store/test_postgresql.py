"""Several control planes on one PostgreSQL database, through outages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from psycopg import sql
from tests.catalogues import api
from tests.postgresql import Server

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.service.errors import StoreUnavailable
from crossgate.service.permission import Role
from crossgate.service.ports import WatchedStore
from crossgate.service.tokens import Tokens
from crossgate.store import PostgresqlUrl, Store, open_store, parse_location

TIMEOUT = 60.0
"""Timeout in seconds for what should happen at once, or at the next attempt of the listener."""


@pytest.fixture
def here(database: PostgresqlUrl) -> Iterator[Store]:
    with open_store(database) as store:
        yield store


@pytest.fixture
def there(database: PostgresqlUrl) -> Iterator[Store]:
    with open_store(database) as store:
        yield store


@contextmanager
def arrival(store: WatchedStore, revision: int) -> Iterator[Callable[[], None]]:
    """Yields a function that waits until the store has reached the revision without a refresh."""
    arrived = threading.Event()

    def watch(head: object) -> None:
        assert head
        if store.head.revision >= revision:
            arrived.set()

    stop = store.watch(watch)
    watch(store.head)

    def wait() -> None:
        assert arrived.wait(TIMEOUT)

    yield wait
    stop()


def test_a_database_that_does_not_know_its_encoding(server: Server) -> None:
    name = f"test_{uuid4().hex}"
    options = sql.SQL("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    server.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options))
    location = parse_location(server.url(name))
    assert isinstance(location, PostgresqlUrl)
    with open_store(location) as store:
        assert store.catalogue.head.revision == 0


def test_revisions_of_another_control_plane_arrive(here: Store, there: Store) -> None:
    with arrival(there.catalogue, 2) as wait:
        for name in ("pets", "shop"):
            CatalogueService(here.catalogue).change([PutApi(api(name))], author="ann")
        wait()
    assert there.catalogue.head.catalogue == here.catalogue.head.catalogue


def test_listener_reconnects_and_misses_nothing(here: Store, there: Store, server: Server) -> None:
    others = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'crossgate'"
    )
    with arrival(there.catalogue, 2) as wait:
        CatalogueService(here.catalogue).change([PutApi(api("pets"))], author="ann")
        server.execute(sql.SQL(others))
        CatalogueService(here.catalogue).change([PutApi(api("shop"))], author="ann")
        wait()
    assert there.catalogue.head.catalogue == here.catalogue.head.catalogue


def test_outage_leaves_reads_working_and_ends_by_itself(here: Store, there: Store, server: Server) -> None:
    service = CatalogueService(here.catalogue)
    tokens = Tokens(here.tokens)
    service.change([PutApi(api("pets"))], author="ann")
    secret, token = tokens.create("ci", Role.EDITOR)
    server.stop()
    try:
        with pytest.raises(StoreUnavailable):
            service.change([PutApi(api("shop"))], author="ann")
        with pytest.raises(StoreUnavailable):
            here.catalogue.revisions()
        assert service.export().apis.keys() == {"pets/1.0"}
        assert service.plan([PutApi(api("shop"))]).added
        known = tokens.authenticate(secret)
        assert known is not None
        assert known.name == token.name
    finally:
        server.start()
    assert here.catalogue.reachable.wait(TIMEOUT)
    with arrival(there.catalogue, 2) as wait:
        service.change([PutApi(api("shop"))], author="ann")
        wait()
    assert there.catalogue.head.catalogue.apis.keys() == {"pets/1.0", "shop/1.0"}


def test_unreachable_database_is_reported_without_the_password() -> None:
    location = parse_location("postgresql://ann:hunter2@/none?host=/nowhere")
    assert isinstance(location, PostgresqlUrl)
    assert "hunter2" not in str(location)
    with pytest.raises(StoreUnavailable) as refused, open_store(location):
        pass
    assert "hunter2" not in str(refused.value)
