"""The gRPC shell of the control plane: binds its address, reads requests, writes responses, fills the ledger.

`crossgate.xds.stream` decides what is sent, with at most one unanswered response per type: a slow node delays
no other and costs a bounded queue. Everything runs on one event loop.

A client that connects can read the whole configuration, so a socket file is for its owner only, or for the
owner's group if the operator says so.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any as Message
from typing import Final, NoReturn, Self

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc

from crossgate.compiler.resource import ResourceKey
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import Address, HostPort, SocketMode, UnixSocket
from crossgate.service.stoppable import Stoppable
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Connection, Ledger
from crossgate.xds.messages import DiscoveryResponse, Effect
from crossgate.xds.replaced_node import ReplacedNode
from crossgate.xds.stream import Stream
from crossgate.xds.wire import request_of, response_of

MOST_TYPES: Final = 32
"""Resource types that one stream may subscribe to; Envoy has fewer."""
LONGEST_NODE_ID: Final = 256
_GRACE_SECONDS: Final = 0.2
"""For the ends of streams to be sent."""
_INCARNATION: Final = "incarnation"
"""Key of the node's metadata; `crossgate.dataplane.bootstrap` sets it."""
OPTIONS: Final = (
    # Without this, two control planes would share a TCP port and each serve half of the nodes.
    ("grpc.so_reuseport", 0),
    # A reconnecting node lists every resource that it holds.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A dead connection is noticed within 20 s.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Nodes on TCP ping every 30 s; by default gRPC ends connections that ping more than once in 5 minutes.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class ControlPlane:
    """Serves its ``cache`` to the nodes that connect to ``address``, and records their answers in ``ledger``.

    ``services`` are further gRPC services of the same server, whose streams ``streams`` runs, too. Use it as
    ``async with``.
    """

    def __init__(
        self,
        address: Address,
        services: Sequence[grpc.GenericRpcHandler] = (),
        socket_mode: SocketMode = SocketMode.OWNER,
        streams: Stoppable | None = None,
    ) -> None:
        self.cache = Cache()
        self.ledger = Ledger(self.cache)
        self.address = address
        """Where nodes connect; once it listens, with the port that was chosen for port 0."""
        self._services = tuple(services)
        self._streams = streams or Stoppable()
        self._socket_mode = socket_mode
        self._connections: dict[Connection, _Connection] = {}
        self._server: grpc.aio.Server | None = None
        self._started = False

    def listen(self) -> None:
        """Bind the address: nodes can connect, and are answered from ``start`` on.

        Raises `crossgate.diagnostics.InvalidInput` if the address cannot be used.
        """
        server = grpc.aio.server(options=OPTIONS)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(
            _Discovery(self.cache, self.ledger, self._connections, self._streams), server
        )
        server.add_generic_rpc_handlers(self._services)
        self.address = _bind(server, self.address, self._socket_mode)
        self._server = server

    async def start(self) -> None:
        """Answer nodes; calls ``listen`` if that was not done, and raises as it does."""
        if self._server is None:
            self.listen()
        if self._server is not None and not self._started:
            self._started = True
            await self._server.start()

    async def stop(self) -> None:
        """End every stream and stop listening; nodes keep what they have and try to reconnect."""
        if self._server is not None:
            # gRPC does not release the address of a server that was never started.
            await self.start()
            await self._streams.stop()
            await self._server.stop(grace=_GRACE_SECONDS)
            self._server = None
            self._started = False

    def retry(self, session: Connection, keys: Collection[ResourceKey]) -> int:
        """Send a connection once more those resources that it rejected for good; returns how many."""
        connection = self._connections.get(session)
        return 0 if connection is None else connection.retry(keys)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class _Discovery:
    """The methods of AggregatedDiscoveryService, under the names that gRPC calls."""

    def __init__(
        self,
        cache: Cache,
        ledger: Ledger,
        connections: dict[Connection, _Connection],
        streams: Stoppable,
    ) -> None:
        self._cache = cache
        self._ledger = ledger
        self._connections = connections
        self._streams = streams

    async def StreamAggregatedResources(  # noqa: N802 - the service names it
        self, _requests: Message, context: grpc.aio.ServicerContext
    ) -> NoReturn:
        """State-of-the-world xDS is not supported: each change would send everything again."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "only incremental xDS is supported: set ads_config.api_type to DELTA_GRPC",
        )
        raise AssertionError("abort raises")

    async def DeltaAggregatedResources(  # noqa: N802 - the service names it
        self, requests: Message, context: grpc.aio.ServicerContext
    ) -> None:
        """One node's stream, from its first request to its end, or to that of the control plane."""
        await self._streams.run(self._converse(requests, context))
        if self._streams.stopped:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the control plane stops")

    async def _converse(self, requests: Message, context: grpc.aio.ServicerContext) -> None:
        first = await anext(aiter(requests), None)
        if first is None:
            return
        node = first.node.id
        if not node or len(node) > LONGEST_NODE_ID:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"the first request must have a node.id of at most {LONGEST_NODE_ID} characters",
            )
        fields = first.node.metadata.fields
        incarnation = fields[_INCARNATION].string_value if _INCARNATION in fields else ""
        session = self._ledger.connect(node, incarnation)
        connection = _Connection(self._cache, self._ledger, session)
        self._connections[connection.session] = connection
        stop_watching = self._cache.watch(connection.changed)
        writer = asyncio.create_task(connection.write_to(context))
        try:
            await connection.read(first, context)
            async for request in requests:
                await connection.read(request, context)
        finally:
            stop_watching()
            self._connections.pop(connection.session, None)
            self._ledger.disconnect(connection.session)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


class _Connection:
    """Performs the effects of one stream."""

    def __init__(self, cache: Cache, ledger: Ledger, session: Connection) -> None:
        self.session = session
        self._ledger = ledger
        self._stream = Stream(cache)
        self._types: set[str] = set()
        self._cache = cache
        self._replaced = ReplacedNode(cache, connecting=True) if ledger.is_replaced(session) else None
        self._outbox: asyncio.Queue[DiscoveryResponse] = asyncio.Queue()

    async def read(self, message: Message, context: grpc.aio.ServicerContext) -> None:
        """Handle one request."""
        request = request_of(message)
        self._types.add(request.type_url)
        if not request.type_url or len(self._types) > MOST_TYPES:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"each request must have a type_url, and a stream at most {MOST_TYPES} different ones",
            )
        replaced = self._replaced_node()
        for one in (request,) if replaced is None else replaced.requests(request):
            self._perform(self._stream.receive(one))

    def changed(self, keys: tuple[tuple[str, str], ...]) -> None:
        """Handle a change of wanted resources."""
        replaced = self._replaced_node()
        self._perform(self._stream.changed(keys if replaced is None else replaced.changes(keys)))

    def retry(self, keys: Collection[ResourceKey]) -> int:
        """Send again those of the resources that are rejected for good; returns how many."""
        rejected = [key for key in keys if self._stream.is_rejected(key)]
        self._perform(self._stream.retry(rejected))
        return len(rejected)

    async def write_to(self, context: grpc.aio.ServicerContext) -> None:
        """Write responses until the stream ends."""
        while True:
            send = await self._outbox.get()
            await context.write(response_of(send))

    def _replaced_node(self) -> ReplacedNode | None:
        if self._replaced is None and self._ledger.is_replaced(self.session):
            self._replaced = ReplacedNode(self._cache, connecting=False)
        return self._replaced

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, DiscoveryResponse):
                self._outbox.put_nowait(effect)
            self._ledger.record(self.session, effect)


def _bind(server: grpc.aio.Server, address: Address, mode: SocketMode) -> Address:
    """Bind ``server``; returns the address with the chosen port. Raises `InvalidInput` if that fails."""
    match address:
        case UnixSocket(path):
            _remove_abandoned(path)
            # The mode comes from the umask, so that the socket is at no time open to others.
            before = os.umask(0o777 & ~mode.bits)
            try:
                _add_port(server, address)
            finally:
                os.umask(before)
            path.chmod(mode.bits)
            return address
        case HostPort(host):
            return HostPort(host, _add_port(server, address))


def _add_port(server: grpc.aio.Server, address: Address) -> int:
    try:
        port: int = server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise _unusable(
            f"the control plane cannot listen: {error}",
            "Stop the program that uses the address, or choose another address or a writable directory",
            str(address),
        ) from error
    return port


def _remove_abandoned(path: Path) -> None:
    """Remove the socket that a killed control plane left at ``path``, and nothing else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(
            f"cannot create the socket: {error.strerror}", "Choose another path", str(path)
        ) from error
    if not stat.S_ISSOCK(mode):
        raise _taken("the file exists and is not a socket", "Choose another path", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise _unusable(
                f"cannot use the socket: {error.strerror}", "Choose another path", str(path)
            ) from error
    raise _taken("another control plane listens on the socket", "Stop it, or choose another path", path)


def _unusable(message: str, remedy: str, found: str) -> InvalidInput:
    return InvalidInput([Diagnostic("xds-address-unusable", message, remedy, found=found)])


def _taken(message: str, remedy: str, path: Path) -> InvalidInput:
    return InvalidInput([Diagnostic("xds-socket-path-taken", message, remedy, found=str(path))])
