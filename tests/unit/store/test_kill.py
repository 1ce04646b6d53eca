"""``kill -9`` during changes: every revision is whole or absent, and no acknowledged one is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.catalogues import policy

from crossgate.service.catalogue_service import CatalogueService
from crossgate.store import PostgresqlUrl, StoreLocation, open_store

ROOT = Path(__file__).parents[3]
KILLED_AFTER = (40, 160)
"""How many changes are acknowledged before each kill; the process is then in the middle of another."""


def apply_until_killed(location: StoreLocation, acknowledged: int) -> int:
    """The number of the last acknowledged revision."""
    where = (
        location.url.set(drivername="postgresql").render_as_string()
        if isinstance(location, PostgresqlUrl)
        else str(location)
    )
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("change_until_killed.py"), where],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(acknowledged):
            assert process.stdout.readline()
        process.kill()
        return max(map(int, process.stdout.read().split()), default=0)


def test_killed_during_changes(location: StoreLocation) -> None:
    for applies in KILLED_AFTER:
        last = apply_until_killed(location, applies)
        with open_store(location) as store:
            head = store.catalogue.head
            # The last change may have been stored without an acknowledgement.
            assert last <= head.revision <= last + 1 or last == 0
            assert {one.cors for one in head.catalogue.apis.values()} == {
                policy(f"https://r{head.revision}.example")
            }
            assert len(head.catalogue.apis) == 3
    with open_store(location) as store:
        service = CatalogueService(store.catalogue)
        assert store.catalogue.head.revision >= sum(KILLED_AFTER)
        for number in range(1, store.catalogue.head.revision + 1):
            recorded = store.catalogue.revision(number)
            assert recorded is not None
            assert recorded.revision.author == f"r{number}"
            assert [one.key for one in recorded.difference] == ["a/1.0", "b/1.0", "c/1.0"]
        assert service.rollback(1, author="ann").changed
