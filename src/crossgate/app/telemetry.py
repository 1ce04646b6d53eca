"""Telemetry at work: a thread that stores what the collector has, for as long as the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.service.log import Log
from crossgate.telemetry.collector import STORE_SECONDS, Collector

_LOG: Final = Log("telemetry")
_START_SECONDS: Final = 0.1
"""How long a gateway that serves waits at most for the first store: until then, clients are not counted."""


async def keep_storing(collector: Collector, catalogue: Callable[[], Catalogue]) -> None:
    """Store telemetry until cancelled, and once more then; ``catalogue`` returns the newest one.

    It begins when the collector has a store. Start it before Envoy, whose last report comes when it stops.
    """
    configured: Catalogue | None = None
    try:
        while True:
            if collector.store is None:
                await asyncio.sleep(_START_SECONDS)
                continue
            newest = catalogue()
            if newest is not configured:
                configured = newest
                collector.configure(newest.gateway.telemetry, newest.apis.keys())
            await asyncio.to_thread(_store, collector)
            await asyncio.sleep(STORE_SECONDS)
    finally:
        await asyncio.to_thread(_store, collector, last=True)


def _store(collector: Collector, *, last: bool = False) -> None:
    """Store what is new. Whatever the fault, telemetry must not end the gateway."""
    try:
        stored = collector.store_now(last=last)
    except Exception:  # noqa: BLE001 - it is logged
        _LOG.exception("telemetry was not stored")
        stored = False
    if last and not stored:
        _LOG.warning("the process ends with telemetry that is not stored: it is lost")
