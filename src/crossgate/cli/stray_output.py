"""Logs what is written to standard error past the log: by C libraries, worker processes, the interpreter.

The descriptor is replaced by a pipe whose lines become lines of the log. Its writing end does not block: a
library that fills it while it holds the interpreter's lock would otherwise wait for the thread that reads it.
What a crash writes last is lost with this process; `faulthandler` keeps the real standard error.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from crossgate.service.log import Log, LogLevel

_STDERR: Final = 2
_PIPE_BYTES: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
_LONGEST_LINE: Final = 64 * 1024
_JOIN_SECONDS: Final = 1.0
_ABSL: Final = re.compile(rb"([IWEF])[0-9]{4} ")
"""How a line of gRPC begins: level, month and day (https://abseil.io/docs/cpp/guides/logging)."""
_ABSL_LEVELS: Final = {b"I": LogLevel.INFO, b"W": LogLevel.WARNING}


@contextmanager
def stray_output_logged() -> Iterator[None]:
    """Log each line that is written to the descriptor of standard error inside the context."""
    real = os.dup(_STDERR)
    reading, writing = os.pipe()
    with suppress(OSError):  # the system's limit is lower: then it keeps its size
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    os.set_blocking(writing, False)
    had_faulthandler = faulthandler.is_enabled()
    sys.stderr.flush()
    os.dup2(writing, _STDERR)
    os.close(writing)
    if had_faulthandler:
        faulthandler.enable(real)
    # Ends the reader: worker processes may hold the pipe open for longer.
    end = os.urandom(16).hex().encode()
    reader = threading.Thread(target=_log_lines, args=(reading, end), name="crossgate-stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        with suppress(BlockingIOError):
            os.write(_STDERR, b"\n" + end + b"\n")
        reader.join(_JOIN_SECONDS)
        os.dup2(real, _STDERR)
        if had_faulthandler:
            faulthandler.enable(_STDERR)
        os.close(real)


def _log_lines(descriptor: int, end: bytes) -> None:
    log = Log("stderr")
    rest = b""
    with open(descriptor, "rb", buffering=0) as pipe:
        while data := pipe.read(_CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line == end:
                    return
                if line.strip():
                    log.log(_level(line), line.decode(errors="replace").rstrip(), {})
            rest = rest[:_LONGEST_LINE]


def _level(line: bytes) -> LogLevel:
    absl = _ABSL.match(line)
    return LogLevel.ERROR if absl is None else _ABSL_LEVELS.get(absl[1], LogLevel.ERROR)
