"""The secret discovery service (SDS) for the Envoys of this process, over delta gRPC on a unix socket.

Envoy opens a stream for each secret, and keeps it. It gets a new version as soon as there is one, applies it
to new handshakes, and keeps its connections.
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/security/secret
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any as Message
from typing import Final, Self

import grpc
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2

from crossgate.compiler.resource import Resource
from crossgate.compiler.secrets import SECRET, parse_secret_name
from crossgate.dataplane.secrets import Secrets
from crossgate.service.stoppable import Stoppable

SERVICE: Final = "envoy.service.secret.v3.SecretDiscoveryService"
_GRACE_SECONDS: Final = 0.2
"""For the ends of streams to be sent."""
_MOST_NAMES: Final = 1000
"""Of one stream. Envoy asks for one."""


class SecretServer:
    """Serves ``secrets`` at ``socket``, which its owner alone may use. Use it as ``async with``."""

    def __init__(self, secrets: Secrets, socket: Path) -> None:
        self._secrets = secrets
        self._socket = socket
        self._server: grpc.aio.Server | None = None
        self._streams = Stoppable()

    async def __aenter__(self) -> Self:
        server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(
            self._delta_secrets,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {"DeltaSecrets": handler}),)
        )
        # That of the previous program, if it was replaced in this process.
        self._socket.unlink(missing_ok=True)
        # The mode comes from the umask, so that the socket is at no time open to others.
        before = os.umask(0o177)
        try:
            server.add_insecure_port(f"unix:{self._socket}")
        finally:
            os.umask(before)
        await server.start()
        self._server = server
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._streams.stop()
        if self._server is not None:
            await self._server.stop(grace=_GRACE_SECONDS)
        await self._secrets.close()

    async def _delta_secrets(
        self, requests: AsyncIterator[Message], context: grpc.aio.ServicerContext
    ) -> None:
        await self._streams.run(self._serve(requests, context))

    async def _serve(self, requests: AsyncIterator[Message], context: grpc.aio.ServicerContext) -> None:
        stream = _Stream(self._secrets)
        writer = asyncio.create_task(stream.write_to(context))
        try:
            async for request in requests:
                stream.receive(request)
        finally:
            stream.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


class _Stream:
    """What one Envoy subscribed to on one stream, and what it was sent."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._subscriptions: dict[str, Callable[[], None]] = {}
        self._held: dict[str, str] = {}
        """The versions that Envoy has, or is about to get."""
        self._sent: dict[str, Resource] = {}
        """By nonce, what is not answered yet."""
        self._outbox: asyncio.Queue[Resource] = asyncio.Queue()
        self._responses = 0

    def receive(self, request: Message) -> None:
        """Handle a subscription, or an answer."""
        self._held |= dict(request.initial_resource_versions)
        for name in request.resource_names_unsubscribe:
            self._unsubscribe(name)
        self._subscribe(request.resource_names_subscribe)
        answered = self._sent.pop(request.response_nonce, None)
        if answered is not None and request.HasField("error_detail"):
            self._secrets.refused(answered.name, answered.version, request.error_detail.message)

    def _subscribe(self, names: Sequence[str]) -> None:
        for name in names:
            files = parse_secret_name(name)
            if files is None or name in self._subscriptions or len(self._subscriptions) >= _MOST_NAMES:
                continue
            self._subscriptions[name] = self._secrets.subscribe(name, files, self._deliver)

    def _deliver(self, resource: Resource) -> None:
        if self._held.get(resource.name) != resource.version:
            self._held[resource.name] = resource.version
            self._outbox.put_nowait(resource)

    def _unsubscribe(self, name: str) -> None:
        self._held.pop(name, None)
        unsubscribe = self._subscriptions.pop(name, None)
        if unsubscribe is not None:
            unsubscribe()

    async def write_to(self, context: grpc.aio.ServicerContext) -> None:
        """Write what is to be delivered until the stream ends."""
        while True:
            resource = await self._outbox.get()
            self._responses += 1
            nonce = str(self._responses)
            self._sent[nonce] = resource
            packed = any_pb2.Any(type_url=resource.type_url, value=resource.body)
            sent = discovery_pb2.Resource(name=resource.name, version=resource.version, resource=packed)
            await context.write(
                discovery_pb2.DeltaDiscoveryResponse(type_url=SECRET, nonce=nonce, resources=[sent])
            )

    def close(self) -> None:
        """Cancel every subscription."""
        for name in tuple(self._subscriptions):
            self._unsubscribe(name)
