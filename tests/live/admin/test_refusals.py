"""From a real refused request to the change that allows it, and back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.command import crossgate
from tests.live.admin.store_gateway import store_gateway
from tests.unit.admin.entries import create_pets

_SECONDS = 60.0
SHOP = "https://shop.example.com"


def refusals(**expected: object) -> Any:
    """The only group in the list, once it has these values."""

    def found() -> Any:
        ran = crossgate("refusals", "--json")
        assert ran.returncode in (0, 1), ran.stderr
        items = json.loads(ran.stdout)["items"]
        assert len(items) <= 1
        if items and {name: items[0][name] for name in expected} == expected:
            assert ran.returncode == (items[0]["state"] in ("open", "reopened"))
            return dict(items[0])
        return None

    return wait_for(found)


def reasons() -> set[str]:
    ran = crossgate("stats", "--api", "pets/1.0", "--json")
    return {one["reason"] for one in json.loads(ran.stdout)["items"]}


def wait_for(find: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _SECONDS
    while (found := find()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.mark.live
def test_a_refused_origin_is_found_allowed_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_gateway(tmp_path, "--data", str(tmp_path / "data")) as gateway:
        monkeypatch.setenv("CROSSGATE_SERVER", gateway.url)
        monkeypatch.setenv("CROSSGATE_TOKEN", gateway.token)
        create_pets(gateway.admin, "https://app.example.com")
        wait_for(lambda: gateway.preflight("https://app.example.com") == 200 or None)
        # A node that has just started counts requests before it reports them one by one.
        wait_for(lambda: (gateway.preflight(SHOP) == 403 and crossgate("refusals").returncode == 1) or None)

        group = refusals(state="open")
        assert (group["api"], group["origin"], group["reason"], group["method"]) == (
            "pets/1.0",
            SHOP,
            "origin-refused",
            "GET",
        )
        assert (group["clients"], group["headers"], group["observed"]) == (1, [], False)
        assert group["count"] >= group["sampled"] >= 1
        allowed = crossgate("refusals", "allow", group["id"], "--json")
        assert allowed.returncode == 0, allowed.stderr
        revision = json.loads(allowed.stdout)["revision"]
        wait_for(lambda: gateway.preflight(SHOP) == 200 or None)
        assert refusals(state="allowed")["revision"] == revision

        assert crossgate("rollback", str(revision - 1)).returncode == 0
        wait_for(lambda: gateway.preflight(SHOP) == 403 or None)
        assert refusals(state="reopened")["decision"]["revision"] == revision
        wait_for(lambda: reasons() == {"origin-refused", "preflight-allowed"} or None)
