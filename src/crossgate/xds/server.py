"""The gRPC shell of the control plane: incremental ADS, and nothing but reading, writing and noting.

`crossgate.xds.stream` decides what is said. Backpressure comes with it: a stream has at most one unanswered
response per type, so a slow node holds up nobody and costs a bounded queue.

Public: `ControlPlane`; use it as ``async with``. Everything runs on one event loop.
"""

from __future__ import annotations

import asyncio
from typing import Any as Message
from typing import NoReturn, Self

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc

from crossgate.net.address import Address
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Ledger, Session
from crossgate.xds.listening import bind
from crossgate.xds.messages import DiscoveryResponse, Effect
from crossgate.xds.stream import Stream
from crossgate.xds.wire import request_of, response_of

MOST_TYPES = 32
"""Resource types that one stream may subscribe to; Envoy has fewer."""
LONGEST_NODE_ID = 256
OPTIONS = (
    # Without this, two control planes would share a TCP port and each serve half of the nodes.
    ("grpc.so_reuseport", 0),
    # A reconnecting node lists every resource that it holds.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # Notices within 20 s that a remote node is gone.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Remote nodes ping every 30 s; by default gRPC hangs up on who pings more often than every 5 minutes.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class ControlPlane:
    """Serves ``cache`` to the nodes that connect to ``address``, and keeps the ledger of what they answer."""

    def __init__(self, address: Address, cache: Cache | None = None, ledger: Ledger | None = None) -> None:
        self.cache = Cache() if cache is None else cache
        self.ledger = Ledger(self.cache) if ledger is None else ledger
        self.address = address
        """Where nodes connect; complete once it is started."""
        self._server: grpc.aio.Server | None = None
        self._answers = False

    def listen(self) -> None:
        """Take the address; nodes can connect, and are answered from ``start`` on.

        Raises `crossgate.diagnostics.InvalidInput` if the address cannot be used.
        """
        server = grpc.aio.server(options=OPTIONS)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(
            _Discovery(self.cache, self.ledger), server
        )
        self.address = bind(server, self.address)
        self._server = server

    async def start(self) -> None:
        """Answer nodes, once it listens; raises as ``listen`` does."""
        if self._server is None:
            self.listen()
        if self._server is not None and not self._answers:
            self._answers = True
            await self._server.start()

    async def stop(self) -> None:
        """End every stream and stop listening; nodes keep what they have and try to reconnect."""
        if self._server is not None:
            # gRPC does not let go of the address of a server that never was started.
            await self.start()
            await self._server.stop(grace=None)
            self._server = None
            self._answers = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class _Discovery:
    """The methods of AggregatedDiscoveryService, by the names that gRPC looks for."""

    def __init__(self, cache: Cache, ledger: Ledger) -> None:
        self._cache = cache
        self._ledger = ledger

    async def StreamAggregatedResources(  # noqa: N802 - the service names it
        self, _requests: Message, context: grpc.aio.ServicerContext
    ) -> NoReturn:
        """State of the world: one change would send everything again."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "Crossgate speaks incremental xDS only: set ads_config.api_type to DELTA_GRPC",
        )
        raise AssertionError("abort raises")

    async def DeltaAggregatedResources(  # noqa: N802 - the service names it
        self, requests: Message, context: grpc.aio.ServicerContext
    ) -> None:
        """One node's stream, from its first request to its end."""
        first = await anext(aiter(requests), None)
        if first is None:
            return
        node = first.node.id
        if not node or len(node) > LONGEST_NODE_ID:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"The first request must name its node: set node.id, at most {LONGEST_NODE_ID} characters",
            )
        connection = _Connection(self._cache, self._ledger, self._ledger.connect(node))
        stop_watching = self._cache.watch(connection.changed)
        writer = asyncio.create_task(connection.write_to(context))
        try:
            await connection.read(first, context)
            async for request in requests:
                await connection.read(request, context)
        finally:
            stop_watching()
            self._ledger.disconnect(connection.session)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


class _Connection:
    """Performs the effects of one stream."""

    def __init__(self, cache: Cache, ledger: Ledger, session: Session) -> None:
        self.session = session
        self._ledger = ledger
        self._stream = Stream(cache)
        self._types: set[str] = set()
        self._outbox: asyncio.Queue[DiscoveryResponse] = asyncio.Queue()

    async def read(self, message: Message, context: grpc.aio.ServicerContext) -> None:
        """Hear one request."""
        request = request_of(message)
        self._types.add(request.type_url)
        if not request.type_url or len(self._types) > MOST_TYPES:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Each request must name its type_url, and at most {MOST_TYPES} different ones in all",
            )
        self._perform(self._stream.receive(request))

    def changed(self, keys: tuple[tuple[str, str], ...]) -> None:
        """Hear that wanted resources changed."""
        self._perform(self._stream.changed(keys))

    async def write_to(self, context: grpc.aio.ServicerContext) -> None:
        """Write what there is to say, until the stream ends."""
        while True:
            send = await self._outbox.get()
            await context.write(response_of(send))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, DiscoveryResponse):
                self._outbox.put_nowait(effect)
            self._ledger.record(self.session, effect)
