"""Crossgate's middleware against the others: ``make bench``.

Times are what a middleware adds to the bare application, in microseconds of processor time: all that the call
takes, less the application where it is reached. Beside them, the bytes held at the call's highest point.
All in one run, on one machine, current releases.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version
from itertools import cycle
from typing import Any, Final

from bench.middleware import aiohttp_peers, asgi_peers, django_peers, wsgi_peers
from bench.middleware.asgi_peers import Call
from bench.middleware.cases import ORIGINS, Origins, Request, hostile_preflights, newcomers, requests
from bench.middleware.measure import Cost, cost_of, reaches

Peer = Callable[[Origins], Callable[[Request], Call]]

PEERS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("Crossgate, ASGI", asgi_peers, "crossgate"),
    (f"Starlette {version('starlette')}", asgi_peers, "starlette"),
    (f"Litestar {version('litestar')}", asgi_peers, "litestar"),
    ("Crossgate, WSGI", wsgi_peers, "crossgate"),
    (f"flask-cors {version('flask-cors')}", wsgi_peers, "flask_cors"),
    (f"django-cors-headers {version('django-cors-headers')}", django_peers, "cors_headers"),
    (f"aiohttp-cors {version('aiohttp-cors')}", aiohttp_peers, "aiohttp"),
)


def main() -> None:
    """Measure everything and print it as tables for a page."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    for origins in ORIGINS:
        _table(f"Allowed: {origins.name}", origins, requests(origins.allowed))
    for origins in ORIGINS[:2]:
        _table(f"Allowed: {origins.name}, and a new one each time", origins, newcomers("example.org"))
    for origins in ORIGINS[2:]:
        asked = newcomers("example.com", "example.org")
        _table(f"Allowed: {origins.name}, and a new origin each time", origins, asked)
    _table("Hostile lists of header names", ORIGINS[0], hostile_preflights())


def _table(title: str, origins: Origins, measured: Iterable[Request]) -> None:
    columns = [_column(origins, module, name) for _, module, name in PEERS]
    print(f"### {title}\n")
    print("| | " + " | ".join(name for name, _, _ in PEERS) + " | Starlette ÷ Crossgate |")
    print("|---" * (len(PEERS) + 2) + "|")
    for request in measured:
        costs = [column(request) for column in columns]
        ratio = f"{costs[1].seconds / costs[0].seconds:.1f}" if costs[0] and costs[1] else ""
        print(f"| {request.name} | " + " | ".join(map(_shown, costs)) + f" | {ratio} |", flush=True)
    print()


def _column(origins: Origins, module: Any, name: str) -> Callable[[Request], Cost | None]:
    peer: Peer = getattr(module, name)
    try:
        prepared, bare = peer(origins), module.plain(origins)
    except NotImplementedError:
        return lambda _request: None

    def added(request: Request) -> Cost:
        call = _in_turn([prepared(each) for each in (request, *request.others)])
        cost = cost_of(call)
        if not reaches(call, module.APPLICATION):
            return cost
        return Cost(cost.seconds - cost_of(bare(request)).seconds, cost.allocated)

    return added


def _in_turn(calls: list[Call]) -> Call:
    if len(calls) == 1:
        return calls[0]
    turns = cycle(calls)

    def call() -> object:
        return next(turns)()

    return call


def _shown(cost: Cost | None) -> str:
    return "—" if cost is None else f"{cost.seconds * 1e6:,.1f} µs, {cost.allocated:,} B"


if __name__ == "__main__":
    main()
