"""Telemetry is stored until the gateway ends, and what is lost then is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest
from tests.unit.telemetry.samples import sample

from crossgate.app.tasks import background_task
from crossgate.app.telemetry import keep_storing
from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import StoreUnavailable
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.telemetry.collector import Collector


class _Failing(InMemoryTelemetryStore):
    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    def add_telemetry(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        if self.error is not None:
            raise self.error
        return super().add_telemetry(batch)


def _run_to_the_end(store: InMemoryTelemetryStore, origins: int = 1) -> None:
    collector = Collector("one")

    async def gateway() -> None:
        async with background_task(keep_storing(collector, Catalogue)):
            # Once it runs, before it finds that there is a store: only the last store has anything to do.
            await asyncio.sleep(0)
            collector.sampled([sample(origin=f"https://{number}.example") for number in range(origins)])
            collector.store = store

    asyncio.run(gateway())


def test_the_last_reports_are_stored(caplog: pytest.LogCaptureFixture) -> None:
    store = _Failing(None)
    _run_to_the_end(store)
    assert len(store.refusals()) == 1
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_groups_that_wait_for_a_place_are_stored_as_others() -> None:
    store = _Failing(None)
    _run_to_the_end(store, origins=200)
    others = sum(other.count for other in store.other_refusals())
    assert others > 0
    assert len(store.refusals()) + others == 200


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the disk is full", "Free space"), RuntimeError("a fault")]
)
def test_reports_that_cannot_be_stored_at_the_end_are_logged_as_lost(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    _run_to_the_end(_Failing(error))
    assert "the process ends with telemetry that is not stored: it is lost" in caplog.messages
