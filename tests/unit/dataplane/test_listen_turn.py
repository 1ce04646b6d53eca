"""The turn in which a gateway checks a port and begins to listen there."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from tests.ports import free_ports

from crossgate.dataplane.listen_turn import listen_turn

HOLDER = """
import asyncio, sys
from crossgate.dataplane.listen_turn import listen_turn

async def main():
    async with listen_turn(int(sys.argv[1])):
        print("has it", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_another_process_waits_until_the_turn_is_over() -> None:
    port, other = free_ports(2)

    async def test() -> None:
        with subprocess.Popen([sys.executable, "-c", HOLDER, str(port)], stdout=subprocess.PIPE) as holder:  # noqa: ASYNC220
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"has it\n"
            async with listen_turn(other):  # another port has a turn of its own
                pass

            async def wait() -> int | None:
                async with listen_turn(port):
                    return holder.poll()

            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0.3)
            assert not waiting.done()
            holder.kill()
            holder.wait()
            assert await waiting is not None

    asyncio.run(test())
