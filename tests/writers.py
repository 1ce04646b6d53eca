"""Concurrent read-modify-write cycles on one object over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

WRITERS = 8


def write_at_once(clients: Sequence[httpx.Client], path: str, writes: int) -> tuple[list[str], int]:
    """Let eight writers, spread over the clients, add ``writes`` origins each to the application.

    Returns the sorted origins, and how often a writer had to repeat a cycle because of 412. Any other
    response fails the test.
    """

    def write(writer: int) -> int:
        client, conflicts = clients[writer % len(clients)], 0
        for number in range(writes):
            while not _add(client, path, f"https://w{writer}-{number}.example"):
                conflicts += 1
        return conflicts

    with ThreadPoolExecutor(WRITERS) as pool:
        conflicts = sum(pool.map(write, range(WRITERS)))
    expected = [
        f"https://w{writer}-{number}.example" for writer in range(WRITERS) for number in range(writes)
    ]
    return sorted(expected), conflicts


def origins_of(client: httpx.Client, path: str) -> list[str]:
    """The application's current origins, sorted, duplicates included."""
    return sorted(client.get(path).json()["javascript_origins"])


def _add(client: httpx.Client, path: str, origin: str) -> bool:
    seen = client.get(path)
    assert seen.status_code == 200, seen.text
    body = seen.json()
    body["javascript_origins"] = [*body.get("javascript_origins", []), origin]
    answer = client.put(path, json=body, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code in (200, 412), answer.text
    return answer.status_code == 200
