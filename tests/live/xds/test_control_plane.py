"""A real Envoy on the control plane: what it applies, what it rejects, and what is sent after a break."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.live.xds.resources import cluster, listener, scope, unresolvable
from tests.model_node import replace
from tests.ports import free_ports

from crossgate.compiler.resource import Resource
from crossgate.dataplane.binary import locate_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.net.address import UnixSocket
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES
from crossgate.xds.rollout_wait import RolloutResult, wait_until_decided
from crossgate.xds.server import ControlPlane

pytestmark = pytest.mark.live
SECONDS = 60.0
ROOT = Path(__file__).parents[3]


@dataclass
class Setting:
    """Where the Envoy of one test finds its control plane, and where it serves."""

    folder: Path
    port: int

    def control_plane(self) -> ControlPlane:
        return ControlPlane(UnixSocket(self.folder / "xds.sock"))

    @property
    def listener(self) -> Resource:
        return listener(self.port)

    @asynccontextmanager
    async def envoy(self) -> AsyncIterator[None]:
        file = self.folder / "bootstrap.json"
        file.write_bytes(
            bootstrap(
                "live",
                UnixSocket(self.folder / "xds.sock"),
                self.folder / "admin.sock",
                self.folder / "secrets.sock",
            )
        )
        command = (locate_envoy(), "--config-path", file, "--use-dynamic-base-id", "--concurrency", "1")
        with (self.folder / "envoy.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, "--component-log-level", "misc:error", stdout=log, stderr=log
            )
            try:
                yield
            finally:
                process.kill()
                await process.wait()

    @asynccontextmanager
    async def process(self, answer: str) -> AsyncIterator[str]:
        """A control plane in a process of its own, killed at the end; yields what it printed."""
        arguments = (str(self.folder / "xds.sock"), str(self.port), answer)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.live.xds.standalone",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
        )
        assert process.stdout is not None
        try:
            yield (await process.stdout.readline()).decode().strip()
        finally:
            process.kill()
            await process.wait()

    async def ask(self, client: httpx.AsyncClient, name: str) -> str:
        response = await client.get(f"http://127.0.0.1:{self.port}/", headers={"x-scope": name})
        return response.text if response.status_code == 200 else str(response.status_code)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    [port] = free_ports(1)
    return Setting(tmp_path, port)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(SECONDS):
            await test()

    asyncio.run(limited())


def test_a_thousand_clusters_and_their_updates_arrive(setting: Setting) -> None:
    async def test() -> None:
        async with setting.control_plane() as plane, setting.envoy():
            replace(plane.cache, [setting.listener, *(cluster(f"c{number}") for number in range(1000))])
            assert (await wait_until_decided(plane.ledger)).applied
            plane.cache.update(
                {(CLUSTER, f"c{number}"): cluster(f"c{number}", timeout=2) for number in range(1000)}
            )
            assert (await wait_until_decided(plane.ledger)).applied
            replace(plane.cache, [setting.listener])
            assert (await wait_until_decided(plane.ledger)).applied
            [node] = plane.ledger.nodes()
            assert (node.node, node.pending, node.sent) == ("live", 0, 3001)
            [session] = plane.ledger.sessions
            assert session.version((CLUSTER, "c0")) is None

    run(test)


def test_what_is_reported_as_applied_is_enforced(setting: Setting) -> None:
    async def test() -> None:
        async with setting.control_plane() as plane, setting.envoy(), httpx.AsyncClient() as client:
            replace(plane.cache, [setting.listener, scope("a", "0")])
            assert (await wait_until_decided(plane.ledger)).applied
            for number in range(1, 50):
                plane.cache.update({(SCOPED_ROUTES, "a"): scope("a", str(number))})
                assert (await wait_until_decided(plane.ledger)).applied
                assert await setting.ask(client, "a") == str(number)

    run(test)


def test_a_rejected_resource_affects_no_other_and_is_reported_with_envoys_message(setting: Setting) -> None:
    async def test() -> None:
        async with setting.control_plane() as plane, setting.envoy(), httpx.AsyncClient() as client:
            replace(plane.cache, [setting.listener, *(scope(f"s{number}", "old") for number in range(150))])
            assert (await wait_until_decided(plane.ledger)).applied
            changed = [
                scope(f"s{number}", "new", regex="(" if number == 77 else None) for number in range(150)
            ]
            plane.cache.update({(SCOPED_ROUTES, resource.name): resource for resource in changed})
            outcome = await wait_until_decided(plane.ledger)
            [rejection] = outcome.rejections
            assert rejection.key == (SCOPED_ROUTES, "s77")
            assert "missing )" in rejection.message
            assert await setting.ask(client, "s76") == "new"
            assert await setting.ask(client, "s77") == "old"
            assert await setting.ask(client, "s149") == "new"

            plane.cache.update({(SCOPED_ROUTES, "s77"): scope("s77", "new")})
            assert (await wait_until_decided(plane.ledger)).applied
            assert await setting.ask(client, "s77") == "new"

    run(test)


def test_a_rejected_cluster_affects_no_other(setting: Setting) -> None:
    async def test() -> None:
        async with setting.control_plane() as plane, setting.envoy():
            bad = Resource.of(CLUSTER, "c5", cluster("", timeout=0).body)
            good = [cluster(f"c{number}") for number in range(10) if number != 5]
            replace(plane.cache, [setting.listener, bad, *good])
            outcome: RolloutResult = await wait_until_decided(plane.ledger)
            assert [rejection.key for rejection in outcome.rejections] == [(CLUSTER, "c5")]
            [session] = plane.ledger.sessions
            assert all(session.version((CLUSTER, one.name)) == one.version for one in good)

    run(test)


def test_after_a_break_only_differences_travel_and_traffic_never_stopped(setting: Setting) -> None:
    async def test() -> None:
        scopes = [scope(f"s{number}", "old") for number in range(300)]
        clusters = [cluster(f"c{number}") for number in range(300)]
        async with setting.envoy(), httpx.AsyncClient() as client:
            async with setting.control_plane() as plane:
                replace(plane.cache, [setting.listener, *scopes, *clusters])
                assert (await wait_until_decided(plane.ledger)).applied
            assert await setting.ask(client, "s1") == "old"

            async with setting.control_plane() as plane:
                replace(plane.cache, [setting.listener, *scopes, *clusters])
                assert (await wait_until_decided(plane.ledger)).applied
                assert [node.sent for node in plane.ledger.nodes()] == [0]
            assert await setting.ask(client, "s1") == "old"

            async with setting.control_plane() as plane:
                # One changed, one removed, one new, of two types each.
                scopes[1:3] = [scope("s1", "new"), scope("more", "new")]
                clusters[1:3] = [cluster("c1", timeout=2), cluster("more")]
                replace(plane.cache, [setting.listener, *scopes, *clusters])
                gone = {(SCOPED_ROUTES, "s2"): None, (CLUSTER, "c2"): None}
                outcome = await wait_until_decided(plane.ledger, {**plane.cache.versions(), **gone})
                assert outcome.applied
                assert [node.sent for node in plane.ledger.nodes()] == [6]
                assert [await setting.ask(client, name) for name in ("s0", "s1", "s2", "more")] == [
                    "old",
                    "new",
                    "404",
                    "new",
                ]

    run(test)


def test_a_killed_control_plane_changes_nothing_and_its_successor_sends_only_differences(
    setting: Setting,
) -> None:
    async def test() -> None:
        async with setting.envoy(), httpx.AsyncClient() as client:
            async with setting.process("old") as output:
                assert output == "True 601"
            assert await setting.ask(client, "s0") == "old"
            assert await setting.ask(client, "s299") == "same"
            async with setting.process("new") as output:
                assert output == "True 1"
                assert await setting.ask(client, "s0") == "new"

    run(test)


def test_a_native_service_that_resolves_slowly_delays_its_own_routes_only(setting: Setting) -> None:
    async def test() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            async with setting.control_plane() as plane, setting.envoy(), httpx.AsyncClient() as client:
                replace(plane.cache, [setting.listener, scope("a", "old")])
                assert (await wait_until_decided(plane.ledger)).applied
                slow, its_route = unresolvable("slow", silent.getsockname()[1]), scope("slow", "new")
                plane.cache.update({(CLUSTER, "slow"): slow, (SCOPED_ROUTES, "slow"): its_route})
                edited = scope("a", "new")
                plane.cache.update({(SCOPED_ROUTES, "a"): edited})
                assert (
                    await wait_until_decided(plane.ledger, {(SCOPED_ROUTES, "a"): edited.version})
                ).applied
                assert await setting.ask(client, "a") == "new"
                [session] = plane.ledger.sessions
                assert session.version((SCOPED_ROUTES, "slow")) is None
                assert plane.ledger.nodes()[0].pending > 0

    run(test)


def test_a_slow_reader_gets_the_newest_and_not_every_version(setting: Setting) -> None:
    async def test() -> None:
        async with setting.control_plane() as plane, setting.envoy(), httpx.AsyncClient() as client:
            replace(plane.cache, [setting.listener, scope("a", "0")])
            assert (await wait_until_decided(plane.ledger)).applied
            for number in range(1, 2001):
                plane.cache.update({(SCOPED_ROUTES, "a"): scope("a", str(number))})
            assert (await wait_until_decided(plane.ledger)).applied
            assert await setting.ask(client, "a") == "2000"
            [node] = plane.ledger.nodes()
            assert node.sent < 10

    run(test)
