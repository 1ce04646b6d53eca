"""The time until a change through the admin API is enforced, with a store.

`python -m bench.store_propagation [--sizes 100,1000,5000] [--json FILE]`

`crossgate run` is a separate process with SQLite, and starts Envoy. The time runs from sending the PUT to the
first preflight under the new policy; preflights are sent every millisecond on one connection. Times depend on
other load on the machine; the processor time of both processes depends on it less.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from bench.catalogues import reference_apis
from bench.machine import cores, cpu_seconds, description, memory_bytes
from bench.propagation import Client, client
from tests.command import CommandProcess
from tests.ports import free_ports

from crossgate.catalogue.model import Application, Catalogue, Gateway
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.permission import Role
from crossgate.service.tokens import Tokens
from crossgate.store import SqliteDirectory, open_store

APPLICATIONS = 20_000
EDITS = 200
AT_ONCE = 500
PAUSE_SECONDS = 0.001
_NATIVE = 9


@dataclass(frozen=True, slots=True)
class Running:
    """A running gateway, and the duration of its start."""

    admin: httpx.AsyncClient
    preflights: Client
    start_s: float
    start_cpu_s: tuple[float, float]
    control_plane_pid: int
    envoy_pid: int

    @property
    def cpu(self) -> tuple[float, float]:
        """Seconds of processor time that the control plane and Envoy have used."""
        return cpu_seconds([self.control_plane_pid]), cpu_seconds([self.envoy_pid])

    async def until(self, name: str, allowed: str, age: str = "") -> None:
        """Send preflights until one is allowed, with this ``Access-Control-Max-Age`` if one is given.

        There is a pause between them. Without it, the client and Envoy would use both cores of a small
        machine, and slow down the control plane.
        """
        while True:
            found = await self.preflights.max_age(f"/gateway/{name}/1", allowed)
            if found and found == (age or found):
                return
            await asyncio.sleep(PAUSE_SECONDS)


def fill(directory: Path, port: int, count: int) -> str:
    """Fill a new store with ``count`` APIs and the applications; return the secret of an admin token."""
    apis = reference_apis(count, _NATIVE)
    with open_store(SqliteDirectory(directory)) as store:
        applications = {
            f"app-{n}": Application(f"app-{n}", (f"https://app-{n}.example",), (apis[n % count].key,))
            for n in range(APPLICATIONS)
        }
        desired = Catalogue(
            Gateway(HostPort("127.0.0.1", port)),
            apis={one.key: one for one in apis},
            applications=applications,
        )
        CatalogueService(store.catalogue).change([ReplaceAll(desired)], author="bench")
        return Tokens(store.tokens).create("bench", Role.ADMIN)[0]


@asynccontextmanager
async def running(count: int) -> AsyncIterator[Running]:
    port, admin_port = free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        secret = fill(Path(folder) / "data", port, count)
        began = time.perf_counter()
        with CommandProcess(
            Path(folder), "run", "--data", f"{folder}/data", "--admin", f"127.0.0.1:{admin_port}"
        ) as command:
            while "Crossgate serves" not in command.output:
                assert command.process.poll() is None, command.output
                await asyncio.sleep(0.02)
            start_s = time.perf_counter() - began
            cpu = cpu_seconds([command.process.pid]), cpu_seconds([command.envoy_pid])
            async with (
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{admin_port}",
                    headers={"Authorization": f"Bearer {secret}", "If-Match": "*"},
                    timeout=60,
                    trust_env=False,
                ) as admin,
                client(port) as preflights,
            ):
                yield Running(admin, preflights, start_s, cpu, command.process.pid, command.envoy_pid)


async def put_until(
    gateway: Running, path: str, body: dict[str, Any], seen: Callable[[], Awaitable[None]]
) -> float:
    """Milliseconds from sending the PUT until ``seen()`` returns; its response arrives in between."""
    request = gateway.admin.build_request("PUT", path, json=body)
    began = time.perf_counter()
    putting = asyncio.create_task(gateway.admin.send(request))
    await seen()
    elapsed = (time.perf_counter() - began) * 1000
    answer = await putting
    assert answer.status_code == 200, answer.text
    return elapsed


async def edits(gateway: Running, count: int) -> list[float]:
    """Change ``max_age`` of one API after another; milliseconds until each change is enforced."""
    # Filling the store has loaded the linter into this process too: a collection of all that takes 0.08 s.
    gc.collect()
    gc.freeze()
    taken = []
    for number in range(EDITS):
        name = f"api-{number * 7919 % count}"
        path = f"/v1/apis/{name}/1/policy"
        policy = (await gateway.admin.get(path)).json()
        age = str(1000 + number)
        allowed = f"http://shop-{name.removeprefix('api-')}.example"

        async def seen(name: str = name, allowed: str = allowed, age: str = age) -> None:
            await gateway.until(name, allowed, age)

        taken.append(await put_until(gateway, path, {**policy, "max_age": int(age)}, seen))
    return taken


async def at_once(gateway: Running, count: int) -> float:
    """Add an origin to an application with many APIs; milliseconds until the last API allows it."""
    names = [f"api-{n}" for n in range(min(AT_ONCE, count))]
    body: dict[str, Any] = {"apis": [f"{name}/1" for name in names]}
    async with httpx.AsyncClient(
        base_url=gateway.admin.base_url,
        headers={"Authorization": gateway.admin.headers["Authorization"], "If-None-Match": "*"},
        timeout=60,
        trust_env=False,
    ) as creating:
        created = await creating.put("/v1/applications/everywhere", json=body)
    assert created.status_code == 201, created.text
    origin = "https://everywhere.test"

    async def seen() -> None:
        # The last API first: APIs are mostly enforced in order, and each preflight takes time of Envoy.
        for name in reversed(names):
            await gateway.until(name, origin)

    return await put_until(
        gateway, "/v1/applications/everywhere", {**body, "javascript_origins": [origin]}, seen
    )


async def size(count: int) -> dict[str, float]:
    async with running(count) as gateway:
        before = gateway.cpu
        taken = await edits(gateway, count)
        python, envoy = (after - was for after, was in zip(gateway.cpu, before, strict=True))
        return {
            "apis": count,
            "edit_ms": median(taken),
            "edit_p99_ms": quantiles(taken, n=100)[-1],
            "edit_cpu_ms": python / EDITS * 1000,
            "edit_envoy_cpu_ms": envoy / EDITS * 1000,
            "start_s": gateway.start_s,
            "start_cpu_s": gateway.start_cpu_s[0],
            "start_envoy_cpu_s": gateway.start_cpu_s[1],
            "control_plane_mb": memory_bytes(gateway.control_plane_pid) / 2**20,
            "envoy_mb": memory_bytes(gateway.envoy_pid) / 2**20,
            "at_once_ms": await at_once(gateway, count),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the time from the admin API to Envoy")
    parser.add_argument("--sizes", default="100,1000,5000", help="numbers of APIs, comma-separated")
    parser.add_argument("--json", type=Path, help="write all measurements to this file")
    options = parser.parse_args()
    os.sched_setaffinity(0, {cores().measuring, cores().measured})
    print(f"{description()}\n{APPLICATIONS:,} applications\n")
    results = []
    for count in map(int, options.sizes.split(",")):
        found = asyncio.run(size(count))
        results.append(found)
        print(
            f"{count:>6,} APIs: edit {found['edit_ms']:.1f} ms (99 %: {found['edit_p99_ms']:.1f} ms;"
            f" processor {found['edit_cpu_ms']:.1f} + {found['edit_envoy_cpu_ms']:.1f} ms with its GET),"
            f" an origin for {min(AT_ONCE, count)} APIs {found['at_once_ms']:.0f} ms,"
            f" start {found['start_s']:.2f} s (processor {found['start_cpu_s']:.1f} +"
            f" {found['start_envoy_cpu_s']:.1f} s), control plane {found['control_plane_mb']:.0f} MB,"
            f" Envoy {found['envoy_mb']:.0f} MB",
            flush=True,
        )
    print("targets: edit under 15 ms, 99 % under 60 ms; an origin under 1 s; start under 4 s")
    if options.json is not None:
        text = json.dumps({"machine": description(), "sizes": results}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
