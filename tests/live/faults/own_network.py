"""Runs a command in a new network: ``python own_network.py AT=PORT … -- COMMAND …``, see ``apart.py``.

The loopback interface is brought up, and a relay connects each socket outside with a port inside. The command
replaces this process and so keeps its id, which the test knows; the relay ends with it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import NoReturn

_RELAY = Path(__file__).parents[2] / "relay.py"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> NoReturn:
    """Start the relay, and replace this process with the command."""
    end = arguments.index("--")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _become([sys.executable, str(_RELAY), *arguments[:end]])
    _become(arguments[end + 1 :])


def _become(command: list[str]) -> NoReturn:
    os.execv(command[0], command)  # noqa: S606 - the test's own arguments, without a shell


if __name__ == "__main__":
    main(sys.argv[1:])
