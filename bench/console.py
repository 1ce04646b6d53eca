"""Server time of each page of the console with much data, and with little: `python -m bench.console`.

Aim: under 100 ms at the median for each page with 5,000 APIs, 20,000 applications and 10,000 groups of
refusals.
The second column is the same page over a small site in the same run: what is left is the page itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import httpx
from bench.machine import description
from tests.catalogues import api, application, catalogue, policy
from tests.console_site import Site, running_site, serving
from tests.telemetry import counted, group, group_key, let_in, refused

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.permission import Role
from crossgate.service.refusals import AllowedDelta, AllowedKey, GroupDelta, SeenIn
from crossgate.store import SqliteDirectory, Store, open_store

APIS, APPLICATIONS, GROUPS, ALLOWED = 5_000, 20_000, 10_000, 20_000
ROUNDS = 15
AIM = 100.0
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


@contextmanager
def large_site(directory: Path) -> Iterator[Site]:
    """A console over the seeded store."""
    with open_store(SqliteDirectory(directory)) as store:
        seed(store)
        with serving(store) as site:
            yield site


def pages(client: httpx.Client, api_key: str) -> dict[str, str]:
    """The pages by name; a refusal is the first of the list."""
    first = client.get("/v1/refusals", params={"limit": 1}).json()["items"][0]["id"]
    return {
        "overview": "/",
        "overview, 24 h": "/?period=24h",
        "refusals": "/refusals",
        "refusals of an API": f"/refusals?q=api:{api_key.partition('/')[0]}",
        "a refusal": f"/refusals/{first}",
        "allow": f"/refusals/{first}/allow",
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
    }


def measure(site: Site, api_key: str) -> dict[str, list[float]]:
    """Milliseconds of each page, sorted, after one that is not counted."""
    client = site.client(Role.ADMIN)
    found = {}
    for name, path in pages(site.api.admin, api_key).items():
        times = []
        for _ in range(ROUNDS + 1):
            began = time.perf_counter()
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code)
            times.append((time.perf_counter() - began) * 1000)
        found[name] = sorted(times[1:])
    return found


def main() -> None:
    """Print median and 95th percentile of each page, and its ratio to the small site."""
    print(description())
    with tempfile.TemporaryDirectory() as small, running_site(Path(small)) as site:
        little = measure(site, "petstore/1.0")
    with tempfile.TemporaryDirectory() as large, large_site(Path(large)) as site:
        much = measure(site, "api-4321/1")
    print(f"{'page':<24} {'median':>8} {'p95':>8} {'small':>8} {'ratio':>6}")
    for name, times in much.items():
        middle, small_middle = median(times), median(little[name])
        late = quantiles(times, n=20)[-1]
        over = "  over the aim" if middle >= AIM else ""
        print(f"{name:<24} {middle:8.1f} {late:8.1f} {small_middle:8.1f} {middle / small_middle:6.1f}{over}")


if __name__ == "__main__":
    main()
