"""A full disk under the store: writes fail with the reason, and nothing else is affected."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.apart import OwnDisk, own_disk
from tests.live.faults.load import Load, load
from tests.raw_http import RawRequest, RawResponse
from tests.unit.admin.entries import PETS, create_pets, policy_entry

pytestmark = pytest.mark.live

APP, OTHER, LAST = "https://app.example", "https://other.example", "https://last.example"
PREFLIGHT = RawRequest(
    "OPTIONS", "/gateway/pets/1.0/x", (("Origin", APP), ("Access-Control-Request-Method", "GET"))
)
MANY = [f"https://o{number}.example" for number in range(2_000)]
"""Enough origins for a policy that does not fit into the free pages of the database."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[OwnDisk]:
    with own_disk(tmp_path / "data", 4 * 2**20) as made:
        yield made


def put_policy(gateway: StoreGateway, *origins: str) -> int:
    """Write, and return the status: 200, or 503 with the reason that the store cannot be written."""
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


def allowed(answer: RawResponse) -> int:
    """Check one response of the load: none may fail."""
    assert answer.status == 200, answer
    return 0


def check_refused(gateway: StoreGateway, traffic: Load) -> None:
    """Check that writes fail, and that stored and enforced state is unchanged."""
    before = gateway.admin.get("/v1/export").content
    [newest] = gateway.admin.get("/v1/revisions", params={"limit": 1}).json()["items"]
    for _ in range(3):
        assert put_policy(gateway, APP, LAST, *MANY) == 503
        traffic.wait_for_more(10)
    assert gateway.admin.get("/v1/export").content == before
    assert gateway.admin.get(f"/v1/revisions/{newest['number']}").status_code == 200
    assert gateway.admin.get(f"/v1/revisions/{newest['number'] + 1}").status_code == 404
    assert gateway.preflight(LAST) == 403


def test_full_disk_fails_writes_and_loses_nothing(disk: OwnDisk, tmp_path: Path) -> None:
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
        envoy = gateway.command.envoy_pid
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


def test_file_size_limit_acts_like_a_full_disk(tmp_path: Path) -> None:
    """The variant without privileges: RLIMIT_FSIZE instead of a small disk."""
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
