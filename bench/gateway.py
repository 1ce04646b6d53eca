"""Throughput of the gateway against peers: `python -m bench.gateway [--json FILE] [--rounds N]`.

The measured server runs on one core, the load generator on another. In each round all contenders run one
short burst, and the result is the median of the rounds' ratios: a slower machine slows down the whole round.
Rounds with other load on the machine are discarded, as long as enough quiet rounds remain.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import httpx
from bench import rivals
from bench.catalogues import HEADERS, METHOD, api, catalogue_of, origin, policy_of_origins
from bench.machine import cores, description
from bench.serving import serving
from bench.wrk import Burst, Shot, burst
from tests.ports import free_ports

MANY = 100_000
BUSY = 0.15
"""Processors that other programs may use during a quiet round."""
MIN_QUIET = 3
NATIVE = "native service"
CROSSGATE, MANY_ORIGINS, BARE, FILTER, FIXED, NGINX = (
    "Crossgate, 10 origins",
    "Crossgate, 100,000 origins",
    "Envoy, no policy",
    "Envoy, cors filter",
    "Envoy, fixed response",
    "nginx, if block",
)
TARGETS = {BARE: 0.95, FILTER: 1.0, CROSSGATE: 0.95}
REQUESTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "preflight": (
        "OPTIONS",
        {
            "Origin": origin(7),
            "Access-Control-Request-Method": METHOD,
            "Access-Control-Request-Headers": ",".join(HEADERS),
        },
    ),
    "proxied request": ("GET", {"Origin": origin(7)}),
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A server: the URL that is requested, and its processes."""

    url: str
    pids: list[int]


@dataclass(frozen=True, slots=True)
class Effort:
    """The number of quiet rounds, and the attempts to reach it."""

    rounds: int
    attempts: int
    seconds: int
    """The duration of one burst."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``subject`` against ``rival``: medians of the rounds' ratios, and the middle half of them."""

    request: str
    subject: str
    rival: str
    throughput: float
    low: float
    high: float
    cpu: float
    """The rival's CPU time per request, divided by the subject's: above 1 the subject is cheaper."""
    target: float | None


@asynccontextmanager
async def contenders(folder: Path) -> AsyncIterator[Mapping[str, Contender]]:
    """All contenders on separate ports, and the native service behind them."""
    ours, bare, filtered, fixed, nginx, native = free_ports(6)
    few = api("few", native, policy_of_origins(rivals.ORIGINS))
    many = api("many", native, policy_of_origins(MANY))
    async with AsyncExitStack() as stack:
        pids_of = {
            native: stack.enter_context(
                rivals.nginx(rivals.NGINX_NATIVE.format(port=native), native, folder, cores().measuring)
            )
        }
        gateway = await stack.enter_async_context(serving(catalogue_of(ours, [few, many])))
        pids_of |= {
            bare: stack.enter_context(rivals.envoy(rivals.bare_envoy(bare, native), bare, folder)),
            filtered: stack.enter_context(
                rivals.envoy(rivals.cors_filter_envoy(filtered, native), filtered, folder)
            ),
            fixed: stack.enter_context(rivals.envoy(rivals.fixed_envoy(fixed, native), fixed, folder)),
            nginx: stack.enter_context(
                rivals.nginx(rivals.nginx_rival(nginx, native), nginx, folder, cores().measured)
            ),
            ours: [gateway.pid],
        }

        def contender(port: int, path: str) -> Contender:
            return Contender(f"http://127.0.0.1:{port}{path}", pids_of[port])

        yield {
            CROSSGATE: contender(ours, few.endpoints[0]),
            MANY_ORIGINS: contender(ours, many.endpoints[0]),
            BARE: contender(bare, few.endpoints[0]),
            FILTER: contender(filtered, few.endpoints[0]),
            FIXED: contender(fixed, few.endpoints[0]),
            NGINX: contender(nginx, few.endpoints[0]),
            NATIVE: contender(native, ""),
        }


def check(name: str, shot: Shot) -> None:
    """Fail unless the contender returns the expected response."""
    answer = httpx.request(shot.method, shot.url, headers=shot.headers)
    allowed = answer.headers.get("access-control-allow-origin")
    assert answer.status_code == 200, (name, answer)
    assert name == BARE or allowed == origin(7), (name, answer.headers)


Round = dict[str, Burst]


def measure(request: str, found: Mapping[str, Contender], effort: Effort) -> dict[str, list[Burst]]:
    """The bursts of each contender, one per round."""
    method, headers = REQUESTS[request]
    shots = {
        name: Shot(method, contender.url, headers)
        for name, contender in found.items()
        if name != NATIVE and (name != FIXED or request == "preflight")
    }
    helper_pids = found[NATIVE].pids
    for name, shot in shots.items():
        check(name, shot)
        burst(shot, found[name].pids, 1, cores().measuring)
    names = list(shots)
    ran: list[Round] = []
    for number in range(effort.attempts):
        quiet = sum(map(is_quiet, ran))
        if quiet == effort.rounds:
            break
        print(f"\r{request}: round {quiet + 1} of {effort.rounds} ", end="", flush=True)
        first = number % len(names)
        ran.append(
            {
                name: burst(shots[name], found[name].pids, effort.seconds, cores().measuring, helper_pids)
                for name in names[first:] + names[:first]
            }
        )
    print("\r" + " " * 40, end="\r")
    counted = list(filter(is_quiet, ran))
    if len(counted) < MIN_QUIET:
        print(f"Other load on the machine: only {len(counted)} of {len(ran)} rounds were quiet.")
        counted = ran
    return {name: [one[name] for one in counted] for name in names}


def is_quiet(ran: Round) -> bool:
    """Whether there was little other load on the machine."""
    return all(one.others < BUSY for one in ran.values())


def compare(request: str, bursts: Mapping[str, list[Burst]], subject: str, rival: str) -> Comparison:
    pairs = list(zip(bursts[subject], bursts[rival], strict=True))
    ratios = sorted(ours.requests_per_second / theirs.requests_per_second for ours, theirs in pairs)
    cpu = median(theirs.cpu_microseconds / ours.cpu_microseconds for ours, theirs in pairs)
    quarter = len(ratios) // 4
    return Comparison(
        request,
        subject,
        rival,
        median(ratios),
        ratios[quarter],
        ratios[-1 - quarter],
        cpu,
        TARGETS.get(rival),
    )


def show(request: str, bursts: Mapping[str, list[Burst]], comparisons: list[Comparison]) -> None:
    print(f"{request:<30}{'requests/s':>12}{'CPU µs each':>13}")
    for name, ran in bursts.items():
        rate = median(one.requests_per_second for one in ran)
        print(f"  {name:<28}{rate:>12,.0f}{median(one.cpu_microseconds for one in ran):>13.1f}")
    print(f"{'':<52}{'throughput':>12}{'middle half':>16}{'by CPU':>9}{'target':>9}")
    for one in comparisons:
        target = f"≥ {one.target:.2f}" if one.target else ""
        between = f"{one.low:.2f} - {one.high:.2f}"
        what = f"{one.subject} / {one.rival}"
        print(f"  {what:<50}{one.throughput:>12.3f}{between:>16}{one.cpu:>9.3f}{target:>9}")
    print()


async def run(effort: Effort) -> dict[str, object]:
    result: dict[str, object] = {"machine": description(), "effort": asdict(effort)}
    print(result["machine"], "\n")
    os.sched_setaffinity(0, {cores().measuring})
    with tempfile.TemporaryDirectory() as name:
        async with contenders(Path(name)) as found:
            for request in REQUESTS:
                bursts = await asyncio.to_thread(measure, request, found, effort)
                rivals_here = [rival for rival in (BARE, FILTER, FIXED, NGINX) if rival in bursts]
                comparisons = [compare(request, bursts, CROSSGATE, rival) for rival in rivals_here]
                comparisons.append(compare(request, bursts, MANY_ORIGINS, CROSSGATE))
                show(request, bursts, comparisons)
                result[request] = {
                    "bursts": {name: [asdict(one) for one in ran] for name, ran in bursts.items()},
                    "comparisons": [asdict(one) for one in comparisons],
                }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare Crossgate with peers on one core")
    parser.add_argument("--json", type=Path, help="write all measurements to this file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--attempts", type=int, default=9, help="maximum number of rounds")
    parser.add_argument("--seconds", type=int, default=1, help="duration of one burst")
    options = parser.parse_args()
    result = asyncio.run(run(Effort(options.rounds, options.attempts, options.seconds)))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
