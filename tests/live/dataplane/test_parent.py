"""Envoy does not outlive the process that started it, however that ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.live.dataplane.process_end import wait_for_end

from crossgate.dataplane.runtime_dir import RuntimeDirectory

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[3]
PARENT = """
import asyncio, sys
from crossgate.dataplane import binary, changes, runtime_dir
from crossgate.dataplane.process import Envoy, EnvoySettings
from tests.live.dataplane.static import static_bootstrap
from tests.ports import free_ports

def say(change):
    if isinstance(change, changes.Started | changes.Ready):
        print(type(change).__name__, change.pid, flush=True)

async def main():
    with runtime_dir.use(__import__("pathlib").Path(sys.argv[1])) as directory:
        bootstrap = static_bootstrap(directory.admin_socket, free_ports(1)[0], 9)
        await Envoy(EnvoySettings(binary.find(), bootstrap, directory, concurrency=1), say).run()

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["Started", "Ready"])
def test_the_parent_is_killed(moment: str, directory: RuntimeDirectory) -> None:
    # "Started" may be before the launcher has asked for its death signal: the race is meant to be run.
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory.path / "own")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    ) as parent:
        try:
            assert parent.stdout is not None
            pid = next(int(pid) for what, pid in map(str.split, parent.stdout) if what == moment)
        finally:
            parent.send_signal(signal.SIGKILL)
        assert wait_for_end(parent.pid, 5)
        assert wait_for_end(pid, 5)
