"""A fork server whose workers do what the job says, for the tests of the pool."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from crossgate.workers.budget import WorkBudget
from crossgate.workers.fork_server import ForkServer


class Echo:
    """Answers with the last update and the job, unless the job is one of the others."""

    def __init__(self) -> None:
        self._state = b""

    def update(self, content: bytes) -> None:
        self._state = content

    def answer(self, job: bytes) -> bytes:
        match job:
            case b"spin":
                while True:
                    pass
            case b"spin in C":
                sum(range(10**12))
            case b"sleep":
                time.sleep(600)
            case b"allocate":
                return b"x" * 2**30
            case b"crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case b"raise":
                raise ValueError
            case b"pid":
                return b"%d" % os.getpid()
            case b"environment":
                return "\n".join(os.environ).encode()
            case b"end the server":
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(600)
            case _:
                pass
        return self._state + job

    def describe_overrun(self) -> bytes:
        return b"spinning"


if __name__ == "__main__":
    seconds, descriptor = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as control:
        budget = WorkBudget(cpu_seconds=0.3, seconds=float(seconds), memory=64 * 2**20)
        ForkServer(control, Echo(), budget).run()
