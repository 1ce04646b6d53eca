"""The control plane's side: starts the fork server when the first job needs it, and again if it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final

from crossgate.workers.frames import FrameKind, WorkerEnd, WorkFailedError, decode_answer, encode_head

_STOP_SECONDS: Final = 5
_READ: Final = 256 * 1024
_WITH_CREDENTIALS: Final = ("CROSSGATE_", "PG")
"""Beginnings of names: workers parse what strangers send, and need neither the database nor a token."""

Updates = Callable[[bool], Iterable[bytes]]
"""Returns the updates that the server lacks; all of them, if the argument is true: the server is new."""


class WorkerPool:
    """Runs jobs in worker processes. Thread-safe.

    ``command`` starts the fork server; the descriptor of its control socket is appended to it. The server
    finds modules where this process finds them. ``before_start`` is called before each start of it, and may
    raise what prevents that.
    """

    def __init__(self, command: Sequence[str], before_start: Callable[[], None] = lambda: None) -> None:
        self._command = command
        self._before_start = before_start
        self._lock = Lock()
        """Held from the updates of a job until its start, so that no other update comes in between."""
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def run(self, job: bytes, updates: Updates) -> bytes:
        """The answer to the job. Cancelling the call kills the worker.

        Raises:
            WorkFailedError: the worker ended without an answer.

        """
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)  # noqa: FBT003 - the library's parameter
            try:
                await asyncio.to_thread(self._start_worker, theirs, updates)
            except OSError:
                raise WorkFailedError(WorkerEnd.CRASHED, b"") from None
            return await _converse(ours, job)

    def close(self) -> None:
        """End the fork server and its workers; blocks."""
        with self._lock:
            self._end()

    def _start_worker(self, job: socket.socket, updates: Updates) -> None:
        with job, self._lock:
            new = self._process is None or self._process.poll() is not None
            try:
                self._submit(job, updates, new=new)
            except OSError:
                if new:
                    raise
                # It ended since it was looked at.
                self._submit(job, updates, new=True)

    def _submit(self, job: socket.socket, updates: Updates, *, new: bool) -> None:
        if new:
            self._end()
            self._before_start()
            self._start()
        if self._control is None:  # pragma: no cover - it was just started
            raise BrokenPipeError
        for update in updates(new):
            self._control.sendall(encode_head(FrameKind.UPDATE, len(update)))
            self._control.sendall(update)
        socket.send_fds(self._control, [encode_head(FrameKind.JOB, 0)], [job.fileno()])

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._control = ours

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _environment() -> dict[str, str]:
    """The environment without the credentials of the store and of the admin API."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_WITH_CREDENTIALS)}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}


async def _converse(sock: socket.socket, job: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    # A worker that ends before it has read the whole job still says how it ended.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await loop.sock_sendall(sock, encode_head(FrameKind.JOB, len(job)))
        await loop.sock_sendall(sock, job)
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := await loop.sock_recv(sock, _READ):
            parts.append(part)
    return decode_answer(b"".join(parts))
