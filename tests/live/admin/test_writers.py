"""Eight concurrent writers, and another process on the same database: no update is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.admin_api import WRITERS, origins_of, write_at_once
from tests.command import CommandProcess
from tests.live.admin.store_gateway import eventually, store_gateway
from tests.unit.admin.entries import SHOP, create_pets, create_shop

pytestmark = pytest.mark.live

WRITES = 8


def test_concurrent_writers_lose_no_update_and_see_no_lock(stored: tuple[str, str], tmp_path: Path) -> None:
    with store_gateway(tmp_path, *stored) as gateway:
        create_pets(gateway.admin)
        create_shop(gateway.admin, apis=("pets/1.0",))
        with CommandProcess(tmp_path, "token", "create", "beside", *stored) as beside:
            origins, conflicts = write_at_once([gateway.admin], SHOP, WRITES)
            code, output = beside.wait_until_ended()
        assert (code, output[:4]) == (0, "cgt_")
        assert origins_of(gateway.admin, SHOP) == origins
        assert len(origins) == WRITERS * WRITES
        assert conflicts > 0

        newest = gateway.admin.get("/v1/revisions").json()["items"][0]["number"]
        # --listen, the API, the application, and one for each write.
        assert newest == 3 + len(origins)
        eventually(lambda: gateway.admin.get("/v1/nodes").json()["items"][0]["current"] is True)
        assert {gateway.preflight(origin) for origin in origins} == {200}
        assert gateway.preflight("https://w0-none.example") == 403
        for word in ("Traceback", "locked", "failed"):
            assert word not in gateway.command.output
