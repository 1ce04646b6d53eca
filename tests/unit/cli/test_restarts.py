"""Why a restart is refused: what the start on trial printed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from crossgate.app.events import Event, RestartRefused
from crossgate.app.take_over import TakeOver
from crossgate.cli.restart import Restarts

LOGGED = r'{"message": "Crossgate failed", "exception": "Traceback:\n  x\nOSError: no space"}'


@pytest.mark.parametrize(
    ("script", "reasons"),
    [
        (f"printf %s '{LOGGED}'; exit 1", ("Crossgate failed: OSError: no space",)),
        (f"echo '{LOGGED}'; echo 'the port is taken' >&2; exit 2", ("the port is taken",)),
        ("exit 3", ("it ended with status 3",)),
    ],
)
def test_a_failed_trial_gives_its_reasons(
    script: str, reasons: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "crossgate"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "run"])

    async def refuse() -> Event:
        found: asyncio.Queue[Event] = asyncio.Queue()
        restarts = Restarts(TakeOver(), found.put_nowait)
        restarts.request()
        running = asyncio.create_task(restarts.run())
        try:
            async with asyncio.timeout(30):
                return await found.get()
        finally:
            running.cancel()

    assert asyncio.run(refuse()) == RestartRefused(reasons)
