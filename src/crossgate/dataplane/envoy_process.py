"""The process of one Envoy: started by this program, or inherited from the process's previous program.

A program that takes over keeps the process id, so Envoy stays its child. It inherits the reading end of the
pipe with Envoy's log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
# Not asyncio's: they kill the process when they are collected as garbage.
_Started = subprocess.Popen[bytes]


class EnvoyProcess:
    """A child of this process, whose output is read from a pipe."""

    def __init__(self, pid: int, log_descriptor: int, started: _Started | None = None) -> None:
        """Take ownership of the descriptor; raises OSError if there is no such process."""
        self.pid = pid
        self.log = StreamReader()
        """What the process writes to standard output and standard error."""
        self.log_descriptor = log_descriptor
        self._started = started
        self._pidfd = os.pidfd_open(pid)

    @classmethod
    async def start(cls, argv: Sequence[str]) -> Self:
        """Start ``argv`` bound to the life of the calling thread; raises OSError if that fails."""
        reading, writing = os.pipe()
        # A session of its own: Ctrl-C in the terminal is for Crossgate, which then drains Envoy.
        # -I -S: the launcher depends on nothing that the environment or site-packages could change.
        launcher = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()))
        try:
            # Blocks until the interpreter is executed, as asyncio's own does.
            started = subprocess.Popen(  # noqa: ASYNC220
                [*launcher, *argv],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return await cls(started.pid, reading, started).connect_log()

    async def connect_log(self) -> Self:
        """Begin to read the output."""
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: StreamReaderProtocol(self.log), os.fdopen(os.dup(self.log_descriptor), "rb", buffering=0)
        )
        return self

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        with suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self._pidfd, number)

    async def wait(self) -> int:
        """The status once the process has ended; minus the number of a signal that ended it."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        # pidfd_open(2): readable when the process terminates.
        loop.add_reader(self._pidfd, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._pidfd)
        return self._reap()

    def _reap(self) -> int:
        if self._started is not None:
            return self._started.wait()
        with suppress(ChildProcessError):
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return 0

    def close(self) -> None:
        """Release the descriptors, not the process."""
        os.close(self._pidfd)
        os.close(self.log_descriptor)
