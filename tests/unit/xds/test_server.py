"""A real gRPC client asks a real server over a real socket."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any as Message

import grpc
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.rpc import status_pb2
from tests.model_node import cluster, replace

from crossgate.compiler.resource import Resource
from crossgate.diagnostics import InvalidInput
from crossgate.net.address import HostPort, UnixSocket
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES
from crossgate.xds.rollout_wait import wait_until_decided
from crossgate.xds.server import ControlPlane


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(limited())


@asynccontextmanager
async def client(plane: ControlPlane) -> AsyncIterator[Message]:
    async with grpc.aio.insecure_channel(str(plane.address)) as channel:
        yield ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)


def request(*, node: str = "", nonce: str = "", error: str = "", type_url: str = CLUSTER) -> Message:
    return discovery_pb2.DeltaDiscoveryRequest(
        type_url=type_url,
        node=base_pb2.Node(id=node) if node else None,
        response_nonce=nonce,
        error_detail=status_pb2.Status(message=error) if error else None,
    )


@pytest.fixture
def address(tmp_path: Path) -> UnixSocket:
    return UnixSocket(tmp_path / "xds.sock")


def test_a_node_gets_changes_and_its_answers_are_in_the_ledger(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            replace(plane.cache, [cluster("a")])
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            response = await call.read()
            [resource] = response.resources
            assert (resource.name, resource.version) == ("a", cluster("a").version)
            assert (resource.resource.type_url, resource.resource.value) == (CLUSTER, b"good")
            await call.write(request(nonce=response.nonce))
            assert (await wait_until_decided(plane.ledger)).applied
            assert [node.node for node in plane.ledger.nodes()] == ["n1"]

            replace(plane.cache, [cluster("b", "bad")])
            response = await call.read()
            assert list(response.removed_resources) == ["a"]
            await call.write(request(nonce=response.nonce, error="both"))
            for _ in range(2):
                response = await call.read()
                bad = [resource.name for resource in response.resources]
                await call.write(request(nonce=response.nonce, error="no such thing" if bad else ""))
            outcome = await wait_until_decided(plane.ledger)
            assert [rejection.message for rejection in outcome.rejections] == ["no such thing"]
            call.cancel()

    run(test)


def test_what_a_node_rejected_is_sent_again_on_request(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            replace(plane.cache, [cluster("a", "bad")])
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            response = await call.read()
            await call.write(request(nonce=response.nonce, error="no such thing"))
            assert (await wait_until_decided(plane.ledger)).rejections
            [connection] = plane.ledger.sessions

            assert plane.retry(connection, [(CLUSTER, "a"), (CLUSTER, "other")]) == 1
            response = await call.read()
            assert [one.name for one in response.resources] == ["a"]
            assert plane.retry(connection, [(CLUSTER, "a")]) == 0
            answered = asyncio.Event()
            plane.ledger.watch(lambda _: answered.set())
            await call.write(request(nonce=response.nonce))
            await answered.wait()
            assert plane.ledger.rejected_by(connection) == []
            call.cancel()

    run(test)


def test_scoped_routes_never_travel_twice_with_equal_bytes(address: UnixSocket) -> None:
    async def test() -> None:
        wanted = scoped_route_pb2.ScopedRouteConfiguration(
            name="s", route_configuration=route_pb2.RouteConfiguration(name="r")
        )
        async with ControlPlane(address) as plane, client(plane) as stub:
            replace(plane.cache, [Resource.of(SCOPED_ROUTES, "s", wanted.SerializeToString())])
            bodies = []
            for _ in range(2):
                call = stub.DeltaAggregatedResources()
                await call.write(request(node="n1", type_url=SCOPED_ROUTES))
                [resource] = (await call.read()).resources
                bodies.append(resource.resource.value)
                call.cancel()
            assert bodies[0] != bodies[1]
            received = scoped_route_pb2.ScopedRouteConfiguration.FromString(bodies[0])
            received.route_configuration.ClearField("metadata")
            assert received == wanted

    run(test)


def test_a_node_that_connects_before_the_start_is_answered_after_it(address: UnixSocket) -> None:
    async def test() -> None:
        plane = ControlPlane(address)
        plane.listen()
        reader, writer = await asyncio.open_unix_connection(str(address.path))
        async with plane, client(plane) as stub:
            assert (await reader.readexactly(4))[3] == 4  # HTTP/2: a frame of settings comes first
            replace(plane.cache, [cluster("a")])
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            [resource] = (await call.read()).resources
            assert resource.name == "a"
            call.cancel()
        writer.close()

    run(test)


def test_it_can_be_stopped_before_the_start(address: UnixSocket) -> None:
    async def test() -> None:
        plane = ControlPlane(address)
        plane.listen()
        await plane.stop()
        async with plane:
            pass

    run(test)


def test_the_socket_is_for_its_owner_only_and_is_replaced_after_a_kill(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address):
            assert stat.S_IMODE(address.path.stat().st_mode) == 0o600
            with pytest.raises(InvalidInput, match="another control plane listens on the socket"):
                await ControlPlane(address).start()
        # A socket file without a listener is what a killed process leaves behind.
        process = await asyncio.create_subprocess_exec(
            "python3",
            "-c",
            f"import socket; socket.socket(socket.AF_UNIX).bind({str(address.path)!r})",
        )
        assert await process.wait() == 0
        assert address.path.is_socket()
        async with ControlPlane(address) as plane, client(plane) as stub:
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            assert (await call.read()).nonce
            call.cancel()

    run(test)


def test_a_file_that_is_not_a_socket_stays(address: UnixSocket) -> None:
    address.path.write_text("precious")
    with pytest.raises(InvalidInput, match="xds-socket-path-taken"):
        run(lambda: ControlPlane(address).start())
    assert address.path.read_text() == "precious"


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="xds-address-unusable"):
        run(lambda: ControlPlane(UnixSocket(tmp_path / "no" / "xds.sock")).start())


def test_a_port_is_not_shared() -> None:
    async def test() -> None:
        async with ControlPlane(HostPort("127.0.0.1", 0)) as plane:
            assert isinstance(plane.address, HostPort)
            assert plane.address.port > 0
            with pytest.raises(InvalidInput, match="xds-address-unusable"):
                await ControlPlane(plane.address).start()

    run(test)


def test_a_node_must_have_an_id(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            call = stub.DeltaAggregatedResources()
            await call.write(request())
            assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "must have a node.id" in await call.details()
            assert plane.ledger.nodes() == []

    run(test)


def test_a_request_must_have_a_type_url(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1", type_url=""))
            assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT

    run(test)


def test_state_of_the_world_is_refused_with_the_field_to_set(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            call = stub.StreamAggregatedResources()
            assert await call.code() == grpc.StatusCode.UNIMPLEMENTED
            assert "DELTA_GRPC" in await call.details()

    run(test)


def test_a_node_that_left_is_no_longer_connected(address: UnixSocket) -> None:
    async def test() -> None:
        async with ControlPlane(address) as plane, client(plane) as stub:
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            await call.read()
            gone = asyncio.Event()
            plane.ledger.watch(lambda _news: None if plane.ledger.nodes() else gone.set())
            call.cancel()
            await gone.wait()

    run(test)


def test_stopping_ends_the_streams(address: UnixSocket) -> None:
    async def test() -> None:
        plane = ControlPlane(address)
        await plane.start()
        async with client(plane) as stub:
            call = stub.DeltaAggregatedResources()
            await call.write(request(node="n1"))
            await call.read()
            await plane.stop()
            assert await call.code() != grpc.StatusCode.OK
            assert plane.ledger.nodes() == []

    run(test)
