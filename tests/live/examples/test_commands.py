"""The commands that ``make run`` prints, and those of the README, run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from examples.commands import example_commands
from examples.natives.service import Service
from examples.servers import Ports, start_native_services
from tests.command import running_gateway
from tests.executable_docs import Command, steps
from tests.ports import free_ports, refusing_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[Ports, Mapping[str, Service]]]:
    with ExitStack() as stack:
        gateway, pets, stock, catalog, parcels = free_ports(5)
        nobody = stack.enter_context(refusing_port())
        ports = Ports(gateway, pets=pets, stock=stock, catalog=catalog, parcels=parcels, unreachable=nobody)
        natives = start_native_services(stack, ports)
        file = tmp_path / "gateway.yaml"
        file.write_text(ports.configuration(), encoding="utf-8")
        stack.enter_context(running_gateway(file))
        yield ports, natives


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
def test_every_command_gets_the_documented_response(example: tuple[Ports, Mapping[str, Service]]) -> None:
    ports, natives = example
    for each in example_commands(ports):
        seen_before = sum(len(native.log.seen()) for native in natives.values())
        output = output_of(each.command)
        seen = sum(len(native.log.seen()) for native in natives.values()) - seen_before
        assert output.startswith(f"HTTP/1.1 {each.status} "), each.command
        assert each.contains.lower() in output.lower(), each.command
        assert seen == each.forwarded, each.command


@pytest.mark.live
def test_the_commands_of_the_readme(example: tuple[Ports, Mapping[str, Service]]) -> None:
    ports, _ = example
    commands = [step for step in steps(ROOT / "README.md") if isinstance(step, Command)]
    assert len(commands) >= 2
    for command in commands:
        assert command.matches(output_of(ports.replace_defaults(command.line))), command.line
