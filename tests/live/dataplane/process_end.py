"""Waiting for the end of a process that is not a child of ours."""

import os
import select


def wait_for_end(pid: int, seconds: float) -> bool:
    """Whether process ``pid`` ended within ``seconds``; a zombie has ended too."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # pidfd_open(2): readable when the process terminates.
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)
