"""A node: one supervised Envoy that takes its configuration from a control plane elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

from crossgate.app.events import Emit, NodeChanged
from crossgate.app.tasks import run_until_stopped
from crossgate.dataplane import bootstrap as dataplane
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.net.address import Address


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How ``crossgate node`` was asked to run."""

    control_plane: Address
    node_id: str = ""
    """Tells this node from others; empty: host name and process id."""
    concurrency: int | None = None


async def run_node(options: NodeOptions, emit: Emit, stop: asyncio.Event) -> None:
    """Keep the node running until ``stop``, then let it finish its requests.

    Envoy waits for a control plane that is not there yet, and serves on when it goes away.

    Raises:
        InvalidInput: no binary that runs here, or no place for its files.

    """
    binary = find_envoy()
    with create_runtime_directory() as directory:
        node = dataplane.NodeIdentity(options.node_id or f"{socket.gethostname()}-{os.getpid()}")
        document = dataplane.bootstrap(node, options.control_plane, directory.admin_socket)
        settings = EnvoySettings(binary, document, directory, concurrency=options.concurrency)
        async with Envoy(settings, lambda change: emit(NodeChanged(change))) as envoy:
            await run_until_stopped(envoy.ready(), stop)
            await stop.wait()
