"""Crossgate's middleware compared with other CORS middlewares: ``make bench``.

A time is the processor time in microseconds that a middleware adds to the bare application: the time of the
call, minus the time of the application if the call reaches it. All middlewares run in turn, in short rounds;
a time is the minimum of its rounds, a ratio the median of the ratios of all rounds. The other figures are the
peaks of allocated bytes and memory blocks. Everything is measured in one run on one machine.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle
from statistics import median
from typing import Any, Final

from bench.middleware import aiohttp_peers, asgi_peers, django_peers, wsgi_peers
from bench.middleware.cases import (
    ORIGINS,
    Origins,
    Request,
    hostile_origins,
    hostile_preflights,
    newcomers,
    requests,
)
from bench.middleware.measure import Call, Memory, memory_of, reaches, seconds_by_round

Peer = Callable[[Origins], Callable[[Request], Call]]

Peers = tuple[tuple[str, Any, str], ...]
PEERS: Final[Peers] = (
    ("Crossgate, ASGI", asgi_peers, "crossgate"),
    (f"Starlette {version('starlette')}", asgi_peers, "starlette"),
    (f"Litestar {version('litestar')}", asgi_peers, "litestar"),
    ("Crossgate, WSGI", wsgi_peers, "crossgate"),
    (f"flask-cors {version('flask-cors')}", wsgi_peers, "flask_cors"),
    (f"django-cors-headers {version('django-cors-headers')}", django_peers, "cors_headers"),
    (f"aiohttp-cors {version('aiohttp-cors')}", aiohttp_peers, "aiohttp"),
)
_ASGI: Final = PEERS[:3]


def main() -> None:
    """Measure everything, and print the tables for ``results.md``."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    for origins in ORIGINS:
        _table(f"Allowed: {origins.name}", origins, requests(origins.allowed))
    for origins in ORIGINS[:2]:
        _table(f"Allowed: {origins.name}, and a new one each time", origins, newcomers("example.org"), _ASGI)
    for origins in ORIGINS[2:]:
        measured = newcomers("example.com", "example.org")
        _table(f"Allowed: {origins.name}, and a new origin each time", origins, measured, _ASGI)
    for origins in ORIGINS[3:]:
        _table(f"Hostile origins, allowed: {origins.name}", origins, hostile_origins())
    _table("Hostile lists of header names", ORIGINS[0], hostile_preflights())


@dataclass(frozen=True, slots=True)
class Column:
    """One middleware with one set of origins."""

    prepare: Callable[[Request], Call]
    bare: Callable[[Request], Call]
    application: Any


@dataclass(frozen=True, slots=True)
class Cost:
    """What one middleware adds to one request."""

    by_round: list[float]
    memory: Memory

    def __str__(self) -> str:
        blocks = "" if self.memory.blocks is None else f", {self.memory.blocks:,}"
        return f"{min(self.by_round) * 1e6:,.1f} µs, {self.memory.octets:,} B{blocks}"


def _table(title: str, origins: Origins, measured: Iterable[Request], peers: Peers = PEERS) -> None:
    columns = [_column(origins, module, name) for _, module, name in peers]
    print(f"### {title}\n")
    print("| | " + " | ".join(name for name, _, _ in peers) + " | Starlette ÷ Crossgate |")
    print("|---" * (len(peers) + 2) + "|")
    for request in measured:
        costs = _costs(request, columns)
        cells = ["—" if cost is None else str(cost) for cost in costs]
        print(f"| {request.name} | " + " | ".join(cells) + f" | {_ratio(costs[1], costs[0])} |", flush=True)
    print()


def _column(origins: Origins, module: Any, name: str) -> Column | None:
    peer: Peer = getattr(module, name)
    try:
        return Column(peer(origins), module.plain(origins), module.APPLICATION)
    except NotImplementedError:
        return None


def _costs(request: Request, columns: list[Column | None]) -> list[Cost | None]:
    calls: list[Call] = []
    for column in columns:
        if column is not None:
            calls.append(_in_turn([column.prepare(each) for each in (request, *request.others)]))
            reached = reaches(calls[-1], column.application)
            calls.append(column.bare(request) if reached else _nothing)
    rounds = iter(seconds_by_round(calls))
    each_call = iter(calls)
    costs: list[Cost | None] = []
    for column in columns:
        if column is None:
            costs.append(None)
            continue
        call, _ = next(each_call), next(each_call)
        added = [total - bare for total, bare in zip(next(rounds), next(rounds), strict=True)]
        costs.append(Cost(added, memory_of(call)))
    return costs


def _nothing() -> None:
    """Stands for the application if the call does not reach it."""


def _ratio(one: Cost | None, other: Cost | None) -> str:
    if one is None or other is None:
        return ""
    return f"{median(a / b for a, b in zip(one.by_round, other.by_round, strict=True)):.1f}"


def _in_turn(calls: list[Call]) -> Call:
    if len(calls) == 1:
        return calls[0]
    turns = cycle(calls)

    def call() -> object:
        return next(turns)()

    return call


if __name__ == "__main__":
    main()
