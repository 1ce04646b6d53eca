"""A control plane in a process of its own, for tests that kill it. Prints how much it sent.

Arguments: the socket's path, the port of Envoy's listener, and the answer of the first of 300 scopes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.live.xds.resources import cluster, listener, scope
from tests.model_node import replace

from crossgate.net.address import UnixSocket
from crossgate.xds.rollout_wait import wait_until_decided
from crossgate.xds.server import ControlPlane


async def main(path: str, port: str, answer: str) -> None:
    async with ControlPlane(UnixSocket(Path(path))) as plane:
        scopes = [scope(f"s{number}", "same" if number else answer) for number in range(300)]
        replace(
            plane.cache, [listener(int(port)), *scopes, *(cluster(f"c{number}") for number in range(300))]
        )
        outcome = await wait_until_decided(plane.ledger)
        [node] = plane.ledger.nodes()
        print(outcome.applied, node.sent, flush=True)  # noqa: T201 - read by the test
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
