"""Pages and filters of the admin API over 100,000 applications: `python -m bench.admin_pages`.

Aims: a page within 500 ms, and the last page within three times the first one.
"""

from __future__ import annotations

import time
from statistics import median

import httpx
from tests.admin_api import running_admin_api
from tests.catalogues import api, application, catalogue

from crossgate.admin.paging import cursor_after
from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore

APPLICATIONS = 100_000
APIS = 500
ROUNDS = 9

QUERIES: dict[str, dict[str, str]] = {
    "first page": {"limit": "500"},
    "last page": {"limit": "500", "cursor": cursor_after(f"app-{APPLICATIONS - 500:06}")},
    "one name": {"name": f"{APPLICATIONS - 1:06}"},
    "one origin": {"origin": f"https://a{APPLICATIONS - 1}.example"},
    "one API": {"api": f"api-{APIS - 1}/1"},
    "no match": {"suspended": "true"},
}


def _milliseconds(client: httpx.Client, query: dict[str, str]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        client.get("/v1/applications", params=query).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def main() -> None:
    """Print the median of each query."""
    applications = [
        application(f"app-{number:06}", f"https://a{number}.example", apis=[f"api-{number % APIS}/1"])
        for number in range(APPLICATIONS)
    ]
    apis = [api(f"api-{number}", version="1") for number in range(APIS)]
    store = FileStore("bench", catalogue(apis, applications))
    with running_admin_api(store, InMemoryTokenStore()) as running:
        running.viewer.get("/v1/applications", params={"limit": 1}).raise_for_status()
        for name, query in QUERIES.items():
            print(f"{name:>12} {_milliseconds(running.viewer, query):7.1f} ms")


if __name__ == "__main__":
    main()
