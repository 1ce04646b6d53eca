"""The commands that ``make run`` prints, run."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from examples.places import Places, start_natives
from examples.tries import tries
from tests.gateway import running_gateway
from tests.ports import deaf_port, free_ports


@pytest.mark.live
def test_every_command_does_what_is_said_of_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        gateway, pets, stock, catalog, parcels = free_ports(5)
        nobody = stack.enter_context(deaf_port())
        places = Places(gateway, pets=pets, stock=stock, catalog=catalog, parcels=parcels, nobody=nobody)
        natives = start_natives(stack, places)
        stack.enter_context(running_gateway(places.configuration(), tmp_path))
        for each in tries(places):
            seen_before = sum(len(native.log.seen()) for native in natives.values())
            run = subprocess.run(
                ["sh", "-c", each.command],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
                env={**os.environ, "no_proxy": "*"},
            )
            seen = sum(len(native.log.seen()) for native in natives.values()) - seen_before
            assert run.stdout.startswith(f"HTTP/1.1 {each.status} "), each.command
            assert each.contains.lower() in run.stdout.lower(), each.command
            assert seen == each.arrives, each.command
