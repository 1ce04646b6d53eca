"""Starts Envoy so that it ends with its parent: ``python launcher.py PARENT_PID ENVOY ARGUMENT…``.

Runs as a program of its own, in a fresh process, and imports nothing but the standard library. The
alternative, subprocess's ``preexec_fn``, runs Python in a forked child of a threaded process, where any
lock may be held forever.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(parent: int, program: str, *arguments: str) -> None:
    """Replace this process with ``program``, which is killed when the thread that started it ends."""
    # The usual soft limit of 1,024 open files allows 500 concurrent requests, and Envoy does not raise it.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # The kernel clears the death signal when a program with file capabilities is executed (prctl(2)). With
    # no_new_privs the program gets no such capabilities, so the signal stays.
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_PDEATHSIG, signal.SIGKILL)):
        if prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # A parent that died before the call above will send no signal.
    if os.getppid() != parent:
        sys.exit("the gateway ended before Envoy started")
    try:
        os.execv(program, (program, *arguments))  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"{program} can't be started: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
