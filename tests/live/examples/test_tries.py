"""The commands that ``make run`` prints, and those of the README, run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from examples.natives.service import Service
from examples.places import Places, start_natives
from examples.tries import tries
from tests.documents import Command, steps
from tests.gateway import running_gateway
from tests.ports import deaf_port, free_ports

ROOT = Path(__file__).parents[3]


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[Places, Mapping[str, Service]]]:
    with ExitStack() as stack:
        gateway, pets, stock, catalog, parcels = free_ports(5)
        nobody = stack.enter_context(deaf_port())
        places = Places(gateway, pets=pets, stock=stock, catalog=catalog, parcels=parcels, nobody=nobody)
        natives = start_natives(stack, places)
        stack.enter_context(running_gateway(places.configuration(), tmp_path))
        yield places, natives


def output_of(command: str) -> str:
    run = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, "no_proxy": "*"},
    )
    return run.stdout


@pytest.mark.live
def test_every_command_does_what_is_said_of_it(example: tuple[Places, Mapping[str, Service]]) -> None:
    places, natives = example
    for each in tries(places):
        seen_before = sum(len(native.log.seen()) for native in natives.values())
        output = output_of(each.command)
        seen = sum(len(native.log.seen()) for native in natives.values()) - seen_before
        assert output.startswith(f"HTTP/1.1 {each.status} "), each.command
        assert each.contains.lower() in output.lower(), each.command
        assert seen == each.arrives, each.command


@pytest.mark.live
def test_the_readme_does_what_it_says(example: tuple[Places, Mapping[str, Service]]) -> None:
    places, _ = example
    commands = [step for step in steps(ROOT / "README.md") if isinstance(step, Command)]
    assert len(commands) >= 2
    for command in commands:
        assert command.is_answered_by(output_of(places.moved(command.line))), command.line
