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
import asyncio
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.dataplane.lifecycle_events import EnvoyReady, EnvoyStarted
from crossgate.dataplane.process import Envoy, EnvoySettings
from tests.live.dataplane.static import static_bootstrap
from tests.ports import free_ports

def report(event):
    if isinstance(event, EnvoyStarted | EnvoyReady):
        print(type(event).__name__, event.pid, flush=True)

async def main():
    with create_runtime_directory() as directory:
        bootstrap = static_bootstrap(directory.admin_socket, free_ports(1)[0], 9)
        settings = EnvoySettings(find_envoy(), bootstrap, directory, concurrency=1)
        async with Envoy(settings, report) as envoy:
            await envoy.stopped()

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["EnvoyStarted", "EnvoyReady"])
def test_the_parent_is_killed(moment: str, directory: RuntimeDirectory) -> None:
    # "EnvoyStarted" may come before the launcher requests its death signal: the race is intended.
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}", "XDG_RUNTIME_DIR": str(directory.path)},
    ) as parent:
        try:
            assert parent.stdout is not None
            pid = next(int(pid) for what, pid in map(str.split, parent.stdout) if what == moment)
        finally:
            parent.send_signal(signal.SIGKILL)
        assert wait_for_end(parent.pid, 5)
        assert wait_for_end(pid, 5)
