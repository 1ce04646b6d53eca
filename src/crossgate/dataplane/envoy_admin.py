"""A client for Envoy's admin interface, over its unix socket.

The start polls readiness only, without httpx: loading httpx takes a tenth of a second, which the start would
wait for (docs/explanation/performance.md, "start to serving"; bench/propagation.py). The other calls load it.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    import httpx

_POLL_SECONDS: Final = 0.03
_READY: Final = b"GET /ready HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n"
_OK: Final = b"HTTP/1.1 200 "
# Without the listener of this interface, which counts the request that reads the statistics.
_ACTIVE_REQUESTS: Final = re.compile(r"http\.(?!admin\.).*\.downstream_rq_active")


class EnvoyAdmin:
    """One Envoy's admin interface.

    Single requests, except ``ready``, raise httpx.TransportError if Envoy does not answer.
    """

    def __init__(self, socket: Path, *, timeout: float = 5.0) -> None:
        self._socket = socket
        self._timeout = timeout

    async def ready(self) -> bool:
        """Whether Envoy serves: it has its first configuration and is not draining."""
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
                try:
                    writer.write(_READY)
                    return (await reader.readline()).startswith(_OK)
                finally:
                    writer.close()
        except OSError:  # a TimeoutError, too
            return False

    async def wait_until_ready(self) -> None:
        """Return when Envoy serves; polls, also while Envoy does not answer."""
        while True:
            if await self.ready():
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def drain(self) -> None:
        """Begin to drain, and return when no request is in progress; retries while Envoy does not answer."""
        import httpx

        begun = False
        while True:
            with suppress(httpx.HTTPError):
                if not begun:
                    await self.begin_drain()
                    begun = True
                if await self.active_requests() == 0:
                    return
            await asyncio.sleep(_POLL_SECONDS)

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges by name; ``pattern`` is a regular expression that occurs in their names."""
        answer = await self._get("/stats", filter=pattern, format="json")
        # The same list holds histograms and strings, in other formats.
        found = (stat for stat in answer.json()["stats"] if isinstance(stat.get("value"), int))
        return {stat["name"]: stat["value"] for stat in found}

    async def active_requests(self) -> int:
        """The number of clients' requests in progress."""
        found = await self.stats(r"downstream_rq_active$")
        return sum(value for name, value in found.items() if _ACTIVE_REQUESTS.fullmatch(name))

    async def begin_drain(self) -> None:
        """Stop accepting connections, and close each open one with its next response."""
        # In this order: responses carry `Connection: close` (or GOAWAY) because the health check fails, and a
        # client that got one must not connect again. `drain_listeners?graceful` goes on accepting, so under
        # load it would never end. Internal listeners stay open for the requests in progress.
        for path in ("/healthcheck/fail", "/drain_listeners"):
            (await self._client.post(path)).raise_for_status()

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
