"""Throughput of the gateway with more and less telemetry: `python -m bench.telemetry [--rounds N]`.

One Envoy on the measured core is switched between the modes, because two Envoys with equal configurations
can differ by a tenth. A ratio is the median of pairs of bursts, one without telemetry and one with it, next
to each other: the speed of a shared core can double within a minute.
Refusals come at full speed, so that the token buckets are empty most of the time, as in a flood.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import httpx
from bench import rivals
from bench.catalogues import HEADERS, METHOD, api, catalogue_of, origin, policy_of_origins
from bench.machine import cores, description
from bench.serving import Serving, serving
from bench.wrk import Burst, Shot, burst
from tests.ports import free_ports

from crossgate.app.tasks import background_task
from crossgate.app.telemetry import keep_storing
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.telemetry import AccessLog, LoggedRequests, Telemetry
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.telemetry.collector import Collector
from crossgate.telemetry.intake import telemetry_services

OFF, COUNTERS, REFUSALS, ALL, LOGGED = "off", "counters", "counters, refusals", "all", "all, access log"
MODES: Mapping[str, Telemetry] = {
    OFF: Telemetry(enabled=False),
    COUNTERS: Telemetry(refusals_per_second=0, allowed_per_second=0),
    REFUSALS: Telemetry(allowed_per_second=0),
    ALL: Telemetry(),
    LOGGED: Telemetry(),
}
_PREFLIGHT = {"Access-Control-Request-Method": METHOD, "Access-Control-Request-Headers": ",".join(HEADERS)}
_OTHER = "https://other.example.net"
REQUESTS: Mapping[str, tuple[int, str, Mapping[str, str], float | None]] = {
    "preflight": (200, "OPTIONS", {"Origin": origin(7), **_PREFLIGHT}, 0.88),
    "request": (200, "GET", {"Origin": origin(7)}, 0.92),
    "refused preflight": (403, "OPTIONS", {"Origin": _OTHER, **_PREFLIGHT}, 0.90),
    "refused request": (403, "GET", {"Origin": _OTHER}, 0.90),
}
"""Status, method, headers, and the aim with all telemetry on, of each request. The access log is extra."""


Pair = tuple[Burst, Burst]
"""Without telemetry, and with it."""


async def run(chosen: Sequence[str], rounds: int, seconds: int) -> None:
    print(description(), "\n")
    os.sched_setaffinity(0, {cores().measuring})
    native, port = free_ports(2)
    collector = Collector("bench")
    collector.store = InMemoryTelemetryStore()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(
            rivals.nginx(rivals.NGINX_NATIVE.format(port=native), native, folder, cores().measuring)
        )
        catalogue = catalogue_of(port, [api("few", native, policy_of_origins(rivals.ORIGINS))])
        log = AccessLog(str(folder / "access.log"), LoggedRequests.ALL)
        modes = {
            mode: replace(
                catalogue,
                gateway=replace(
                    catalogue.gateway, telemetry=telemetry, access_log=log if mode == LOGGED else None
                ),
            )
            for mode, telemetry in MODES.items()
            if mode in (OFF, *chosen)
        }
        started = await stack.enter_async_context(serving(catalogue, telemetry_services(collector)))
        await stack.enter_async_context(background_task(keep_storing(collector, lambda: catalogue)))
        for request, (status, method, headers, aim) in REQUESTS.items():
            shot = Shot(method, f"http://127.0.0.1:{port}/gateway/few/1", headers)
            bursts = await measure(shot, status, started, modes, rounds, seconds)
            show(request, bursts, aim)


async def measure(
    shot: Shot,
    status: int,
    started: Serving,
    modes: Mapping[str, Catalogue],
    rounds: int,
    seconds: int,
) -> Mapping[str, list[Pair]]:
    """For each mode pairs of bursts: one without telemetry, and one with the mode, next to each other."""

    async def burst_in(mode: str) -> Burst:
        await started.publish(modes[mode])
        answer = await asyncio.to_thread(httpx.request, shot.method, shot.url, headers=dict(shot.headers))
        assert answer.status_code == status, answer
        # The buckets of a mode are full at first.
        await asyncio.to_thread(burst, shot, [started.pid], 1, cores().measuring, refused=True)
        return await asyncio.to_thread(burst, shot, [started.pid], seconds, cores().measuring, refused=True)

    ran: dict[str, list[Pair]] = {mode: [] for mode in modes if mode != OFF}
    for number in range(rounds):
        for mode, pairs in ran.items():
            if number % 2:
                with_mode, off = await burst_in(mode), await burst_in(OFF)
            else:
                off, with_mode = await burst_in(OFF), await burst_in(mode)
            pairs.append((off, with_mode))
    return ran


def show(request: str, ran: Mapping[str, list[Pair]], aim: float | None) -> None:
    print(
        f"{request:<24}{'requests/s':>12}{'off':>12}{'of off':>9}{'middle half':>16}{'by CPU':>9}{'aim':>9}"
    )
    for mode, pairs in ran.items():
        ratios = sorted(one.requests_per_second / off.requests_per_second for off, one in pairs)
        quarter = len(ratios) // 4
        half = f"{ratios[quarter]:.2f} - {ratios[-1 - quarter]:.2f}"
        cpu = median(off.cpu_microseconds / one.cpu_microseconds for off, one in pairs)
        rate = median(one.requests_per_second for _, one in pairs)
        without = median(off.requests_per_second for off, _ in pairs)
        target = f"≥ {aim:.2f}" if aim and mode == ALL else ""
        figures = f"{rate:>12,.0f}{without:>12,.0f}{median(ratios):>9.3f}{half:>16}{cpu:>9.3f}{target:>9}"
        print(f"  {mode:<22}{figures}")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the gateway with and without telemetry")
    parser.add_argument("--mode", action="append", choices=[mode for mode in MODES if mode != OFF])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="duration of one burst")
    options = parser.parse_args()
    asyncio.run(run(options.mode or list(MODES), options.rounds, options.seconds))


if __name__ == "__main__":
    main()
