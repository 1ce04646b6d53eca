"""A minute of refusals with random origins, paths and headers, as fast as wrk(1) can send them.

What is asserted is what must be right on any machine; figures are printed, and stand in
docs/reference/telemetry.md. Throughput with and without telemetry is measured by bench/telemetry.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.admin_api import client_of
from tests.command import CommandProcess
from tests.live.admin.store_gateway import first_token
from tests.ports import free_ports

pytestmark = pytest.mark.acceptance

SECONDS = 60
SCRIPT = Path(__file__).with_name("flood.lua")
SCRIPTS = [f"https://partner-{number}.example.org" for number in range(5)]
"""Planted origins of programs: 1,000 refusals each, within the minute."""
BROWSERS = [f"https://page-{number}.example.org" for number in range(5)]
"""Planted origins of pages, with `Sec-Fetch-Mode`: a refusal every two seconds."""
ALONE = "https://alone.example.org"
"""The only refused origin of an API that is not flooded."""
OF_SCRIPT, OF_BROWSER, OF_ALONE = 1_000, 30, 1_000
MEMORY_MIB = 64
"""What the control plane may need for the flood, on top of what it has when it serves."""

API = """
  - name: {name}
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9
    cors: {{allowed_origins: ["https://app.example.org"], allowed_methods: [GET]}}
"""


@dataclass(frozen=True, slots=True)
class Flooded:
    """What was sent, and what is known afterwards."""

    sent: int
    refusals: Sequence[Mapping[str, Any]]
    others: Sequence[Mapping[str, Any]]
    stats: Mapping[tuple[str, str], int]
    grown_mib: float


def sent_by_wrk(output: str) -> int:
    found = re.search(r"([0-9]+) requests in", output)
    assert found is not None, output
    return int(found[1])


def plant(port: int, api: str, origin: str, times: int, pause: float, headers: Mapping[str, str]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/gateway/{api}/1.0", trust_env=False) as client:
        for _ in range(times):
            answer = client.get("/orders/7", headers={"Origin": origin, **headers}, timeout=30)
            assert answer.status_code == 403, answer
            time.sleep(pause)


def all_of(client: httpx.Client, path: str, **query: str) -> tuple[list[Any], Any]:
    items: list[Any] = []
    while True:
        page = client.get(path, params={**query, "limit": "100"}, timeout=60)
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        if page.json()["next"] is None:
            return items, page.json()
        query["cursor"] = page.json()["next"]


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flooded]:
    wrk = shutil.which("wrk")
    if wrk is None:
        pytest.fail("wrk is not installed: run scripts/prerequisites wrk")
    folder = tmp_path_factory.mktemp("flood")
    port, admin = free_ports(2)
    apis = "".join(API.format(name=name) for name in ("flooded", "quiet"))
    (folder / "gateway.yaml").write_text(f'gateway: {{listen: "127.0.0.1:{port}"}}\napis:{apis}')
    options = ("gateway.yaml", "--admin", f"127.0.0.1:{admin}", "--concurrency", "1")
    with CommandProcess(folder, "run", *options) as command, ThreadPoolExecutor() as pool:
        command.wait_for("The admin API listens")
        client = client_of(f"http://127.0.0.1:{admin}", first_token(command))
        plant(port, "flooded", SCRIPTS[0], 1, 0, {})
        time.sleep(10)
        before = psutil.Process(command.process.pid).memory_info().rss
        url = f"http://127.0.0.1:{port}/gateway/flooded/1.0"
        flood = subprocess.Popen(
            [wrk, "-t1", "-c64", f"-d{SECONDS}s", "--script", str(SCRIPT), url],
            stdout=subprocess.PIPE,
            text=True,
        )
        pause = SECONDS / OF_SCRIPT / 2
        plants = [pool.submit(plant, port, "flooded", one, OF_SCRIPT, pause, {}) for one in SCRIPTS]
        browser = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site", "User-Agent": "Mozilla/5.0"}
        plants += [pool.submit(plant, port, "flooded", one, OF_BROWSER, 1.9, browser) for one in BROWSERS]
        plants.append(pool.submit(plant, port, "quiet", ALONE, OF_ALONE, pause, {}))
        peak = before
        while flood.poll() is None or not all(one.done() for one in plants):
            peak = max(peak, psutil.Process(command.process.pid).memory_info().rss)
            time.sleep(0.5)
        for one in plants:
            one.result()
        # The last counters and samples arrive, and are stored.
        time.sleep(15)
        peak = max(peak, psutil.Process(command.process.pid).memory_info().rss)
        refusals, page = all_of(client, "/v1/refusals")
        stats: Counter[tuple[str, str]] = Counter()
        for one in all_of(client, "/v1/stats")[0]:
            stats[one["api"], one["reason"]] += one["decisions"]
        output, _ = flood.communicate()
        client.close()
    yield Flooded(sent_by_wrk(output), refusals, page["others"], stats, (peak - before) / 2**20)


def group(flooded: Flooded, origin: str) -> Mapping[str, Any]:
    found = [one for one in flooded.refusals if one["origin"] == origin]
    assert len(found) == 1, (origin, found)
    return found[0]


def test_every_refusal_is_counted(flooded: Flooded) -> None:
    planted = 1 + len(SCRIPTS) * OF_SCRIPT + len(BROWSERS) * OF_BROWSER
    counted = flooded.stats["flooded/1.0", "origin-refused"]
    print(f"{counted:,} refusals counted, {flooded.sent:,} answers to the flood; {flooded.grown_mib:.0f} MiB")  # noqa: T201 - the figures of this run
    # wrk drops its last requests, at most one for each connection.
    assert 0 <= counted - planted - flooded.sent <= 64


def test_planted_groups_are_found(flooded: Flooded) -> None:
    for origin in BROWSERS:
        found = group(flooded, origin)
        assert abs(found["count"] - OF_BROWSER) <= found["error"], found
        assert found["fetch_modes"] == ["cors"]
    for origin in SCRIPTS:
        found = group(flooded, origin)
        print(f"{origin}: {found['count']} ± {found['error']} of {OF_SCRIPT}; {found['sampled']} reported")  # noqa: T201 - the figures of this run
        assert found["error"] > 0


def test_counts_beside_the_flood_are_within_their_error(flooded: Flooded) -> None:
    # An error is 1.96 standard deviations. Right counts fail in 0.3 % of all runs: in 0.1 % by their mean,
    # and in 0.2 % because one of the five is further away than 3.5 of them.
    found = [group(flooded, origin) for origin in SCRIPTS]
    sigmas = [one["error"] / 1.96 for one in found]
    away = [(one["count"] - OF_SCRIPT) / sigma for one, sigma in zip(found, sigmas, strict=True)]
    mean = sum(one["count"] for one in found) / len(found)
    allowed = 3.29 * sqrt(sum(sigma**2 for sigma in sigmas)) / len(found)
    rounded = [round(one, 2) for one in away]
    values = f"{mean:.0f} ± {allowed:.0f} of {OF_SCRIPT} on average; standard deviations: {rounded}"
    print(values)  # noqa: T201 - the figures of this run
    assert abs(mean - OF_SCRIPT) <= allowed, values
    assert max(map(abs, away)) <= 3.5, values


def test_a_group_that_is_alone_is_counted_within_one_percent(flooded: Flooded) -> None:
    found = group(flooded, ALONE)
    print(f"alone: {found['count']} ± {found['error']} of {OF_ALONE}")  # noqa: T201 - the figures of this run
    assert abs(found["count"] - OF_ALONE) <= OF_ALONE / 100


def test_memory_is_bounded(flooded: Flooded) -> None:
    assert flooded.grown_mib <= MEMORY_MIB


def test_groups_and_others_are_all_refusals(flooded: Flooded) -> None:
    groups = [one for one in (*flooded.refusals, *flooded.others) if one["api"] == "flooded/1.0"]
    assert sum(one["count"] for one in groups) == pytest.approx(
        flooded.stats["flooded/1.0", "origin-refused"], rel=0.01
    )
