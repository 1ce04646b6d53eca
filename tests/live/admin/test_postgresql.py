"""Control planes on one PostgreSQL server that stops and starts again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.admin.store_gateway import eventually, store_gateway
from tests.postgresql import Server
from tests.unit.admin.entries import PETS, create_pets, policy_entry

pytestmark = pytest.mark.live

APP, OTHER = "https://app.example", "https://other.example"


def test_change_at_one_control_plane_is_pushed_by_the_other(server: Server, tmp_path: Path) -> None:
    database = ("--database", server.url(server.new_database()))
    # One store, one listener: in production the second node is on another machine; here there is none.
    with (
        store_gateway(tmp_path, *database) as one,
        store_gateway(tmp_path, *database, "--no-envoy", secret=one.token, port=one.port) as two,
    ):
        create_pets(two.admin, APP)
        eventually(lambda: one.preflight(APP) == 200)
        etag = one.admin.get(f"{PETS}/policy").headers["ETag"]
        changed = one.admin.put(f"{PETS}/policy", json=policy_entry(OTHER), headers={"If-Match": etag})
        assert changed.status_code == 200
        eventually(lambda: two.admin.get(PETS).json()["cors"] == policy_entry(OTHER))

        stale = two.admin.put(f"{PETS}/policy", json=policy_entry(), headers={"If-Match": etag})
        assert stale.status_code == 412

        def applied() -> bool:
            nodes = two.admin.get(f"/v1/revisions/{changed.headers['Crossgate-Revision']}").json()["nodes"]
            return [node["outcome"] for node in nodes] == ["applied"]

        eventually(applied)


def test_database_restart_does_not_affect_traffic(server: Server, tmp_path: Path) -> None:
    database = ("--database", server.url(server.new_database()))
    with store_gateway(tmp_path, *database) as gateway:
        create_pets(gateway.admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)
        policy = f"{PETS}/policy"

        server.stop()
        try:
            refused = gateway.admin.put(policy, json=policy_entry(OTHER), headers={"If-Match": "*"})
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert refused.json()["diagnostics"][0]["code"] == "store-unavailable"
            assert gateway.admin.get("/v1/revisions").status_code == 503
            # What is in memory is answered, tokens included; what is enforced stays.
            assert gateway.admin.get(policy).json() == policy_entry(APP)
            assert [gateway.preflight(origin) for origin in (APP, OTHER)] == [200, 403]
        finally:
            server.start()

        def written() -> bool:
            answer = gateway.admin.put(policy, json=policy_entry(OTHER), headers={"If-Match": "*"})
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200

        eventually(written)
        eventually(lambda: gateway.preflight(OTHER) == 200)
        eventually(
            lambda: (
                [one["outcome"] for one in gateway.admin.get("/v1/revisions").json()["items"][0]["nodes"]]
                == ["applied"]
            )
        )
