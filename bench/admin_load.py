"""How long an admin waits while eight viewers do their worst: `python -m bench.admin_load [--seconds 20]`.

`crossgate run` is a separate process with SQLite, 5,000 APIs, 20,000 applications and an Envoy. Each viewer
has its own token and sends one expensive request after another, of each kind in turn. Meanwhile an admin
reads and changes one policy, and requests an explanation. Other load on the machine counts, too.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import median, quantiles
from typing import Any

import httpx
import psutil
from bench.machine import description
from bench.store_propagation import APPLICATIONS, Running, running

APIS = 5000
VIEWERS = 8
AIM_MS = 100
_PAUSE_SECONDS = 0.02
Request = tuple[str, str, str | None]


def worst_requests() -> list[Request]:
    """Method, path and body of one request of each expensive kind."""
    regexes = [
        {"regex": rf"https://(?:[a-z]{{1,60}}\.)?(?:a|b|c)+[a-z0-9.-]{{1,60}}x{number}\.example\.com"}
        for number in range(60)
    ]
    api = {"name": "slow", "version": "1", "type": "rest", "native": "http://127.0.0.1:1"}
    expensive = json.dumps({"apis": [{**api, "cors": {"allowed_origins": regexes}}]})
    many = [
        {**api, "name": f"new-{number}", "cors": {"allowed_origins": [f"https://{number}.example.com"]}}
        for number in range(5000)
    ]
    return [
        ("POST", "/v1/check", "[" + "{}," * 400_000 + "{}]"),
        ("POST", "/v1/check", expensive),
        ("POST", "/v1/plan", json.dumps({"apis": many})),
        ("POST", "/v1/plan?prune=true", "apis: []"),
        ("POST", "/v1/check", "# " + "x" * (16 * 2**20 - 100)),
        ("POST", "/v1/explain", json.dumps({"api": "api-1/1", "origin": "https://a.example" * 3000})),
        ("GET", "/v1/export", None),
        ("GET", "/v1/applications?origin=https://nowhere.example", None),
        ("GET", "/v1/revisions/1", None),
        ("GET", "/v1/export?revision=1", None),
    ]


@asynccontextmanager
async def viewers(gateway: Running) -> AsyncIterator[Counter[str]]:
    """Eight viewers at work; counts their responses by status."""
    statuses: Counter[str] = Counter()
    requests = worst_requests()

    async def work(number: int) -> None:
        body = {"name": f"viewer-{number}", "role": "viewer"}
        secret = (await gateway.admin.post("/v1/tokens", json=body)).json()["secret"]
        mine = itertools.cycle(requests[number % len(requests) :] + requests[: number % len(requests)])
        async with httpx.AsyncClient(
            base_url=gateway.admin.base_url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=300,
            trust_env=False,
        ) as client:
            for method, path, content in mine:
                answer = await client.request(method, path, content=content)
                statuses[str(answer.status_code)] += 1

    working = [asyncio.create_task(work(number)) for number in range(VIEWERS)]
    try:
        yield statuses
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def measure(gateway: Running, seconds: float, ages: Iterator[int]) -> dict[str, list[float]]:
    """Milliseconds of an admin's reads, writes and explanations, one after another."""
    path = "/v1/apis/api-7/1/policy"
    policy: dict[str, Any] = (await gateway.admin.get(path)).json()
    taken: dict[str, list[float]] = {"read": [], "write": [], "explain": []}
    explained = {"api": "api-7/1", "origin": "https://a.example"}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        policy = {**policy, "max_age": next(ages)}
        for kind, sending in (
            ("read", gateway.admin.build_request("GET", path)),
            ("write", gateway.admin.build_request("PUT", path, json=policy)),
            ("explain", gateway.admin.build_request("POST", "/v1/explain", json=explained)),
        ):
            began = time.perf_counter()
            answer = await gateway.admin.send(sending)
            taken[kind].append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, answer.text
            await asyncio.sleep(_PAUSE_SECONDS)
    return taken


def memory_of_workers(gateway: Running) -> tuple[float, int]:
    """MB of the process that forks the workers, and how many workers there are."""
    for child in psutil.Process(gateway.control_plane_pid).children():
        if "admin_worker_process" in " ".join(child.cmdline()):
            return child.memory_info().rss / 2**20, len(child.children())
    return 0.0, 0


def report(name: str, taken: dict[str, list[float]]) -> None:
    for kind, times in taken.items():
        percentile = quantiles(times, n=100)[98]
        print(
            f"{name:>16} {kind:>8}: median {median(times):6.1f} ms, 99 % {percentile:6.1f} ms,"
            f" longest {max(times):6.1f} ms, {len(times):,} calls",
            flush=True,
        )


async def compare(seconds: float, count: int) -> None:
    ages = itertools.count(1000)
    async with running(count) as gateway:
        await measure(gateway, 2, ages)
        report("alone", await measure(gateway, seconds, ages))
        async with viewers(gateway) as statuses:
            await asyncio.sleep(2)
            report("with viewers", await measure(gateway, seconds, ages))
            megabytes, workers = memory_of_workers(gateway)
            print(
                f"responses to viewers: {dict(statuses)}; {workers} workers; their server {megabytes:.0f} MB"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure an admin's calls while viewers do their worst")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--apis", type=int, default=APIS)
    options = parser.parse_args()
    print(f"{description()}\n{options.apis:,} APIs, {APPLICATIONS:,} applications, {VIEWERS} viewers\n")
    asyncio.run(compare(options.seconds, options.apis))
    print(f"aim: every call under {AIM_MS} ms, with viewers too")


if __name__ == "__main__":
    main()
