"""Whether this machine serves clients with a settled configuration: what `/ready` answers.

What does not keep the last good configuration from being served is a warning: if the store's database failed,
all gateways of a fleet would become unready at once, and a load balancer would send requests to none of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.dataplane.process import Envoy
from crossgate.xds.node_progress import NodeProgress

SETTLE_SECONDS: Final = 1.0
"""How long a node may take for a change before it counts as unsettled; usually it takes 2 ms."""
_TURN_SECONDS: Final = 0.1
_ENVOY_TURNS: Final = 20
"""For Envoy to say at which addresses it listens: 2 s."""
_REMEMBER_SECONDS: Final = 0.5
"""Many requests cause no more than two questions to Envoy in a second."""


@dataclass(frozen=True, slots=True)
class HealthReason:
    """Why the machine is not ready, or a warning."""

    code: str
    message: str


NOT_READY: Final = HealthReason("envoy-not-ready", "Envoy starts, restarts or drains")


class HealthCheck(Protocol):
    """One part of the answer."""

    async def reasons(self) -> Sequence[HealthReason]:
        """Why not; empty if nothing prevents it."""


class HealthState:
    """Collects the reasons. At first the machine is starting."""

    def __init__(self, stop: asyncio.Event) -> None:
        """``stop`` is set when the machine begins to drain."""
        self.checks: list[HealthCheck] = []
        self.warnings: list[Callable[[], HealthReason | None]] = []
        self._stop = stop
        self._started = False

    def set_started(self) -> None:
        """Clients are served."""
        self._started = True

    async def reasons(self) -> list[HealthReason]:
        """Why the machine is not ready; empty if it is."""
        found = [HealthReason("starting", "the start is not over")]
        if self._started:
            found = [reason for check in self.checks for reason in await check.reasons()]
        # Last: it may have begun to stop meanwhile.
        if self._stop.is_set():
            return [HealthReason("stopping", "the process stops: requests in progress are finished")]
        return found

    def current_warnings(self) -> list[HealthReason]:
        """What somebody should look at, and what does not keep clients from being served."""
        return [reason for warning in self.warnings if (reason := warning()) is not None]


class EnvoyListens:
    """Checks that Envoy runs, answers, and listens for clients."""

    def __init__(self, envoy: Envoy) -> None:
        self._envoy = envoy
        self._lock = asyncio.Lock()
        self._found: list[HealthReason] = []
        self._asked = float("-inf")

    async def reasons(self) -> Sequence[HealthReason]:
        """Why no client is served."""
        async with self._lock:
            if not self._envoy.serves:
                # The next one may listen at other addresses.
                self._asked = float("-inf")
            elif time.monotonic() - self._asked >= _REMEMBER_SECONDS:
                self._found = await self._ask()
                self._asked = time.monotonic()
        # It may have ended meanwhile.
        return self._found if self._envoy.serves else [NOT_READY]

    async def _ask(self) -> list[HealthReason]:
        # Loaded before the time counts: at the end of a start, much else is loaded.
        await asyncio.to_thread(import_module, "httpx")
        asking = asyncio.create_task(self._envoy.admin.listeners())
        # In turns: while this process was busy itself, Envoy may have answered.
        try:
            for _ in range(_ENVOY_TURNS):
                if not asking.done():
                    await asyncio.wait({asking}, timeout=_TURN_SECONDS)
            listeners = asking.result() if asking.done() else None
        finally:
            asking.cancel()
        if listeners is None:
            return [HealthReason("envoy-unresponsive", "Envoy does not answer its admin interface")]
        if CLIENT_LISTENER[1] not in listeners:
            return [HealthReason("listener-missing", "Envoy has no listener for clients: it rejected it")]
        return []


class NodeSettled:
    """Checks that the node of this machine has applied or rejected the newest revision."""

    def __init__(self, progress: NodeProgress) -> None:
        self._progress = progress

    async def reasons(self) -> Sequence[HealthReason]:
        """Why the configuration is not settled."""
        since = self._progress.undecided_since()
        if since is None or time.monotonic() - since < SETTLE_SECONDS:
            return []
        return [HealthReason("revision-undecided", "the node has not decided on the newest revision")]

    def warning(self) -> HealthReason | None:
        """What the node rejects."""
        count = self._progress.rejections()
        if not count:
            return None
        return HealthReason(
            "resources-rejected", f"the node rejects {count} resources: see `crossgate nodes`"
        )
