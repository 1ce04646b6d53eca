"""Server time of each page of the console with much data, and with little: `python -m bench.console`.

Aim: under 100 ms at the median for each page with 5,000 APIs, 20,000 applications, 10,000 groups of refusals
and 20,000 allowed origins, for a caller without a limit and for one that is limited to some APIs.

The console is served by a process of its own, so that its processor time can be read: judge by that where
other processes keep the processors busy. That of its workers is a column of its own.
The last columns are the same page over a small site: what is left is the page itself.

`--store DIRECTORY` keeps the seeded store for the next run. Delete it after a day: its groups have aged.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import httpx
import psutil
from bench.machine import description
from tests.catalogues import api, application, catalogue, policy
from tests.console_site import Site, running_site, serving
from tests.postgresql import running_server
from tests.telemetry import counted, group, group_key, let_in, refused

from crossgate.compiler.route_names import DecisionSeries
from crossgate.diagnostics import Diagnostic
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.permission import Role
from crossgate.service.refusals import AllowedDelta, AllowedKey, GroupDelta, SeenIn
from crossgate.service.tokens import Tokens
from crossgate.store import SqliteDirectory, Store, open_store
from crossgate.store.location import StoreLocation, parse_location

APIS, APPLICATIONS, GROUPS, ALLOWED = 5_000, 20_000, 10_000, 20_000
AIM = 100.0
LIMIT = ("api-4*",)
"""The APIs of the caller with a limit: 1,111 of 5,000."""
_REASONS = ("origin-refused", "origin-refused", "origin-refused", "method-refused", "header-refused")


def seed(store: Store) -> None:
    """Store the catalogue as one revision, then decisions, refusals and allowed origins of the last day."""
    apis = [
        api(
            f"api-{number}",
            version="1",
            cors=policy(f"https://app{number}.example.com", "https://*.example.org", methods=["GET", "POST"]),
        )
        for number in range(APIS)
    ]
    applications = [
        application(f"app-{number:05}", f"https://a{number}.example", apis=[f"api-{number % APIS}/1"])
        for number in range(APPLICATIONS)
    ]
    service = CatalogueService(store.catalogue)
    service.change([ReplaceAll(catalogue(apis, applications))], author="bench", message="Begin")
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    store.telemetry.add_telemetry(counted(dict(_series()), hour=hour))
    for begin in range(0, GROUPS, 1_000):
        store.telemetry.add_telemetry(
            refused(*(_group(number, now) for number in range(begin, begin + 1_000)))
        )
    for begin in range(0, ALLOWED, 2_000):
        store.telemetry.add_telemetry(
            let_in(*(_allowed(number, now) for number in range(begin, begin + 2_000)))
        )


def _series() -> Iterator[tuple[DecisionSeries, int]]:
    for number in range(APIS):
        key = f"api-{number}/1"
        for reason in ("allowed", "origin-refused"):
            yield DecisionSeries(key, f"/gateway/{key}", "preflight", reason), 100 + number % 50


def _group(number: int, now: datetime) -> GroupDelta:
    reason = _REASONS[number % len(_REASONS)]
    origin = (
        f"https://o{number}.example.net" if reason == "origin-refused" else f"https://x{number}.example.org"
    )
    key = group_key(origin, f"api-{number % 1_000}/1", reason=reason, method="PUT", headers=("x-a",))
    seen = SeenIn("/a/b/*", ("Chrome",), ("cross-site",), ("cors",), ("empty",))
    return group(key, 1 + number % 30, now - timedelta(seconds=number), range(number % 20), seen)


def _allowed(number: int, now: datetime) -> AllowedDelta:
    key = AllowedKey(f"api-{number % APIS}/1", f"https://a{number}.example", True, "GET", ())
    return AllowedDelta(key, 5, now - timedelta(seconds=number))


@dataclass(frozen=True, slots=True)
class Served:
    """A console that is served by another process."""

    pid: int
    url: str
    secrets: Mapping[str, str]
    """The session cookies: of an admin, and of an editor with a limit."""
    first_refusal: Mapping[str, str]
    admin: Mapping[str, str]
    """Headers of an admin's calls."""

    def processor_ms(self) -> float:
        """What the process has used of a processor, in all its threads."""
        # The clock of another process's processor time: `clock_getcpuclockid(3)`, without rounding to 10 ms.
        return time.clock_gettime((~self.pid << 3) | 2) * 1000

    def workers_ms(self) -> float:
        """What its workers have used, as far as they still run."""
        found = 0.0
        for one in psutil.Process(self.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                found += sum(one.cpu_times()[:2]) * 1000
        return found

    def client(self, caller: str) -> httpx.Client:
        """A signed-in browser."""
        cookies = {"crossgate-session": self.secrets[caller]}
        return httpx.Client(base_url=self.url, cookies=cookies, timeout=60, trust_env=False)


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one page: at the clock, sorted, and of the processor on average."""

    wall: list[float]
    processor: float
    workers: float


@contextmanager
def served(location: StoreLocation | None) -> Iterator[Served]:
    """The console over a seeded store, or over a small site, within the context."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(location, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join(60)


def _serve(location: StoreLocation | None, pipe: Connection) -> None:
    with tempfile.TemporaryDirectory() as directory:
        if location is None:
            with running_site(Path(directory)) as site:
                _answer(site, pipe, ("petstore",))
            return
        if isinstance(location, SqliteDirectory):
            # A copy: each run adds tokens.
            shutil.copytree(location.path, Path(directory, "store"))
            location = SqliteDirectory(Path(directory, "store"))
        with open_store(location) as store:
            tokens = Tokens(store.tokens)
            for one in tokens.all():
                if one.valid(tokens.clock()):
                    tokens.revoke(one.name)
        with open_store(location) as store, serving(store) as site:
            _answer(site, pipe, LIMIT)


def _answer(site: Site, pipe: Connection, limit: tuple[str, ...]) -> None:
    secret, limited = site.api.tokens.create("bench-limited", Role.EDITOR, apis=limit)
    secrets = {"admin": site.cookie(Role.ADMIN)["value"], "limited": site.sessions.open(limited)[0]}
    clients = {"admin": site.api.admin, "limited": site.api.client(secret)}
    first = {
        caller: client.get("/v1/refusals", params={"limit": 1}).json()["items"][0]["id"]
        for caller, client in clients.items()
    }
    clients["limited"].close()
    pipe.send(
        Served(
            os.getpid(), site.url, secrets, first, {"Authorization": site.api.admin.headers["Authorization"]}
        )
    )
    pipe.recv()


def pages(first_refusal: str, api_key: str) -> dict[str, str]:
    """The pages by name."""
    return {
        "overview": "/",
        "overview, 24 h": "/?period=24h",
        "overview, 7 d": "/?period=7d",
        "refusals": "/refusals",
        "refusals of an API": f"/refusals?q=api:{api_key.partition('/')[0]}",
        "refusals, searched": "/refusals?q=example.org",
        "a refusal": f"/refusals/{first_refusal}",
        "allow": f"/refusals/{first_refusal}/allow",
        "APIs": "/apis",
        "APIs, searched": "/apis?q=api-49",
        "an API": f"/apis/{api_key}",
        "applications": "/applications",
        "applications, searched": "/applications?q=app-01",
        "applications, matrix": "/applications?view=matrix",
        "import": "/import",
        "simulator": f"/simulator?api={api_key}&origin=https://x.example&method=PUT",
        "prove": "/prove?kind=regex&value=https://.*.example.com",
        "changes": "/changes",
        "a change": "/changes/1",
        "nodes": "/nodes",
        "settings": "/settings",
        "tokens": "/settings/tokens",
        "sessions": "/settings/sessions",
    }


def measure(console: Served, caller: str, api_key: str, rounds: int) -> dict[str, Times]:
    """The times of each page, after one that is not counted."""
    found = {}
    with console.client(caller) as client:
        for name, path in pages(console.first_refusal[caller], api_key).items():
            walls = []
            answer = client.get(path)
            start, workers = console.processor_ms(), console.workers_ms()
            for _ in range(rounds):
                began = time.perf_counter()
                answer = client.get(path)
                walls.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                print(f"{name}: {answer.status_code}")
                continue
            used, of_workers = console.processor_ms() - start, console.workers_ms() - workers
            found[name] = Times(sorted(walls), used / rounds, of_workers / rounds)
    return found


def first_after_change(console: Served, api_key: str) -> None:
    """Print how long the first pages take after a change, and how long the event loop was blocked."""
    with console.client("admin") as client:
        for name in ("overview", "refusals", "APIs", "applications"):
            path = pages(console.first_refusal["admin"], api_key)[name]
            change(console, api_key)
            stop, longest = threading.Event(), [0.0]
            watch = threading.Thread(target=_watch_loop, args=(console, stop, longest))
            watch.start()
            before, began = console.processor_ms(), time.perf_counter()
            assert client.get(path).status_code == 200
            wall = (time.perf_counter() - began) * 1000
            stop.set()
            watch.join()
            used = console.processor_ms() - before
            print(f"{name:<24} {wall:8.1f} {used:8.1f} {longest[0]:8.1f}")


def change(console: Served, api_key: str) -> None:
    """Add an origin to an API's policy."""
    with httpx.Client(base_url=console.url, headers=console.admin, timeout=60, trust_env=False) as client:
        path = f"/v1/apis/{api_key}/policy"
        body = client.get(path).json()
        body["allowed_origins"].append(f"https://n{time.time_ns()}.example")
        answer = client.put(path, json=body, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text


def _watch_loop(console: Served, stop: threading.Event, longest: list[float]) -> None:
    """Ask whether the process lives, again and again; note the longest response time in milliseconds."""
    with httpx.Client(base_url=console.url, timeout=60, trust_env=False) as client:
        while not stop.is_set():
            began = time.perf_counter()
            client.get("/live")
            longest[0] = max(longest[0], (time.perf_counter() - began) * 1000)
            time.sleep(0.002)


def show(caller: str, much: Mapping[str, Times], little: Mapping[str, Times]) -> None:
    """Print the table of one caller."""
    print(f"\n{caller:<24} {'median':>8} {'p95':>8} {'cpu':>8} {'workers':>8} {'small':>8} {'cpu':>8}")
    for name, times in much.items():
        middle, late, small = median(times.wall), quantiles(times.wall, n=20)[-1], little.get(name)
        compared = f"{median(small.wall):8.1f} {small.processor:8.1f}" if small else " " * 17
        over = "  over the aim" if times.processor >= AIM else ""
        print(
            f"{name:<24} {middle:8.1f} {late:8.1f} {times.processor:8.1f} {times.workers:8.1f} "
            f"{compared}{over}"
        )


@contextmanager
def large_store(kept: Path | None, *, postgresql: bool) -> Iterator[StoreLocation]:
    """A seeded store."""
    if postgresql:
        with running_server() as server:
            location = parse_location(server.url(server.new_database()))
            assert not isinstance(location, Diagnostic)
            with open_store(location) as store:
                seed(store)
            yield location
        return
    with tempfile.TemporaryDirectory() as directory:
        path = kept or Path(directory, "store")
        if not path.exists():
            with open_store(SqliteDirectory(path)) as store:
                seed(store)
        yield SqliteDirectory(path)


def main() -> None:
    """Print the times of each page, for both callers, then those of the first pages after a change."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, help="keep the seeded SQLite store there")
    parser.add_argument("--postgresql", action="store_true", help="use a PostgreSQL server of its own")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    print(description(), "load", *(f"{one:.1f}" for one in os.getloadavg()))
    with served(None) as console:
        little = {one: measure(console, one, "petstore/1.0", given.rounds) for one in console.secrets}
    began = time.perf_counter()
    with large_store(given.store, postgresql=given.postgresql) as location:
        print(f"seeded in {time.perf_counter() - began:.1f} s")
        with served(location) as console:
            for caller in console.secrets:
                show(caller, measure(console, caller, "api-4321/1", given.rounds), little[caller])
            print(f"\n{'first after a change':<24} {'wall':>8} {'cpu':>8} {'blocked':>8}")
            first_after_change(console, "api-4321/1")
            used = psutil.Process(console.pid).memory_info().rss / 2**20
            print(f"\nmemory of the serving process: {used:.0f} MiB")


if __name__ == "__main__":
    main()
