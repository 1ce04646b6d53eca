"""A relay between a Unix socket and a server, which tests can stall and cut.

As a program, ``python relay.py AT=TO …`` runs several; TO is a port of 127.0.0.1 or a path.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

_SECONDS = 30.0


class Relay:
    """Forwards connections to the socket ``at`` to the server ``to``: a path, or a port of this machine."""

    def __init__(self, at: Path, to: Path | int) -> None:
        """Refuses every connection until it is opened."""
        self._at, self._to = at, to
        self._passing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Accept connections, and forward their bytes."""
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._carry, self._at)

    async def silence(self) -> None:
        """Accept connections and bytes, but forward nothing until it is opened again."""
        await self.open()
        self._passing.clear()

    async def cut(self) -> None:
        """Close every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for one in self._carrying:
            one.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)
        further, pumps = None, list[asyncio.Task[None]]()
        # A client that ends, a server that refuses, and a cut all close both connections.
        with suppress(OSError, asyncio.CancelledError):
            to = self._to
            there, further = await (
                asyncio.open_unix_connection(to)
                if isinstance(to, Path)
                else asyncio.open_connection("127.0.0.1", to)
            )
            both = self._pump(reader, further), self._pump(there, writer)
            pumps += map(asyncio.create_task, both)
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in filter(None, (writer, further)):
            end.transport.abort()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while received := await reader.read(65536):
                await self._passing.wait()
                writer.write(received)
                await writer.drain()


class RelayThread:
    """A relay in a thread, controlled by the test."""

    def __init__(self, at: Path, to: Path | int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._relay = Relay(at, to)

    def open(self) -> None:
        """As :meth:`Relay.open`; all three methods return when it is done."""
        asyncio.run_coroutine_threadsafe(self._relay.open(), self._loop).result(_SECONDS)

    def silence(self) -> None:
        """As :meth:`Relay.silence`."""
        asyncio.run_coroutine_threadsafe(self._relay.silence(), self._loop).result(_SECONDS)

    def cut(self) -> None:
        """As :meth:`Relay.cut`."""
        asyncio.run_coroutine_threadsafe(self._relay.cut(), self._loop).result(_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()


async def _main(pairs: list[str]) -> None:
    for pair in pairs:
        at, _, to = pair.rpartition("=")
        await Relay(Path(at), int(to) if to.isdigit() else Path(to)).open()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
