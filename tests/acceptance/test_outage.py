"""PostgreSQL is unreachable for a minute: traffic is not affected, and all changes arrive afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.live.faults.load import Load, load
from tests.postgresql import SOCKET_NAME, Server
from tests.raw_http import RawRequest, RawResponse
from tests.relay import RelayThread
from tests.unit.admin.entries import PETS, create_pets, policy_entry

pytestmark = pytest.mark.acceptance

OUTAGE = 60.0
"""Seconds."""
MOST_WAITED = 50.0
"""Seconds for the first request to a database that stopped responding; later ones fail at once.

A running statement has 35 s; a waiting one needs 5 s to find its connection dead and 5 s for a new one.
"""
APP, OTHER, LAST = "https://app.example", "https://other.example", "https://last.example"
POLICY = f"{PETS}/policy"
PREFLIGHT = RawRequest(
    "OPTIONS", "/gateway/pets/1.0/x", (("Origin", APP), ("Access-Control-Request-Method", "GET"))
)


@pytest.fixture
def line(server: Server, tmp_path: Path) -> Iterator[RelayThread]:
    """The connection of one control plane to the database, which can be cut."""
    with RelayThread(tmp_path / SOCKET_NAME, server.socket) as relay:
        yield relay


def allowed(answer: RawResponse) -> int:
    assert answer.status == 200, answer
    return 0


def write(gateway: StoreGateway, origin: str) -> int:
    """Write, and return the status: 200, or 503 because the database is unavailable."""
    answer = gateway.admin.put(POLICY, json=policy_entry(APP, origin), headers={"If-Match": "*"})
    if answer.status_code != 200:
        assert answer.json()["type"] == "urn:crossgate:problem:store-unavailable"
        assert answer.headers["Retry-After"] == "5"
        assert len(answer.json()["detail"]) > len("the store is unavailable: ")
    return answer.status_code


def check_cut_off(gateway: StoreGateway, traffic: Load, seconds: float) -> None:
    """Check for this long that writes fail, and that reads from memory and tokens work."""
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        assert write(gateway, LAST) == 503
        assert time.monotonic() - began < MOST_WAITED
        assert gateway.admin.get(POLICY).json() == policy_entry(APP)
        assert gateway.admin.post("/v1/plan", content="apis: []").status_code == 200
        assert gateway.admin.get("/v1/revisions").status_code == 503
        assert [gateway.preflight(origin) for origin in (APP, OTHER, LAST)] == [200, 403, 403]
        # Steadily, not as fast as the machine can: others need it too.
        traffic.wait_for_more(50)


def test_database_outage_of_one_minute(server: Server, line: RelayThread, tmp_path: Path) -> None:
    database = server.new_database()
    here_options = ("--database", server.url(database, tmp_path), "--concurrency", "1")
    there_options = ("--database", server.url(database), "--no-envoy")
    with (
        store_gateway(tmp_path, *here_options) as here,
        store_gateway(tmp_path, *there_options, secret=here.token, port=here.port) as there,
    ):
        create_pets(here.admin, APP)
        eventually(lambda: here.preflight(APP) == 200)
        with load(here.port, [PREFLIGHT], allowed, clients=2, pause=0.02) as traffic:
            faults: list[Callable[[], None]] = [line.silence, line.cut]
            for fault in faults:
                fault()
                check_cut_off(here, traffic, OUTAGE / len(faults))
            changed = there.admin.put(POLICY, json=policy_entry(APP, OTHER), headers={"If-Match": "*"})
            assert changed.status_code == 200
            check_cut_off(here, traffic, 1)

            line.open()
            # By itself: nobody asks this control plane for anything.
            eventually(lambda: here.preflight(OTHER) == 200)
            assert write(here, LAST) == 200
            eventually(lambda: here.preflight(LAST) == 200)

        def outcomes() -> list[str]:
            revision = there.admin.get(f"/v1/revisions/{changed.headers['Crossgate-Revision']}").json()
            return [node["outcome"] for node in revision["nodes"]]

        eventually(lambda: outcomes() == ["applied"])
        assert "Traceback" not in here.command.output
