"""Killed in the middle of changes: whole revisions only, and Envoy runs exactly the last."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway

pytestmark = pytest.mark.live

KILLED_AFTER = (3, 17)
APIS = 5


def document(number: int) -> str:
    """Every API allows the origin of that number and no other."""
    entries = "".join(
        f"""
  - name: api-{api}
    version: "1"
    type: rest
    native: http://127.0.0.1:9
    cors: {{allowed_origins: ["https://n{number}.example"], allowed_methods: [GET]}}"""
        for api in range(APIS)
    )
    return f"apis:{entries}\n"


def apply_until_it_breaks(gateway: StoreGateway, first: int, answered: list[int]) -> None:
    for number in range(first, first + 200):
        try:
            answer = gateway.admin.post("/v1/apply", content=document(number), headers={"If-Match": "*"})
        except httpx.TransportError:
            return
        assert answer.status_code == 200, answer.text
        answered.append(number)


def _has(answered: list[int], count: int) -> bool:
    return len(answered) >= count


def test_killed_in_the_middle_of_applies(tmp_path: Path) -> None:
    secret, port, last = "", None, 0
    for killed_after in KILLED_AFTER:
        with store_gateway(tmp_path, "--data", "data", secret=secret, port=port) as gateway:
            secret, port = gateway.token, gateway.port
            answered: list[int] = []
            first = last + 1000
            applying = threading.Thread(target=apply_until_it_breaks, args=(gateway, first, answered))
            applying.start()
            eventually(partial(_has, answered, killed_after))
            gateway.command.kill()
            applying.join(30)
            assert not applying.is_alive()
            last = answered[-1]

    with store_gateway(tmp_path, "--data", "data", secret=secret, port=port) as gateway:
        exported = gateway.admin.get("/v1/export").text
        # What was answered is there; the one after it may have made it to the disk, whole, or not.
        numbers = [number for number in (last, last + 1) if exported.count(f"https://n{number}.example")]
        assert len(numbers) == 1
        assert exported.count(f"https://n{numbers[0]}.example") == APIS

        statuses = {
            gateway.preflight(f"https://n{number}.example", f"/gateway/api-{api}/1/x")
            for number in (last - 1, last, last + 1)
            for api in range(APIS)
            if number != numbers[0]
        }
        assert statuses == {403}
        for api in range(APIS):
            assert gateway.preflight(f"https://n{numbers[0]}.example", f"/gateway/api-{api}/1/x") == 200

        revisions = gateway.admin.get("/v1/revisions", params={"limit": 500}).json()["items"]
        assert [one["number"] for one in revisions] == list(range(len(revisions), 0, -1))
        assert {one["objects"] for one in revisions[:-1]} == {APIS}
        eventually(lambda: bool(gateway.admin.get("/v1/nodes").json()["items"][0]["current"]))
