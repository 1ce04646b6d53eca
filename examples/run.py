"""``python -m examples.run``: native services, the page and the gateway, until Ctrl-C."""

from __future__ import annotations

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

from examples.console import colour, say, show_exchange
from examples.natives.service import PortTaken
from examples.places import CONFIGURATION, Places, start_natives, start_pages
from examples.tries import tries

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CROSSGATE = str(Path(sys.executable).with_name("crossgate"))
_STOP_SECONDS = 30.0
_BAD_INPUT = 2


class _Ended(BaseException):
    """A signal asked for the end."""


def run(places: Places, configuration: Path) -> int:
    """Run everything until told to stop: 0; else the exit code of the gateway, or 2 for a taken port."""
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        with ExitStack() as stack:
            return _run(stack, places, configuration)
    except PortTaken as taken:
        sys.stderr.write(f"{taken}\n")
        return _BAD_INPUT
    except _Ended:
        return 0


def _run(stack: ExitStack, places: Places, configuration: Path) -> int:
    start_natives(stack, places, show_exchange)
    start_pages(stack, places)
    if _is_open(places.gateway):
        raise PortTaken(
            "the gateway (or choose another as `listen` in examples/gateway.yaml)", places.gateway
        )
    gateway = stack.enter_context(_gateway(configuration))
    while gateway.poll() is None:
        if _is_open(places.gateway):
            _say_what_to_try(places)
            return _ended(gateway)
        time.sleep(0.05)
    return gateway.returncode


def _ended(gateway: subprocess.Popen[bytes]) -> int:
    """The exit code, when there is one. A wait without limit misses a signal that comes just before it."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return gateway.wait(0.2)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: an impatient second Ctrl-C would leave the gateway behind.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _Ended


def _places() -> Places:
    """The example's places, the gateway where its file says; what is wrong with the file, `run` reports."""
    try:
        listen = yaml.safe_load(CONFIGURATION.read_bytes())["gateway"]["listen"]
        return replace(Places(), gateway=int(str(listen).rpartition(":")[2]))
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        return Places()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _gateway(configuration: Path) -> Iterator[subprocess.Popen[bytes]]:
    # In a process group of its own a Ctrl-C reaches it once, from here, as SIGTERM.
    process = subprocess.Popen(
        [_CROSSGATE, "run", str(configuration)], stdin=subprocess.DEVNULL, process_group=0
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


def _say_what_to_try(places: Places) -> None:
    lines = ["", colour("The page, in a browser; press “Send all”:", "1")]
    for role, about in (
        ("page", "an origin that the policies allow"),
        ("storefront", "the JavaScript origin of an application"),
        ("stranger", "an origin that is refused"),
    ):
        lines.append(f"  {colour(places.url(role), '34')}  {about}")
    lines += ["", colour("Commands, and what to expect:", "1")]
    for each in tries(places):
        lines.append(f"  {each.command}")
        lines.append(colour(f"      {each.status}, {each.contains}   ({each.about})", "2"))
    lines += [
        "",
        "Edit examples/gateway.yaml while it runs: add http://test.com to the origins of petstore, save,",
        "and the second command is answered 200. Ctrl-C ends everything.",
        "",
        colour("Below: every request that a native service sees.", "1"),
    ]
    say("\n".join(lines))


if __name__ == "__main__":
    sys.exit(run(_places(), CONFIGURATION))
