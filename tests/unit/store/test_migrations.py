"""From every earlier version's tables, with data in them, to today's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from tests.postgresql import Server
from tests.unit.store.conftest import closing, postgresql

from crossgate.service.revision import NodeOutcome
from crossgate.store import SqliteDirectory, StoreLocation, open_store
from crossgate.store.location import engine_for
from crossgate.store.migrate import CURRENT, migrate
from crossgate.store.tables import metadata

EARLIER = Path(__file__).parent / "earlier"
"""For each migration, statements that leave the same catalogue behind as its version would have."""


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


def test_the_newest_step_is_the_one_that_the_program_knows() -> None:
    assert steps()[0] == CURRENT
    assert {path.stem for path in EARLIER.glob("*.sql")} == set(steps())


@pytest.mark.parametrize("version", steps())
def test_what_an_earlier_version_stored_is_there(version: str, empty: StoreLocation, engine: Engine) -> None:
    migrate(engine, version)
    with engine.begin() as connection:
        for statement in (EARLIER / f"{version}.sql").read_text().split(";\n"):
            connection.execute(text(statement.replace(":", r"\:")))
    with open_store(empty) as store:
        head = store.catalogue.head
        assert head.revision == 2
        assert head.catalogue.apis["pets/1.0"].cors is not None
        assert head.catalogue.applications.keys() == {"web"}
        assert [one.author for one in store.catalogue.revisions()] == ["bob", "ann"]
        nodes = store.catalogue.revisions()[1].nodes
        assert [(one.node, one.outcome.value) for one in nodes] == [("n1", "applied")]
        assert isinstance(nodes[0], NodeOutcome)
        assert nodes[0].at.isoformat() == "2026-01-02T03:04:06+00:00"
        assert [one.name for one in store.tokens.tokens()] == ["ci"]


def test_the_steps_lead_to_the_tables_that_the_program_uses(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
