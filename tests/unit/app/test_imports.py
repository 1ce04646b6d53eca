"""The modules that a start loads before clients are served, who wait for each of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import Gateway
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import Change, PutGateway, ReplaceAll
from crossgate.store import SqliteDirectory, open_store

LATER = {
    "alembic",
    "cryptography",
    "fastapi",
    "httpx",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "pydantic",
    "rich",
    "uvicorn",
    "watchfiles",
}

OPENING = """
import sys
from pathlib import Path
import crossgate.app.gateway, crossgate.cli.app, crossgate.cli.process, crossgate.cli.verbs.run
from crossgate.store import SqliteDirectory, open_store
with open_store(SqliteDirectory(Path(sys.argv[1]))) as store:
    assert len(store.catalogue.head.catalogue.apis) == 1
    print(*sys.modules)
"""


def test_a_start_with_a_store_does_not_load_what_is_needed_later(tmp_path: Path) -> None:
    desired = catalogue(
        [api("pets", policy("https://a.example", "https://*.b.example", {"regex": "https://[a-z]+"}))],
        [application("web", "https://c.example", apis=["pets/1.0"])],
    )
    with open_store(SqliteDirectory(tmp_path)) as store:
        changes: list[Change] = [ReplaceAll(desired), PutGateway(Gateway(HostPort("127.0.0.1", 8081)))]
        CatalogueService(store.catalogue).change(changes, author="ann")
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", OPENING, tmp_path],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = ran.stdout.split()
    assert not LATER & {name.partition(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith(("crossgate.lint", "crossgate.admin"))]
    assert "sqlalchemy.dialects.postgresql" not in loaded
