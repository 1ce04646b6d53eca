"""The product's own bootstrap, against a control plane that gives a listener and a cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import json_format
from tests.live.dataplane.static import listener, native
from tests.ports import free_ports

from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.lifecycle_events import EnvoyNotReady, EnvoyStarted, LifecycleEvent
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory
from crossgate.dataplane.supervisor import Timeouts
from crossgate.net.address import Address, HostPort, UnixSocket

pytestmark = [pytest.mark.live, pytest.mark.anyio]

LINKED = (router_pb2, http_connection_manager_pb2)  # what the listener's Any fields are read with


class Discovery(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc] # has no types
    """Answers the first request of each type with all resources; later requests are acknowledgements."""

    def __init__(self, port: int) -> None:
        self.nodes: list[Any] = []
        self._resources = {
            "type.googleapis.com/envoy.config.listener.v3.Listener": (listener_pb2.Listener, listener(port)),
            "type.googleapis.com/envoy.config.cluster.v3.Cluster": (cluster_pb2.Cluster, native(9)),
        }

    async def DeltaAggregatedResources(self, requests: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802 - the service names it
        async for request in requests:
            if request.HasField("node"):
                self.nodes.append(request.node)
            if not request.response_nonce and request.type_url in self._resources:
                message, document = self._resources[request.type_url]
                resource = discovery_pb2.Resource(name=str(document["name"]), version="1")
                resource.resource.Pack(json_format.ParseDict(document, message()))
                yield discovery_pb2.DeltaDiscoveryResponse(
                    type_url=request.type_url, nonce="1", resources=[resource]
                )


@asynccontextmanager
async def serving(discovery: Discovery, address: str) -> AsyncIterator[int]:
    server = grpc.aio.server()
    ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(discovery, server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def status(port: int) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://127.0.0.1:{port}/here")).status_code


def settings(envoy_binary: EnvoyBinary, directory: RuntimeDirectory, control_plane: Address) -> EnvoySettings:
    document = bootstrap("one", control_plane, directory.admin_socket, directory.secrets_socket)
    return EnvoySettings(envoy_binary, document, directory, concurrency=1, timeouts=Timeouts(ready=1))


@pytest.mark.parametrize("where", ["unix socket", "address"])
async def test_it_joins_and_serves(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory, where: str
) -> None:
    discovery = Discovery(port := free_ports(1)[0])
    unix = where == "unix socket"
    address = f"unix:{directory.control_plane_socket}" if unix else "127.0.0.1:0"
    async with serving(discovery, address) as control_port:
        control_plane: Address = (
            UnixSocket(directory.control_plane_socket) if unix else HostPort("127.0.0.1", control_port)
        )
        async with Envoy(settings(envoy_binary, directory, control_plane)) as envoy:
            await asyncio.wait_for(envoy.ready(), 20)

            assert await status(port) == 200
            assert discovery.nodes[0].id == "one"


async def test_it_is_ready_only_when_the_control_plane_has_answered(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    discovery = Discovery(port := free_ports(1)[0])
    control_plane = UnixSocket(directory.control_plane_socket)
    seen: asyncio.Queue[LifecycleEvent] = asyncio.Queue()
    async with Envoy(settings(envoy_binary, directory, control_plane), seen.put_nowait) as envoy:
        assert isinstance(await seen.get(), EnvoyStarted)
        waiting = await asyncio.wait_for(seen.get(), 20)
        assert isinstance(waiting, EnvoyNotReady)

        async with serving(discovery, f"unix:{directory.control_plane_socket}"):
            await asyncio.wait_for(envoy.ready(), 20)
            assert await status(port) == 200
        assert await status(port) == 200
