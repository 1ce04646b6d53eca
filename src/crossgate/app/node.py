"""A node: one supervised Envoy that takes its configuration from a control plane in another process."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

from crossgate.app.certificates import report_certificates, served_secrets, unless_unusable, without_places
from crossgate.app.events import Emit, NodeChanged, NodeServing
from crossgate.app.first_listener import wait_for_first_listener
from crossgate.app.health import HealthOptions
from crossgate.app.health_state import EnvoyListens
from crossgate.app.take_over import TakeOver
from crossgate.app.tasks import background_task, run_until_stopped
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.net.address import Address


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The options of ``crossgate node``."""

    control_plane: Address
    node_id: str = ""
    """Unique among the nodes of a control plane; empty: host name and process id."""
    concurrency: int | None = None
    """Envoy's worker threads; None: one for each core."""
    health: HealthOptions | None = None


async def run_node(
    options: NodeOptions, emit: Emit, stop: asyncio.Event, take_over: TakeOver | None = None
) -> None:
    """Run the node until ``stop`` is set, then let it finish its requests, or hand it over.

    Envoy waits for a control plane that is not there yet, and keeps serving when it goes away.

    Raises:
        InvalidInput: no Envoy binary runs here, or the runtime directory cannot be created, or the address of
            the health checks cannot be used, or Envoy rejected the first listener, or has no
            certificate for it.

    """
    if take_over is None:
        async with TakeOver.alone(emit, stop) as alone:
            await run_node(options, emit, stop, alone)
        return
    binary = find_envoy()
    take_over.node = options.node_id or f"{socket.gethostname()}-{os.getpid()}"
    health = take_over.health(options.health)
    async with health.serving():
        directory = take_over.runtime_directory()
        document = bootstrap(
            take_over.node, options.control_plane, directory.admin_socket, directory.secrets_socket
        )
        settings = EnvoySettings(binary, document, directory, concurrency=options.concurrency)
        node = take_over.node
        started = Envoy(take_over.settings(settings), lambda change: emit(NodeChanged(change, node)))
        async with (
            served_secrets(directory.secrets_socket, lambda one: emit(without_places(one))) as secrets,
            background_task(report_certificates(secrets, options.control_plane, node)),
            started as envoy,
        ):
            try:
                serving = unless_unusable(_serves_clients(envoy, take_over), secrets)
                if await run_until_stopped(serving, stop):
                    health.state.checks[:] = [EnvoyListens(envoy)]
                    health.set_started()
                    emit(NodeServing(node))
                    take_over.relieve(envoy)
                await stop.wait()
            finally:
                take_over.keep(envoy)


async def _serves_clients(envoy: Envoy, take_over: TakeOver) -> None:
    await envoy.ready()
    await wait_for_first_listener(envoy.admin, take_over.envoy_pids)
