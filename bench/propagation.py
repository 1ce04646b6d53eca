"""The time until a change is enforced, and what many APIs cost: `python -m bench.propagation`.

A change replaces the policy of one API. The time runs from the changed catalogue to the first response under
the new policy, including compilation and push; the client sends preflights without a pause. A restart runs
from `kill -9` of Envoy to the first response of the next one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

from bench.catalogues import METHOD, api, catalogue_of, origin, policy_of_origins, reference_apis
from bench.machine import cores, description, memory_bytes, pin
from bench.serving import Serving, serving
from tests.ports import free_ports

from crossgate.catalogue.document import read_document, write_document
from crossgate.catalogue.model import Api, Catalogue
from crossgate.compiler.incremental import Compilation

SIZES = (1, 100, 1_000, 5_000)
EDITS = 60
TARGET_MS = 10.0
RESTART_TARGET_S = 3.0
"""With a hundred APIs."""
HEAD = ("APIs", "edit, median", "95 %", "start", "restart", "compile", "Envoy", "read file")
MANY = 100_000
_NATIVE = 9
"""A port without a listener: the gateway answers preflights itself."""


@dataclass(frozen=True, slots=True)
class Client:
    """One persistent connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def max_age(self, path: str, allowed: str) -> str:
        """``Access-Control-Max-Age`` of the response to a preflight; empty if it is refused."""
        lines = f"OPTIONS {path} HTTP/1.1\r\nHost: a\r\nOrigin: {allowed}\r\n"
        self.writer.write(f"{lines}Access-Control-Request-Method: {METHOD}\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        await self.reader.readexactly(int(fields.get(b"content-length", b"0")))
        return fields.get(b"access-control-max-age", b"").decode()


@asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def edit(gateway: Serving, http: Client, before: Catalogue, number: int) -> tuple[Catalogue, float]:
    """Change the policy of one API; return the new catalogue and the milliseconds until it was enforced."""
    keys = list(before.apis)
    changed = before.apis[keys[number * 7919 % len(keys)]]
    assert changed.cors is not None
    seconds = 1000 + number
    policy = replace(changed.cors, max_age=seconds)
    allowed = f"http://shop-{changed.name.removeprefix('api-')}.example"
    began = time.perf_counter()
    after = replace(before, apis={**before.apis, changed.key: replace(changed, cors=policy)})
    gateway.publisher.publish(after)
    while await http.max_age(changed.endpoints[0], allowed) != str(seconds):
        pass
    return after, (time.perf_counter() - began) * 1000


async def restart_seconds(gateway: Serving, port: int, path: str, allowed: str) -> float:
    """From the end of Envoy to the first response to a preflight."""
    killed = gateway.pid
    began = time.perf_counter()
    os.kill(killed, signal.SIGKILL)
    while True:
        if gateway.envoy.pid not in (None, killed):
            pin(gateway.pid, cores().measured)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            async with client(port) as http:
                if await http.max_age(path, allowed):
                    return time.perf_counter() - began
        await asyncio.sleep(0.005)


def seconds_of(act: Callable[[], object], runs: int = 3) -> float:
    """The processor time of the fastest run."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken)


def compile_microseconds(catalogue: Catalogue) -> float:
    """Processor time per API when the whole catalogue is compiled."""
    return (
        seconds_of(lambda: Compilation().advance(catalogue, "/authorities.pem")) / len(catalogue.apis) * 1e6
    )


def read_milliseconds(catalogue: Catalogue) -> float:
    """Processor time of reading the catalogue from its document."""
    text = write_document(catalogue)
    return seconds_of(lambda: read_document(text), runs=1) * 1000


async def size(count: int, empty: Mapping[str, int]) -> dict[str, float]:
    """Measure with ``count`` APIs; ``empty`` is the memory used without any."""
    [port] = free_ports(1)
    catalogue = catalogue_of(port, reference_apis(count, _NATIVE))
    last = list(catalogue.apis.values())[-1]
    result: dict[str, float] = {"apis": count, "compile_us": compile_microseconds(catalogue)}
    began = time.perf_counter()
    async with serving(catalogue) as gateway, client(port) as http:
        allowed = f"http://shop-{count - 1}.example"
        assert await http.max_age(last.endpoints[0], allowed) == "100"
        result["start_s"] = time.perf_counter() - began
        result["envoy_kb"] = (memory_bytes(gateway.pid) - empty["envoy"]) / count / 1024
        taken = []
        for number in range(EDITS):
            catalogue, milliseconds = await edit(gateway, http, catalogue, number)
            taken.append(milliseconds)
        result["restart_s"] = await restart_seconds(gateway, port, last.endpoints[0], allowed)
    result["edit_ms"] = median(taken)
    result["edit_p95_ms"] = quantiles(taken, n=20)[-1]
    result["read_ms"] = read_milliseconds(catalogue)
    return result


async def without_apis() -> dict[str, int]:
    """The memory that Envoy uses without any API."""
    [port] = free_ports(1)
    async with serving(catalogue_of(port, [])) as gateway:
        return {"envoy": memory_bytes(gateway.pid)}


async def many_origins(empty: Mapping[str, int]) -> dict[str, float]:
    """One API with many allowed origins: the time until it is enforced, and its memory."""
    [port] = free_ports(1)
    one: Api = api("many", _NATIVE, policy_of_origins(MANY))
    catalogue = catalogue_of(port, [one])
    compiled = compile_microseconds(catalogue) / 1000
    async with serving(catalogue_of(port, [])) as gateway, client(port) as http:
        began = time.perf_counter()
        gateway.publisher.publish(catalogue)
        while await http.max_age(one.endpoints[0], origin(MANY - 1)) != "100":
            pass
        enforced = (time.perf_counter() - began) * 1000
        used = (memory_bytes(gateway.pid) - empty["envoy"]) / 2**20
    return {"compile_ms": compiled, "enforced_ms": enforced, "envoy_mb": used}


def show(*cells: str) -> None:
    print("".join(f"{cell:>14}" for cell in cells), flush=True)


async def run() -> dict[str, object]:
    print(description(), "\n")
    cores()
    os.sched_setaffinity(0, {cores().measuring})
    empty = await without_apis()
    show(*HEAD)
    sizes = []
    for count in SIZES:
        found = await size(count, empty)
        sizes.append(found)
        show(
            f"{count:,}",
            f"{found['edit_ms']:.2f} ms",
            f"{found['edit_p95_ms']:.2f} ms",
            f"{found['start_s']:.2f} s",
            f"{found['restart_s']:.2f} s",
            f"{found['compile_us']:.0f} µs/API",
            f"{found['envoy_kb']:.0f} kB/API",
            f"{found['read_ms']:.0f} ms",
        )
    print(f"target: the median edit under {TARGET_MS:.0f} ms at every size")
    print(f"target: a restart within {RESTART_TARGET_S:.0f} s with a hundred APIs\n")
    origins = await many_origins(empty)
    print(
        f"one API with {MANY:,} origins: compiled in {origins['compile_ms']:.0f} ms, "
        f"enforced after {origins['enforced_ms']:.0f} ms, {origins['envoy_mb']:.0f} MB in Envoy"
    )
    return {"machine": description(), "sizes": sizes, "origins": origins}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the time until a change is enforced")
    parser.add_argument("--json", type=Path, help="write all measurements to this file")
    options = parser.parse_args()
    result = asyncio.run(run())
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
