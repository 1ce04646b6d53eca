"""The process whose forks are the workers.

It has loaded everything that a job needs, and has one thread: so that a fork takes a millisecond, shares its
memory, and inherits no lock that another thread holds. The control plane itself cannot fork: it has threads,
those of gRPC among them.

A worker answers one job and ends. So it can be killed at any time, and nothing that one job leaves behind, in
memory or in a cache, reaches another.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from crossgate.workers.budget import WorkBudget, lift_time_limit, limit_this_process
from crossgate.workers.frames import FrameKind, WorkerEnd, encode_answer, receive_frame

_PR_SET_PDEATHSIG: Final = 1
_OVER_CPU: Final = 3
_OUT_OF_MEMORY: Final = 4
_ENDS: Final = {
    0: WorkerEnd.ANSWERED,
    _OVER_CPU: WorkerEnd.CPU,
    -signal.SIGXCPU: WorkerEnd.CPU,
    _OUT_OF_MEMORY: WorkerEnd.MEMORY,
    # A C++ library that cannot allocate; the system, when the machine runs out of memory.
    -signal.SIGABRT: WorkerEnd.MEMORY,
    -signal.SIGKILL: WorkerEnd.MEMORY,
}
"""By exit code, or by the signal that ended the worker."""


class WorkHandler(Protocol):
    """What the workers do."""

    def update(self, content: bytes) -> None:
        """Change the state that later workers start with. Runs in the server."""

    def answer(self, job: bytes) -> bytes:
        """The answer to a job. Runs in a worker."""

    def describe_overrun(self) -> bytes:
        """What the worker is busy with, for the answer to a job whose processor time is used up."""


@dataclass(slots=True)
class _Worker:
    pid: int
    job: socket.socket
    """The server's copy: when the pool closes its end, the server notices."""
    deadline: float
    killed: WorkerEnd | None = None


class ForkServer:
    """Forks a worker for each job, kills it if it must end, and reports how it ended."""

    def __init__(self, control: socket.socket, handler: WorkHandler, budget: WorkBudget) -> None:
        self._control = control
        self._handler = handler
        self._budget = budget
        self._workers: dict[int, _Worker] = {}
        """By the descriptor that becomes readable when the process ends."""
        self._poll = select.poll()

    def run(self) -> None:
        """Serve until the control socket is closed."""
        self._poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in self._poll.poll(self._milliseconds_left()):
                if descriptor in self._workers:
                    self._reap(descriptor)
                elif descriptor != self._control.fileno():
                    self._kill(descriptor)
                elif not self._receive():
                    self._kill_all()
                    return
            self._kill_overdue()

    def _receive(self) -> bool:
        frame = receive_frame(self._control)
        if frame is None:
            return False
        kind, content, descriptors = frame
        if kind is FrameKind.UPDATE:
            self._handler.update(content)
        else:
            self._fork(socket.socket(fileno=descriptors[0]))
        return True

    def _fork(self, job: socket.socket) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            job.sendall(WorkerEnd.MEMORY.value)
            job.close()
            return
        if pid == 0:
            self._work(job, parent)
        watched = os.pidfd_open(pid)
        self._workers[watched] = _Worker(pid, job, time.monotonic() + self._budget.seconds)
        self._poll.register(watched, select.POLLIN)
        self._poll.register(job, 0)  # reports only that the other end was closed

    def _work(self, job: socket.socket, parent: int) -> NoReturn:
        """What happens in a worker."""
        try:
            _die_with(parent)
            self._control.close()
            for worker in self._workers.values():
                worker.job.close()
            limit_this_process(self._budget, lambda: self._report_overrun(job))
            frame = receive_frame(job)
            if frame is not None:
                answer = self._handler.answer(frame[1])
                lift_time_limit()
                job.sendall(encode_answer(answer))
            os._exit(0)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        except BaseException:  # noqa: BLE001 - a worker must never run the server's code
            _report_failure()

    def _report_overrun(self, job: socket.socket) -> NoReturn:
        lift_time_limit()
        job.sendall(self._handler.describe_overrun())
        os._exit(_OVER_CPU)

    def _kill(self, descriptor: int) -> None:
        """The pool has closed the job with that descriptor."""
        for worker in self._workers.values():
            if worker.job.fileno() == descriptor:
                self._poll.unregister(descriptor)
                os.kill(worker.pid, signal.SIGKILL)  # not reaped yet: the pid is still this worker's

    def _kill_overdue(self) -> None:
        for worker in self._workers.values():
            if worker.killed is None and time.monotonic() >= worker.deadline:
                worker.killed = WorkerEnd.SECONDS
                os.kill(worker.pid, signal.SIGKILL)

    def _milliseconds_left(self) -> int | None:
        deadlines = [worker.deadline for worker in self._workers.values() if worker.killed is None]
        return max(0, int((min(deadlines) - time.monotonic()) * 1000) + 1) if deadlines else None

    def _kill_all(self) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)

    def _reap(self, watched: int) -> None:
        worker = self._workers.pop(watched)
        self._poll.unregister(watched)
        _, status = os.waitpid(worker.pid, 0)
        os.close(watched)
        try:
            self._poll.unregister(worker.job)
        except KeyError:
            pass  # the pool has closed it
        else:
            self._report(worker, os.waitstatus_to_exitcode(status))
        worker.job.close()

    def _report(self, worker: _Worker, code: int) -> None:
        end = worker.killed or _ENDS.get(code, WorkerEnd.CRASHED)
        with contextlib.suppress(OSError):  # the pool has closed it since
            worker.job.sendall(end.value)


def _report_failure() -> NoReturn:
    """Write the exception as one line, which becomes a line of the gateway's log; end the process."""
    try:
        line = json.dumps(f"A worker failed: {traceback.format_exc()}")
        sys.stderr.write(f"{line[1:-1]}\n")
        sys.stderr.flush()
    finally:
        os._exit(1)


def _die_with(parent: int) -> None:
    """End this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it ended before
