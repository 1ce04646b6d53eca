"""The process that Envoy runs in: how it is begun, and what it prints."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from crossgate.dataplane.log import LineSplitter, LogLine, parse

_LAUNCHER = Path(__file__).with_name("launcher.py")
_CHUNK = 64 * 1024


async def launch(argv: Sequence[str]) -> Process:
    """Start ``argv`` bound to the life of the calling thread; raises OSError if that fails."""
    # A session of its own: Ctrl-C in the terminal is for Crossgate, which then drains Envoy.
    # -I -S: the launcher depends on nothing that the environment or site-packages could change.
    launcher = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()))
    return await asyncio.create_subprocess_exec(
        *launcher, *argv, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )


async def log_lines(process: Process) -> AsyncIterator[LogLine]:
    """What the process prints, line by line, until it ends."""
    splitter = LineSplitter()
    while process.stdout and (data := await process.stdout.read(_CHUNK)):
        for line in splitter.feed(data):
            yield parse(line)
    for line in splitter.end():
        yield parse(line)
