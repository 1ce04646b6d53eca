"""A take-over finds a store that version 0.1.0 wrote, with 5,000 APIs: it is migrated and served."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from tests.command import CommandProcess
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.load import load
from tests.native_services import ScriptedNative
from tests.ports import free_ports
from tests.raw_http import RawRequest, RawResponse
from tests.unit.store.conftest import closing

from crossgate.store import SqliteDirectory
from crossgate.store.migrate import migrate
from crossgate.store.open import engine_for

pytestmark = pytest.mark.acceptance

APIS = 5_000
ORIGIN = "https://app.example"
PREFLIGHT = RawRequest(
    "OPTIONS", "/gateway/api-0/1.0/x", (("Origin", ORIGIN), ("Access-Control-Request-Method", "GET"))
)


@pytest.fixture
def native() -> Iterator[ScriptedNative]:
    with ScriptedNative() as running:
        yield running


def write_first_store(directory: Path, port: int, native: int) -> None:
    """A store as version 0.1.0 left it."""
    directory.mkdir(mode=0o700)
    insert = "INSERT INTO object_versions VALUES (:kind, :key, 1, :content, TRUE)"
    cors = {"allowed_origins": [ORIGIN, {"regex": "https://[a-z]+\\.example"}], "allowed_methods": ["GET"]}
    with closing(engine_for(SqliteDirectory(directory))) as engine:
        migrate(engine, "0001")
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO revisions VALUES (1, 'ann', '2026-01-02 03:04:05', 'first', :apis, NULL)"),
                {"apis": APIS},
            )
            gateway = {"kind": "gateway", "key": "gateway", "content": f'{{"listen":"127.0.0.1:{port}"}}'}
            apis = [
                {
                    "kind": "api",
                    "key": f"api-{number}/1.0",
                    "content": json.dumps(
                        {
                            "name": f"api-{number}",
                            "version": "1.0",
                            "type": "rest",
                            "native": f"http://127.0.0.1:{native}",
                            "cors": cors,
                        }
                    ),
                }
                for number in range(APIS)
            ]
            connection.execute(text(insert), [gateway, *apis])
            connection.execute(text("UPDATE head SET revision = 1"))


def test_a_store_of_the_first_version_is_migrated_by_a_take_over(
    native: ScriptedNative, tmp_path: Path
) -> None:
    port, admin, health = free_ports(3)
    # The gateway serves another store under the same name, until the one of the version before is there.
    for name in ("now", "before"):
        write_first_store(tmp_path / name, port, native.port)
    named = tmp_path / "store"
    named.symlink_to(tmp_path / "now")
    addresses = ("--admin", f"127.0.0.1:{admin}", "--health", f"127.0.0.1:{health}")

    def allowed(answer: RawResponse) -> int:
        assert answer.status == 200, answer
        return 0

    with CommandProcess(
        tmp_path, "run", "--data", str(named), *addresses, "--concurrency", "1", before=("setsid",)
    ) as gateway:
        gateway.wait_for("The admin API listens")
        first = gateway.envoy_pid
        with load(port, [PREFLIGHT], allowed, clients=2) as traffic:
            moved = tmp_path / "moved"
            moved.symlink_to(tmp_path / "before")
            moved.replace(named)
            began = time.monotonic()
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for("New connections go to the new Envoy")
            seconds = time.monotonic() - began
            assert wait_for_end(first, 90)
            traffic.wait_for_more(100)
            answers = traffic.answers
        token = (tmp_path / "before" / "first-token").read_text().strip()
        status = httpx.get(
            f"http://127.0.0.1:{admin}/v1/apis/api-{APIS - 1}/1.0",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=60,
        )
        assert status.status_code == 200
    figures = f"{APIS:,} APIs: {seconds:.1f} s from SIGHUP to the new Envoy, {answers:,} requests, 0 failures"
    print(f"\n{figures}")  # noqa: T201 - for the documentation
