"""Migrations from the tables of every earlier version, with data in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from tests.catalogues import api, policy
from tests.postgresql import Server
from tests.unit.store.conftest import closing, postgresql

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.service.ports import CounterKey, NodeRollout, TelemetryBatch
from crossgate.service.refusals import DismissalReason, Disposition, DispositionKind, GroupKey, SeenIn
from crossgate.service.tokens import Tokens
from crossgate.service.traffic import DecisionKind
from crossgate.store import SqliteDirectory, StoreLocation, open_store
from crossgate.store.migrate import CURRENT, migrate
from crossgate.store.open import engine_for
from crossgate.store.tables import schema

EARLIER = Path(__file__).parent / "earlier"
"""For each migration, statements that create the data that its version would have stored."""


def steps() -> list[str]:
    config = Config()
    config.set_main_option("script_location", "crossgate.store:migrations")
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> StoreLocation:
    if request.param == "sqlite":
        return SqliteDirectory(tmp_path)
    server: Server = request.getfixturevalue("server")
    return postgresql(server, server.new_database())


@pytest.fixture
def engine(empty: StoreLocation) -> Iterator[Engine]:
    with closing(engine_for(empty)) as found:
        yield found


def test_current_is_the_newest_migration() -> None:
    assert steps()[0] == CURRENT
    assert {path.stem for path in EARLIER.glob("*.sql")} == set(steps())


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def earlier(version: str, empty: StoreLocation, engine: Engine) -> StoreLocation:
    """A store as that version would have left it."""
    migrate(engine, version)
    with engine.begin() as connection:
        for statement in (EARLIER / f"{version}.sql").read_text().split(";\n"):
            connection.execute(text(statement.replace(":", r"\:")))
    return empty


@pytest.mark.parametrize("version", steps(), indirect=True)
def test_migrated_data_is_complete(earlier: StoreLocation) -> None:
    with open_store(earlier) as store:
        head = store.catalogue.head
        assert head.revision == 3
        found = head.catalogue
        assert (found.gateway.listen.port, found.gateway.public_origins) == (8443, ("https://own.example",))
        assert found.server_policy is not None
        assert found.apis.keys() == {"pets/1.0", "shop/1.0"}
        assert found.apis["pets/1.0"].cors == policy(
            "https://a.example", {"regex": "https://r[0-9]+\\.example"}
        )
        assert found.applications.keys() == {"web"}

        revisions = store.catalogue.revisions()
        assert [(one.author, one.rolls_back_to) for one in revisions] == [
            ("ann", 1),
            ("bob", None),
            ("ann", None),
        ]
        nodes = [node for one in revisions for node in one.nodes]
        assert [(one.node, one.state.value, one.detail) for one in nodes] == [
            ("n1", "rejected", "why"),
            ("n1", "applied", None),
        ]
        assert isinstance(nodes[1], NodeRollout)
        assert nodes[1].at.isoformat() == "2026-01-02T03:04:06+00:00"
        ci, old = store.tokens.tokens()
        assert (ci.name, ci.revoked) == ("ci", None)
        assert (old.name, old.expires is None, old.revoked is None) == ("old", False, False)


@pytest.mark.parametrize("version", [one for one in steps() if one >= "0003"], indirect=True)
def test_migrated_telemetry_is_complete(earlier: StoreLocation) -> None:
    at = datetime(2026, 1, 4, 5, tzinfo=UTC)
    refused = DecisionSeries("pets/1.0", "/gateway/pets/1.0", "preflight", "origin-refused")
    with open_store(earlier) as store:
        telemetry = store.telemetry
        assert telemetry.own_counters("cp") == {CounterKey("n1", "i1", refused): 12}
        assert telemetry.decisions(at, at + timedelta(hours=1)) == {(at, refused): 12}
        assert telemetry.traffic(at, at + timedelta(hours=1)) == {(at, DecisionKind.ORIGIN): 12}
        (group,) = telemetry.refusals()
        assert group.key == GroupKey(
            "pets/1.0", "https://b.example", "origin-refused", preflight=True, method="PUT", headers=("x-a",)
        )
        assert (group.sampled, group.count, group.variance, group.clients) == (3, 12.5, 0.25, 2)
        assert group.seen_in == SeenIn("/v1/*", ("Chrome",))
        assert group.hours == {at: 12.5}
        assert group.disposition == Disposition(
            DispositionKind.DISMISSED, at + timedelta(hours=1), "ann", 3, DismissalReason.BOT, "why"
        )
        assert [one.count for one in telemetry.other_refusals()] == [4.5]
        assert [one.count for one in telemetry.allowed_origins()] == [7.5]


@pytest.mark.parametrize("version", steps(), indirect=True)
def test_migrated_store_takes_telemetry(earlier: StoreLocation) -> None:
    refused = DecisionSeries("new/1.0", "/gateway/new/1.0", "preflight", "origin-refused")
    at = datetime(2026, 3, 4, 5, tzinfo=UTC)
    key = CounterKey("n1", "i2", refused)
    with open_store(earlier) as store:
        assert store.telemetry.add_telemetry(TelemetryBatch("cp", at, {key: 5})) == {key: 5}


@pytest.mark.parametrize("version", steps(), indirect=True)
def test_migrated_store_can_be_changed(earlier: StoreLocation) -> None:
    with open_store(earlier) as store:
        service = CatalogueService(store.catalogue)
        assert service.export(2).apis.keys() == {"pets/1.0"}
        assert service.rollback(2, author="eve").head.catalogue == service.export(2)
        service.change([PutApi(api("new"))], author="eve")
        service.rollback(1, author="eve")
        Tokens(store.tokens).revoke("ci")
    with open_store(earlier) as again:
        assert again.catalogue.head.revision == 6
        assert again.catalogue.head.catalogue == CatalogueService(again.catalogue).export(1)


def test_migrations_lead_to_the_declared_tables(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema()) == []
