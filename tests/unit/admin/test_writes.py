"""Concurrent writers: a write based on a stale read fails, and no update is lost."""

from __future__ import annotations

from tests.admin_api import AdminApi, origins_of, write_at_once
from tests.unit.admin.entries import SHOP, create_shop


def test_eight_concurrent_writers_lose_no_update(api: AdminApi) -> None:
    create_shop(api.editor)
    origins, conflicts = write_at_once([api.editor], SHOP, 6)
    assert origins_of(api.viewer, SHOP) == origins
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 1 + len(origins)
    assert conflicts > 0
