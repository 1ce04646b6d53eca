"""Killed in the middle of changes, again and again: whole revisions only, and Envoy runs exactly the last."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.live.dataplane.process_end import wait_for_end

pytestmark = pytest.mark.acceptance

APPLIES, KILLS, APIS = 200, 8, 12
APART = 8
"""Applies between two kills, at least."""


def origin(number: int) -> str:
    return f"https://n{number}.example"


def document(number: int) -> str:
    """Every API allows the origin of that number and no other; an application has the same one."""
    entries = "".join(
        f"""
  - name: api-{api}
    version: "1"
    type: rest
    native: http://127.0.0.1:9
    cors: {{allowed_origins: ["{origin(number)}"], allowed_methods: [GET]}}"""
        for api in range(APIS)
    )
    return f"apis:{entries}\napplications: [{{name: app, javascript_origins: ['{origin(number)}']}}]\n"


class Applying:
    """Applies one document after the other, until the control plane is gone or the ``last`` is applied."""

    def __init__(self, gateway: StoreGateway, first: int, last: int) -> None:
        self._gateway = gateway
        self._numbers = range(first, last + 1)
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run)
        self.tried = self.answered = first - 1
        self._began = time.monotonic()
        self._thread.start()

    def kill_after(self, number: int, chance: random.Random) -> bool:
        """Kill the control plane at some moment of the apply after that one; whether one was under way."""
        with self._news:
            assert self._news.wait_for(lambda: self.answered >= number, 90)
        each = (time.monotonic() - self._began) / (self.answered - self._numbers[0] + 1)
        self._thread.join(chance.uniform(0, each))
        envoy = self._gateway.command.envoy_pid
        self._gateway.command.kill()
        assert wait_for_end(envoy, 30)
        self.end()
        return self.tried > self.answered

    def end(self) -> None:
        """Return when it has ended."""
        self._thread.join(90)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        for number in self._numbers:
            self.tried = number
            try:
                answer = self._gateway.admin.post(
                    "/v1/apply",
                    params={"message": f"n{number}"},
                    content=document(number),
                    headers={"If-Match": "*"},
                )
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            with self._news:
                self.answered = number
                self._news.notify_all()


def running_number(gateway: StoreGateway) -> int:
    """The one number that all of the catalogue speaks of, and all that Envoy enforces."""
    exported = gateway.admin.get("/v1/export").text
    [newest] = gateway.admin.get("/v1/revisions", params={"limit": 1}).json()["items"]
    number = int(newest["message"].removeprefix("n"))
    assert exported.count(origin(number)) == exported.count("https://n") == APIS + 1
    for api in range(APIS):
        statuses = [
            gateway.preflight(origin(one), f"/gateway/api-{api}/1/x")
            for one in (number - 1, number, number + 1)
        ]
        assert statuses == [403, 200, 403], (api, number)
    return number


def test_killed_in_the_middle_of_applies(tmp_path: Path) -> None:
    chance = random.Random(seed := random.randrange(10**6))  # noqa: S311 - moments, not secrets
    print(f"seed {seed}")  # noqa: T201 - shown if the test fails
    options = ("--data", "data", "--concurrency", "1")
    secret, port, stood, under_way = "", None, 0, 0
    answered: set[int] = set()
    for moment in [*sorted(chance.sample(range(APART, APPLIES, APART), KILLS)), APPLIES]:
        with store_gateway(tmp_path, *options, secret=secret, port=port) as gateway:
            secret, port = gateway.token, gateway.port
            if answered:
                # What was answered is there; the one after it may have made it to the disk, whole, or not.
                last, stood = stood, running_number(gateway)
                assert stood in (max(answered), last)
            # A kill that comes late, on a machine that others load, still comes before the next one's turn.
            applying = Applying(gateway, stood + 1, min(moment + APART - 1, APPLIES))
            if moment < APPLIES:
                under_way += applying.kill_after(moment, chance)
            applying.end()
            answered |= set(range(stood + 1, applying.answered + 1))
            stood = applying.tried
            if moment == APPLIES:
                eventually(lambda: gateway.admin.get("/v1/nodes").json()["items"][0]["current"] is True)
                assert running_number(gateway) == APPLIES
                check_history(gateway, answered)
    assert under_way


def check_history(gateway: StoreGateway, answered: set[int]) -> None:
    """Every revision is whole, there is no gap, and none that was answered is missing."""
    revisions = gateway.admin.get("/v1/revisions", params={"limit": 500}).json()["items"]
    assert [one["number"] for one in revisions] == list(range(len(revisions), 0, -1))
    of_documents = [one for one in reversed(revisions) if one["message"].startswith("n")]
    numbers = [int(one["message"].removeprefix("n")) for one in of_documents]
    assert numbers == list(range(1, APPLIES + 1))
    assert answered <= set(numbers)
    for one, number in zip(of_documents, numbers, strict=True):
        changes = gateway.admin.get(f"/v1/revisions/{one['number']}").json()["changes"]
        assert len(changes) == one["objects"] == APIS + 1
        assert all(origin(number) in str(change["after"]) for change in changes)
