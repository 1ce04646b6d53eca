"""Shutdown during a write that waits for a lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.live.admin.store_gateway import eventually, store_gateway
from tests.postgresql import Server
from tests.unit.admin.entries import NEW, PETS, api_entry

pytestmark = pytest.mark.live

WAITING = sql.SQL(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'crossgate' AND wait_event_type = 'Lock'"
)


def test_shutdown_answers_a_waiting_write(server: Server, tmp_path: Path) -> None:
    url = server.url(server.new_database())
    with (
        store_gateway(tmp_path, "--database", url, "--no-envoy") as gateway,
        ThreadPoolExecutor() as pool,
        psycopg.connect(url) as other,
    ):
        other.execute("LOCK TABLE head")
        writing = pool.submit(gateway.admin.put, PETS, json=api_entry(), headers=NEW)
        eventually(lambda: bool(server.query(WAITING)))
        gateway.command.stop()
        answer = writing.result(30)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert answer.json()["type"] == "urn:crossgate:problem:stopping"
        assert "Traceback" not in gateway.command.output
