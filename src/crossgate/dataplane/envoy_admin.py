"""Envoy's admin interface, over its unix socket.

httpx is loaded with the first question but the one that a start has: it takes a tenth of a second, in which
Envoy would have nothing to do.
"""

from __future__ import annotations

import asyncio
import re
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import httpx

_READY: Final = b"GET /ready HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n"
_OK: Final = b"HTTP/1.1 200 "
# Envoy's own listener for this interface is left out: it counts the very request that asks.
_ACTIVE_REQUESTS: Final = re.compile(r"http\.(?!admin\.).*\.downstream_rq_active")


class EnvoyAdmin:
    """Asks one Envoy. Every method but ``ready`` raises httpx.TransportError while nobody answers there."""

    def __init__(self, socket: Path, *, timeout: float = 5.0) -> None:
        self._socket = socket
        self._timeout = timeout

    async def ready(self) -> bool:
        """Whether Envoy serves: its first configuration is in, and it is not draining."""
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

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name the regular expression ``pattern`` finds, by name."""
        answer = await self._get("/stats", filter=pattern, format="json")
        # Histograms and texts are in the same list, in forms of their own.
        found = (stat for stat in answer.json()["stats"] if isinstance(stat.get("value"), int))
        return {stat["name"]: stat["value"] for stat in found}

    async def active_requests(self) -> int:
        """The requests of clients that are being answered now."""
        found = await self.stats(r"downstream_rq_active$")
        return sum(value for name, value in found.items() if _ACTIVE_REQUESTS.fullmatch(name))

    async def config_dump(self, *, resource: str | None = None) -> dict[str, Any]:
        """What Envoy runs with, as its JSON; ``resource`` picks one field, such as ``dynamic_listeners``."""
        answer = await self._get("/config_dump", **({} if resource is None else {"resource": resource}))
        return dict(answer.json())

    async def begin_drain(self) -> None:
        """Accept no connection any more; end those that there are with their next response."""
        # In this order: responses say `Connection: close` (or GOAWAY) because the health check fails,
        # and a client that was told so must not get in again. `drain_listeners?graceful` goes on
        # accepting, so under load there would be no end. Listeners inside Envoy stay open: whoever is in
        # already can still get through them.
        for path in ("/healthcheck/fail", "/drain_listeners"):
            (await self._client.post(path)).raise_for_status()

    async def close(self) -> None:
        """Let go of the socket."""
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

        # No connection is kept: the next request may meet another Envoy, after a restart.
        transport = httpx.AsyncHTTPTransport(
            uds=str(self._socket), limits=httpx.Limits(max_keepalive_connections=0)
        )
        return httpx.AsyncClient(transport=transport, base_url="http://envoy", timeout=self._timeout)

    async def _get(self, path: str, **query: str) -> httpx.Response:
        return (await self._client.get(path, params=query)).raise_for_status()
