"""The disk fills up under the store: writes are refused with the reason, and nothing else happens."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.apart import OwnDisk, own_disk
from tests.live.faults.load import Load, load
from tests.unit.admin.entries import PETS, create_pets, policy_entry
from tests.wire import WireAnswer, WireRequest

pytestmark = pytest.mark.live

APP, OTHER, LAST = "https://app.example", "https://other.example", "https://last.example"
PREFLIGHT = WireRequest(
    "OPTIONS", "/gateway/pets/1.0/x", (("Origin", APP), ("Access-Control-Request-Method", "GET"))
)
MANY = [f"https://o{number}.example" for number in range(2_000)]
"""Make a policy that takes more than the database has left in the pages that are its own already."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[OwnDisk]:
    with own_disk(tmp_path / "data", 4 * 2**20) as made:
        yield made


def put_policy(gateway: StoreGateway, *origins: str) -> int:
    """The status; fails unless it is a success or says that the store cannot be written, and why."""
    policy = policy_entry(*origins)
    answer = gateway.admin.put(f"{PETS}/policy", json=policy, headers={"If-Match": "*"})
    if answer.status_code != 200:
        problem = answer.json()
        assert problem["type"] == "urn:crossgate:problem:store-unavailable", problem
        assert "disk" in problem["detail"]
        assert "full" in problem["detail"]
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "5"
    return answer.status_code


def allowed(answer: WireAnswer) -> int:
    """Judges the load, of which nothing may fail."""
    assert answer.status == 200, answer
    return 0


def check_refused(gateway: StoreGateway, traffic: Load) -> None:
    """Writes are, and all that is in force and stored stays as it is."""
    before = gateway.admin.get("/v1/export").content
    [newest] = gateway.admin.get("/v1/revisions", params={"limit": 1}).json()["items"]
    for _ in range(3):
        assert put_policy(gateway, APP, LAST, *MANY) == 503
        traffic.wait_for_more(10)
    assert gateway.admin.get("/v1/export").content == before
    assert gateway.admin.get(f"/v1/revisions/{newest['number']}").status_code == 200
    assert gateway.admin.get(f"/v1/revisions/{newest['number'] + 1}").status_code == 404
    assert gateway.preflight(LAST) == 403


def test_a_full_disk_refuses_writes_and_loses_nothing(disk: OwnDisk, tmp_path: Path) -> None:
    options = ("--data", str(disk.directory), "--concurrency", "1")
    with store_gateway(tmp_path, *options, before=disk.before) as gateway:
        create_pets(gateway.admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)
        with load(gateway.port, [PREFLIGHT], allowed, clients=2, pause=0.01) as traffic:
            disk.fill()
            check_refused(gateway, traffic)
            disk.free()
            assert put_policy(gateway, APP, OTHER, *MANY) == 200
            eventually(lambda: gateway.preflight(OTHER) == 200)
            disk.fill()
            check_refused(gateway, traffic)
        stored = gateway.admin.get("/v1/export").content
        assert "Traceback" not in gateway.command.output
        envoy = gateway.command.envoy
        gateway.command.kill()
        assert wait_for_end(envoy, 30)

    with store_gateway(
        tmp_path, *options, before=disk.before, secret=gateway.token, port=gateway.port
    ) as again:
        assert again.admin.get("/v1/export").content == stored
        assert [again.preflight(origin) for origin in (APP, OTHER, LAST)] == [200, 200, 403]
        with load(again.port, [PREFLIGHT], allowed, clients=2, pause=0.01) as traffic:
            check_refused(again, traffic)
            disk.free()
            assert put_policy(again, APP, LAST, *MANY) == 200
            eventually(lambda: again.preflight(LAST) == 200)
        assert "Traceback" not in again.command.output


def test_files_that_cannot_grow_are_as_a_full_disk(tmp_path: Path) -> None:
    """What needs no privilege: the process may make no file any larger."""
    with store_gateway(tmp_path, "--data", "data", "--concurrency", "1") as gateway:
        create_pets(gateway.admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)
        pid = gateway.command.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        with load(gateway.port, [PREFLIGHT], allowed, clients=2, pause=0.01) as traffic:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
            check_refused(gateway, traffic)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
            assert put_policy(gateway, APP, OTHER, *MANY) == 200
            eventually(lambda: gateway.preflight(OTHER) == 200)
        assert "Traceback" not in gateway.command.output
