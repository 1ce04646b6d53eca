"""``python -m examples.run``: native services, the page and the gateway, until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

import yaml

from examples.commands import example_commands
from examples.console import colour, print_exchange, print_line
from examples.natives.service import PortInUse
from examples.servers import CONFIGURATION, Ports, start_native_services, start_pages

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CROSSGATE = str(Path(sys.executable).with_name("crossgate"))
DATA = Path(__file__).parents[1] / ".cache" / "example"
_STOP_SECONDS = 30.0
_BAD_INPUT = 2


class _Interrupted(BaseException):
    """Raised by a signal that ends the program."""


def run(ports: Ports, configuration: Path, data: Path) -> int:
    """Run everything until a signal: 0. Otherwise the gateway's exit code, or 2 if a port is in use.

    ``data`` is emptied: each run begins with the configuration alone.
    """
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        with ExitStack() as stack:
            return _run(stack, ports, configuration, data)
    except PortInUse as in_use:
        sys.stderr.write(f"{in_use}\n")
        return _BAD_INPUT
    except _Interrupted:
        return 0


def _run(stack: ExitStack, ports: Ports, configuration: Path, data: Path) -> int:
    start_native_services(stack, ports, print_exchange)
    start_pages(stack, ports)
    if _is_open(ports.gateway):
        raise PortInUse("the gateway (or change `listen` in examples/gateway.yaml)", ports.gateway)
    if _is_open(ports.admin):
        raise PortInUse("the admin API", ports.admin)
    shutil.rmtree(data, ignore_errors=True)
    gateway = stack.enter_context(_gateway(ports, data))
    token = data / "first-token"
    while gateway.poll() is None:
        if token.exists() and token.stat().st_size and _is_open(ports.admin):
            applied = _apply(configuration, ports, token.read_text(encoding="utf-8").strip())
            if applied:
                return applied
            _print_introduction(ports, token, _console_link(ports, data))
            return _wait(gateway)
        time.sleep(0.05)
    return gateway.returncode


def _apply(configuration: Path, ports: Ports, token: str) -> int:
    """Make the configuration the gateway's, as `crossgate apply` does; returns its exit code."""
    command = [_CROSSGATE, "apply", str(configuration), "--message", "The example"]
    environment = {**os.environ, "CROSSGATE_SERVER": ports.url("admin"), "CROSSGATE_TOKEN": token}
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode


def _console_link(ports: Ports, data: Path) -> str:
    command = [_CROSSGATE, "console", "--data", str(data), "--server", ports.url("admin")]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def _wait(gateway: subprocess.Popen[bytes]) -> int:
    """The exit code. Without a timeout, the wait would miss a signal that comes just before it."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return gateway.wait(0.2)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # A second Ctrl-C would end the clean-up and leave the gateway running.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _Interrupted


def _ports() -> Ports:
    """The ports, with the gateway's from its file. `crossgate run` reports what is wrong with the file."""
    try:
        listen = yaml.safe_load(CONFIGURATION.read_bytes())["gateway"]["listen"]
        return replace(Ports(), gateway=int(str(listen).rpartition(":")[2]))
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        return Ports()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _gateway(ports: Ports, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    # In its own process group: Ctrl-C does not reach it, and it ends by the SIGTERM below.
    # Text in a pipe too: it stands among the example's own lines.
    process = subprocess.Popen(
        [
            *(_CROSSGATE, "run", "--data", str(data), "--log-format", "text"),
            "--no-console-link",
            *("--listen", f"127.0.0.1:{ports.gateway}", "--admin", f"127.0.0.1:{ports.admin}"),
        ],
        stdin=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _print_introduction(ports: Ports, token: Path, link: str) -> None:
    new_link = f"{_CROSSGATE} console --data {token.parent} --server {ports.url('admin')}"
    lines = ["", colour("Open the console (the link works once, within 10 minutes):", "1")]
    lines += [f"  {colour(link, '34')}", f"  {colour(f'For a new link: {new_link}', '2')}", ""]
    lines += [colour("Open a page in the browser and press “Send all”:", "1")]
    for role, about in (
        ("page", "an origin that the policies allow"),
        ("storefront", "the JavaScript origin of an application"),
        ("stranger", "an origin that is refused"),
    ):
        lines.append(f"  {colour(ports.url(role), '34')}  {about}")
    lines += ["", colour("Commands and their responses:", "1")]
    for each in example_commands(ports):
        lines.append(f"  {each.command}")
        lines.append(colour(f"      {each.status}, {each.contains}   ({each.about})", "2"))
    lines += [
        "",
        "Allow http://test.com in the console, or add it to petstore in examples/gateway.yaml, and apply it:",
        f"  CROSSGATE_TOKEN=$(cat {token}) {_CROSSGATE} apply examples/gateway.yaml",
        "The second command then gets 200. Press Ctrl-C to stop; the next run begins anew.",
        "",
        colour("Requests that reach a native service:", "1"),
    ]
    print_line("\n".join(lines))


if __name__ == "__main__":
    sys.exit(run(_ports(), CONFIGURATION, DATA))
