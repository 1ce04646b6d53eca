"""A native service that holds its responses back until the test releases them."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Self


class HeldNative:
    """``async with``; ``requested`` is set by the first request, and setting ``answer`` releases all."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.answer = asyncio.Event()
        self.port = 0
        self._answering: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.answer.set()
        await asyncio.gather(*self._answering)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._answering.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        # The gateway may be gone before it is answered.
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.requested.set()
            await self.answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
