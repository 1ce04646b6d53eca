"""The health checks: an address of their own, bound at the start, answered as soon as clients are served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Final, Protocol

from crossgate.app.events import Emit, HealthListening, HealthUnavailable
from crossgate.app.health_state import HealthState
from crossgate.app.tasks import background_task
from crossgate.app.tcp_listener import HEALTH, SocketUse, bind_tcp
from crossgate.diagnostics import InvalidInput, Severity
from crossgate.net.address import HostPort

_LONG_START_SECONDS: Final = 5.0
"""A start that takes longer answers health checks before clients are served: it may wait for a control plane.
Until then nothing is loaded that clients would wait for; docs/explanation/performance.md, "start"."""


class Metrics(Protocol):
    """Renders the page of metrics; called in a thread."""

    def __call__(self, query: str, accept: str, accept_encoding: str, /) -> tuple[str, dict[str, str], bytes]:
        """Content type, further headers and body, for a query and two request headers.

        Raises:
            ValueError: the query has an invalid parameter.

        """


@dataclass(frozen=True, slots=True)
class HealthOptions:
    """Where health checks are answered."""

    address: HostPort
    host_names: tuple[str, ...] = ()
    required: bool = False
    """Whether the start fails if the address cannot be used."""


class Health:
    """The health checks of one process. Enter `serving` before what has to be stopped while they answer."""

    def __init__(
        self,
        options: HealthOptions | None,
        stop: asyncio.Event,
        emit: Emit,
        bind: Callable[[HostPort, SocketUse], socket.socket] = bind_tcp,
    ) -> None:
        """Bind the address; None: there are no health checks.

        Raises:
            InvalidInput: the address cannot be used, and is required.

        """
        self.state = HealthState(stop)
        self.metrics: Metrics | None = None
        """Set it when the page can be rendered; without it, there is none."""
        self._host_names = () if options is None else options.host_names
        self._emit = emit
        self._may_load = asyncio.Event()
        self._bind_socket = bind
        self._bound = None if options is None else self._bind(options)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer for as long as the context lasts, from `set_started` on, or after 5 s."""
        if self._bound is None:
            yield
            return
        with self._bound:
            async with background_task(self._serve(self._bound)):
                yield

    def set_started(self) -> None:
        """Clients are served."""
        self.state.set_started()
        self._may_load.set()

    def _bind(self, options: HealthOptions) -> socket.socket | None:
        try:
            return self._bind_socket(options.address, HEALTH)
        except InvalidInput as refused:
            if options.required:
                raise
            # The default address, which another gateway of this machine has, was not chosen.
            found = (replace(one, severity=Severity.WARNING) for one in refused.diagnostics)
            self._emit(HealthUnavailable(tuple(found)))
            return None

    async def _serve(self, bound: socket.socket) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONG_START_SECONDS):
                await self._may_load.wait()
        await asyncio.to_thread(import_module, "crossgate.app.health_server")
        from crossgate.app.health_server import serve_health

        async with serve_health(bound, self) as address:
            self._emit(HealthListening(f"http://{address}"))
            await asyncio.Event().wait()

    @property
    def host_names(self) -> tuple[str, ...]:
        """Names that are accepted as Host, besides localhost and addresses."""
        return self._host_names
