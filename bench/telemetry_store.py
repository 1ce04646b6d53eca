"""Telemetry in the store: rows, bytes, the time of a batch, and what changes of the catalogue wait for it.

`python -m bench.telemetry_store [--database sqlite|postgresql]`

Seconds include the pauses between transactions. Times depend on other load; the processor time of this
process does less, and does not include PostgreSQL's own.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from bench.catalogues import reference_apis, reference_policy
from bench.machine import description
from sqlalchemy import func, select, text
from tests.postgresql import running_server
from tests.telemetry import HOUR, NOON, allowed, counted, group, group_key, let_in, refused

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutPolicy, ReplaceAll
from crossgate.service.refusals import GroupDelta, SeenIn
from crossgate.store import PostgresqlUrl, SqliteDirectory, Store, StoreLocation, open_store, parse_location
from crossgate.store.tables import allowed as allowed_table
from crossgate.store.tables import decisions, group_hours, groups, others, parts, series

COUNTERS = 60_000
GROUPS = 2_000
EDITS = 100
OUTCOMES = 12
_TABLES = (series, parts, decisions, groups, group_hours, others, allowed_table)
_SAMPLES = SeenIn("/a/b/*", ("Chrome", "Edge"), ("cross-site",), ("cors",), ("empty",))


def all_series() -> list[DecisionSeries]:
    keys = [f"api-{number}/1" for number in range(COUNTERS // OUTCOMES)]
    return [
        DecisionSeries(key, f"/gateway/{key}", "preflight", f"reason-{outcome}")
        for key in keys
        for outcome in range(OUTCOMES)
    ]


def some_groups(minute: int) -> list[GroupDelta]:
    """Groups of 400 APIs; most have some clients, a few have many."""
    at = NOON + timedelta(minutes=minute)
    return [
        group(
            group_key(f"https://{number}.example", f"api-{number % 400}/1"),
            3,
            at,
            range(number % 50),
            _SAMPLES,
        )
        for number in range(GROUPS)
    ]


def timed(what: str, call: Callable[[], object]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    call()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    print(f"  {what:<46} {took:6.2f} s, processor {used:5.2f} s", flush=True)


def batches(store: Store) -> None:
    telemetry, counters = store.telemetry, all_series()
    add = telemetry.add_telemetry
    timed(f"{COUNTERS:,} new counters", lambda: add(counted(dict.fromkeys(counters, 5))))
    timed(
        f"{COUNTERS:,} changed counters, in the next hour",
        lambda: add(counted(dict.fromkeys(counters, 9), hour=NOON + HOUR)),
    )
    timed("3,000 changed counters", lambda: add(counted(dict.fromkeys(counters[:3_000], 12))))
    timed("reading them at a start", lambda: telemetry.own_counters("a"))
    new, changed = some_groups(0), some_groups(1)
    timed(f"{GROUPS:,} new groups", lambda: telemetry.add_telemetry(refused(*new)))
    timed(f"{GROUPS:,} changed groups", lambda: telemetry.add_telemetry(refused(*changed)))
    timed("reading them", telemetry.refusals)
    for minute in (2, 3):
        at = NOON + timedelta(minutes=minute)
        flood = [
            group(group_key(f"https://{number}-{minute}.example", "api-0/1"), 3, at)
            for number in range(GROUPS)
        ]
        timed(f"flood: {GROUPS:,} groups of one API", partial(telemetry.add_telemetry, refused(*flood)))
    origins = [allowed(f"https://{number}.example", api=f"api-{number % 50}/1") for number in range(500)]
    timed("500 allowed origins", lambda: telemetry.add_telemetry(let_in(*origins)))


def sizes(store: Store, *, postgresql: bool) -> None:
    with_indexes = "SELECT name FROM sqlite_schema WHERE tbl_name = :name"
    of_table = f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({with_indexes})"  # noqa: S608 - constant
    if postgresql:
        of_table = "SELECT pg_total_relation_size(:name)"
    with store.catalogue.reading() as connection:
        for table in _TABLES:
            rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
            size = connection.execute(text(of_table), {"name": table.name}).scalar_one()
            print(f"  {table.name:<18} {rows:8,} rows {size:12,} bytes {size / max(rows, 1):8.0f} a row")


def edits(store: Store) -> str:
    """The time of changes of one API after another, each with a transaction of its own."""
    service, taken = CatalogueService(store.catalogue), []
    for number, key in enumerate(list(store.catalogue.head.catalogue.apis)[:EDITS]):
        began = time.perf_counter()
        service.change([PutPolicy(key, reference_policy(number, time.time_ns() % 10_000))], author="bench")
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    return f"{median(taken):5.1f} ms (90 %: {quantiles(taken, n=10)[-1]:.1f} ms)"


@contextmanager
def repeated(call: Callable[[int], object]) -> Iterator[None]:
    """Call it again and again in another thread."""
    stop = threading.Event()

    def run() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            call(number)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def meanwhile(store: Store) -> None:
    """Changes of the catalogue alone, and while telemetry is written without an end."""
    apis = {one.key: one for one in reference_apis(300, 9)}
    catalogue = replace(store.catalogue.head.catalogue, apis=apis)
    CatalogueService(store.catalogue).change([ReplaceAll(catalogue)], author="bench")
    counters, changed = all_series(), some_groups(1)
    add = store.telemetry.add_telemetry
    edits(store)
    print(f"  a change alone                        {edits(store)}")
    with repeated(lambda number: add(counted(dict.fromkeys(counters, 12 + number)))):
        print(f"  a change while counters are written   {edits(store)}")
    with repeated(lambda _: add(refused(*changed))):
        print(f"  a change while groups are written     {edits(store)}")
    print(f"  a change alone, again                 {edits(store)}")


def measure(name: str, location: StoreLocation) -> None:
    print(name)
    with open_store(location) as store:
        batches(store)
        sizes(store, postgresql=not isinstance(location, SqliteDirectory))
        meanwhile(store)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure telemetry in the store")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    wanted = parser.parse_args().database
    print(description())
    if wanted != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            measure("SQLite", SqliteDirectory(Path(folder) / "data"))
    if wanted != "sqlite":
        with running_server() as server:
            location = parse_location(server.url(server.new_database()))
            assert isinstance(location, PostgresqlUrl)
            measure("PostgreSQL, on the same machine, without fsync", location)


if __name__ == "__main__":
    main()
