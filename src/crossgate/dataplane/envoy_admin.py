"""A client for Envoy's admin interface, over its unix socket.

What a start and a serving Envoy need, readiness and the flush of statistics, works without httpx: loading it
takes a tenth of a second, which the start would wait for (docs/explanation/performance.md, "start to
serving"; bench/propagation.py). The other calls load it.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from crossgate.net.address import HostPort

if TYPE_CHECKING:
    import httpx

_POLL_SECONDS: Final = 0.03
_CONNECTIONS_POLL_SECONDS: Final = 0.2
"""Nobody waits for the end of it."""
_POLL_RATIO: Final = 9.0
_SHORTEST_TRANSFER: Final = 0.03
_TRANSFER_RATIO: Final = 5.0
_GET: Final = b"GET %b HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n"
_READY: Final = b"/ready"
# Every request for statistics makes Envoy report them. The filter, which is `^$`, keeps the answer empty.
_FLUSH: Final = b"/stats?filter=%5E%24"
_OK: Final = b"HTTP/1.1 200 "
# Without the listener of this interface, which counts the request that reads the statistics.
_ACTIVE_REQUESTS: Final = re.compile(r"http\.(?!admin\.).*\.downstream_rq_active")
# Those of a listener's threads are in it, too: `listener.ADDRESS.worker_0.downstream_cx_active`.
_OPEN_CONNECTIONS: Final = re.compile(
    r"listener\.(?!admin\.|envoy_internal)(?!.*\.worker_\d+\.).*\.downstream_cx_active"
)


@dataclass(frozen=True, slots=True)
class ListenerRefusal:
    """Envoy's reason for rejecting a listener, and the address that it should have had."""

    reason: str
    listen: HostPort


class EnvoyAdmin:
    """One Envoy's admin interface.

    Single requests, except ``ready``, raise httpx.TransportError if Envoy does not answer.
    """

    def __init__(self, socket: Path, *, timeout: float = 5.0) -> None:
        self._socket = socket
        self._timeout = timeout

    async def ready(self) -> bool:
        """Whether Envoy serves: it has its first configuration and is not draining."""
        return await self._is_ok(_READY)

    async def wait_until_ready(self) -> None:
        """Return when Envoy serves; polls, also while Envoy does not answer."""
        while True:
            if await self.ready():
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def drain(self, *, connections: bool = False) -> None:
        """Begin to drain, and return when no request is in progress; retries while Envoy does not answer.

        With ``connections``, none is open, either: a request that Envoy has not read yet is not in progress.
        """
        import httpx

        begun = False
        while True:
            begin = monotonic()
            with suppress(httpx.HTTPError):
                if not begun:
                    await self.begin_drain()
                    begun = True
                busy = self.open_connections() if connections else self.active_requests()
                if await busy == 0:
                    return
            # Each poll also reports all statistics, which can take Envoy's main thread a tenth of a second.
            shortest = _CONNECTIONS_POLL_SECONDS if connections else _POLL_SECONDS
            await asyncio.sleep(max(shortest, _POLL_RATIO * (monotonic() - begin)))

    async def flush(self) -> bool:
        """Have Envoy report all statistics to its control plane; returns whether it did.

        When this returns, they are on their way.
        """
        return await self._is_ok(_FLUSH)

    async def flush_and_wait(self) -> None:
        """Have Envoy report all statistics, and return when they had the time to arrive.

        Envoy does not say when they did. The transfer took up to 5 times as long as the flush itself, during
        which Envoy joins and encodes them: 0.5 s after 0.1 s with 60,000 counters.
        """
        begun = monotonic()
        if await self.flush():
            await asyncio.sleep(_SHORTEST_TRANSFER + _TRANSFER_RATIO * (monotonic() - begun))

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges by name; ``pattern`` is a regular expression that occurs in their names."""
        answer = await self._get("/stats", filter=pattern, format="json")
        # The same list holds histograms and strings, in other formats.
        found = (stat for stat in answer.json()["stats"] if isinstance(stat.get("value"), int))
        return {stat["name"]: stat["value"] for stat in found}

    async def listeners(self) -> set[str] | None:
        """The names of the listeners that are active; None if Envoy does not answer."""
        await asyncio.to_thread(import_module, "httpx")
        import httpx

        try:
            answer = await self._get("/listeners", format="json")
        except httpx.HTTPError:
            return None
        return {status["name"] for status in answer.json().get("listener_statuses", ())}

    async def listener_refusal(self, name: str) -> ListenerRefusal | None:
        """Why Envoy rejected the newest version of a listener; None if it did not, or does not answer."""
        await asyncio.to_thread(import_module, "httpx")
        import httpx

        try:
            answer = await self._get("/config_dump", resource="dynamic_listeners")
        except httpx.HTTPError:
            return None
        for one in answer.json().get("configs", ()):
            if one.get("name") == name and "error_state" in one:
                error = one["error_state"]
                address = error.get("failed_configuration", {}).get("address", {}).get("socket_address", {})
                listen = HostPort(str(address.get("address", "")), int(address.get("port_value", 0)))
                return ListenerRefusal(str(error.get("details", "")), listen)
        return None

    async def active_requests(self) -> int:
        """The number of clients' requests in progress."""
        found = await self.stats(r"downstream_rq_active$")
        return sum(value for name, value in found.items() if _ACTIVE_REQUESTS.fullmatch(name))

    async def open_connections(self) -> int:
        """The number of clients' connections."""
        found = await self.stats(r"^listener\..*\.downstream_cx_active$")
        return sum(value for name, value in found.items() if _OPEN_CONNECTIONS.fullmatch(name))

    async def begin_drain(self) -> None:
        """Stop accepting connections, and close each open one with its next response."""
        # In this order: responses carry `Connection: close` (or GOAWAY) because the health check fails, and a
        # client that got one must not connect again. `drain_listeners?graceful` goes on accepting, so under
        # load it would never end. Internal listeners stay open for the requests in progress.
        for path in ("/healthcheck/fail", "/drain_listeners"):
            (await self._client.post(path)).raise_for_status()

    async def _is_ok(self, target: bytes) -> bool:
        """Whether Envoy answers a request with 200; without loading an HTTP client."""
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
                try:
                    writer.write(_GET % target)
                    return (await reader.readline()).startswith(_OK)
                finally:
                    writer.close()
        except OSError:  # a TimeoutError, too
            return False

    async def close(self) -> None:
        """Close the HTTP client."""
        if "_client" in self.__dict__:
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        import httpx

        # No keep-alive: after a restart, the next request goes to another Envoy.
        transport = httpx.AsyncHTTPTransport(
            uds=str(self._socket), limits=httpx.Limits(max_keepalive_connections=0)
        )
        return httpx.AsyncClient(transport=transport, base_url="http://envoy", timeout=self._timeout)

    async def _get(self, path: str, **query: str) -> httpx.Response:
        return (await self._client.get(path, params=query)).raise_for_status()
