"""The log of the verbs that serve: everything that the process writes, one line each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from tests.command import ENVIRONMENT

from crossgate.cli.log_pipe import LogPipe

BEGIN = """
import asyncio, logging, os, sys, threading, time, warnings
from crossgate.cli.process import process_log
from crossgate.service.log import Log, LogFormat, LogLevel
log = Log("test")
"""
EVERY_SOURCE = """
class Stays:
    def __del__(self):
        raise RuntimeError("from a finalizer")

def route(secret):
    raise RuntimeError("from a route")

def fail():
    raise RuntimeError("from a thread")

async def forgotten():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    asyncio.create_task(raising())
    await asyncio.sleep(0.01)

async def raising():
    raise RuntimeError("from a task")

with process_log(LogFormat.AUTO, LogLevel.INFO):
    log.info("from the program", count=3, ratio=float("nan"), names=("a", "b"), time="not its time")
    log.debug("not logged")
    logging.getLogger("uvicorn.error").warning("from %s", "a library")
    logging.getLogger("uvicorn.error").info("not logged")
    logging.getLogger("library").warning("does %d not fit", "this")
    warnings.warn("from a warning")
    os.write(2, b"from a C library, \\xff\\n\\nand again\\n")
    os.write(2, b"W0000 00:00:1764332852.1 7 a.cc:1] from gRPC\\n")
    print("from a print", file=sys.stderr)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    asyncio.run(forgotten())
    Stays()
    os.system("echo from a child >&2")
    try:
        route("cgt_" + "x" * 43)
    except RuntimeError:
        log.exception("the route failed", method="GET")
    raise RuntimeError("from the end")
"""
HOSTILE = r"""
value = "\x1b[2J\x1b]0;x\x07\r\nforged\u202e\ud800<script>=cmd()\u2028" + "x" * 100_000
with process_log(LogFormat(sys.argv[1]), LogLevel.INFO):
    log.warning("hostile", origin=value, plain="a.example", quoted='a "b"=c')
    log.warning("hostile " + value)
    os.write(2, b"\x1b[31m" + b"y" * 200_000 + b"\n")
"""
STUCK = """
with process_log(LogFormat.JSON, LogLevel.INFO):
    for number in range(30_000):
        log.info("line %d" % number, padding="x" * 100)
    sys.stderr.flush()
os.write(2, b"ended")
"""


def run(program: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program, *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done
    return done


def read(output: bytes) -> list[dict[str, Any]]:
    lines = [json.loads(line.decode("ascii")) for line in output.splitlines()]
    for line in lines:
        assert list(line)[:3] == ["time", "level", "message"]
        assert line["level"] in ("debug", "info", "warning", "error")
        assert line["time"].endswith("Z")
        assert "\n" not in line["message"]
    return lines


def test_every_source_of_output_becomes_lines_of_json() -> None:
    done = run(EVERY_SOURCE, code=1)

    assert done.stderr == b""
    lines = read(done.stdout)
    by_message = {line["message"]: line for line in lines}
    program = by_message["from the program"]
    assert (program["count"], program["ratio"], program["names"]) == (3, "nan", ["a", "b"])
    assert (program["time_"], program["logger"], program["level"]) == ("not its time", "test", "info")
    assert by_message["from a library"]["logger"] == "uvicorn.error"
    assert "does %d not fit" in by_message
    assert any("UserWarning: from a warning" in message for message in by_message)
    raw = {"from a C library, \ufffd", "and again", "from a print", "from a child"}
    stderr = {line["message"]: line["level"] for line in lines if line["logger"] == "stderr"}
    assert stderr.pop("W0000 00:00:1764332852.1 7 a.cc:1] from gRPC") == "warning"
    assert stderr == dict.fromkeys(raw, "error")
    failures = [line["exception"] for line in lines if "exception" in line]
    for source in ("a thread", "a task", "a finalizer", "a route", "the end"):
        assert [one for one in failures if one.endswith(f"RuntimeError: from {source}")], failures
    assert [one for one in failures if "ZeroDivisionError" in one]
    assert by_message["the route failed"]["method"] == "GET"
    assert "not logged" not in by_message
    assert b"cgt_xxxx" not in done.stdout


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_hostile_values_are_escaped_and_shortened(log_format: str) -> None:
    output = run(HOSTILE, log_format).stdout

    lines = output.decode("ascii" if log_format == "json" else "utf-8").splitlines()
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 16 * 1024 for line in lines)
    if log_format == "json":
        assert len(read(output)) == 3
        return
    assert all(line[:1] == "2" and line[24:33] in (" warning ", " error   ") for line in lines)
    assert "hostile origin=" in lines[0]
    assert lines[0].endswith('plain=a.example quoted="a \\"b\\"=c"')


def test_refused_input_is_logged_to_standard_error() -> None:
    program = """
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
with process_log(LogFormat.JSON, LogLevel.ERROR):
    log.info("not logged")
    raise InvalidInput([Diagnostic("a", "b \\x1b", "C", Place(("d", 0), "e.yaml", 3, 4), "f")])
"""
    done = run(program, code=2)

    [line] = read(done.stderr)
    assert done.stdout == b""
    assert line["message"] == "e.yaml:3:4 $.d[0]: error: b \x1b (found f). C [a]"
    assert (line["level"], line["code"], line["line"], line["path"]) == ("error", "a", 3, "$.d[0]")


@pytest.mark.parametrize("output", ["unread", "closed", "full", "absent"])
def test_output_that_nobody_takes_stops_nothing(output: str) -> None:
    reading, writing = os.pipe()
    if output == "closed":
        os.close(reading)
    target = os.open("/dev/full", os.O_WRONLY) if output == "full" else writing
    closing = ("sh", "-c", 'exec "$@" >&-', "sh") if output == "absent" else ()
    done = subprocess.run(
        [*closing, sys.executable, "-c", BEGIN + STUCK],
        env=ENVIRONMENT,
        stdout=target,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"ended")


def test_lines_that_do_not_fit_are_counted_where_they_are_missing() -> None:
    reading, writing = os.pipe()
    pipe = LogPipe(writing, lambda count: f"dropped {count}", most_queued=1_000_000)
    total = 40_000
    for number in range(total):
        pipe.put(f"{number} {'x' * 90}")
    dropped = pipe.dropped
    assert 0 < dropped < total

    received, rest = read_lines(reading, b"", until=b"dropped ")
    *_, last, count = received
    pipe.put("after")
    received_after, _ = read_lines(reading, rest, until=b"after")
    pipe.close()
    assert count == b"dropped %d" % dropped
    assert int(last.split()[0]) == total - dropped - 1
    assert received_after == [b"after"]


def test_lines_wait_for_a_disk_that_is_full_for_a_while(tmp_path: Any) -> None:
    """An unwritable descriptor that becomes writable: no line is lost, none is cut."""
    target = os.open(tmp_path / "log", os.O_RDONLY | os.O_CREAT)
    pipe = LogPipe(target, str)
    for number in range(5):
        pipe.put(f"line {number}")
    time.sleep(0.05)
    writable = os.open(tmp_path / "log", os.O_WRONLY | os.O_APPEND)
    os.dup2(writable, target)
    pipe.put("line 5")
    deadline = time.monotonic() + 20
    while len((tmp_path / "log").read_bytes().splitlines()) < 6:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pipe.close()
    assert (tmp_path / "log").read_text() == "".join(f"line {number}\n" for number in range(6))


def read_lines(descriptor: int, rest: bytes, until: bytes) -> tuple[list[bytes], bytes]:
    """The lines up to the one that begins so, and what was read beyond."""
    found: list[bytes] = []
    while True:
        *lines, rest = rest.split(b"\n")
        while lines:
            found.append(lines.pop(0))
            if found[-1].startswith(until):
                return found, b"\n".join([*lines, rest])
        rest += os.read(descriptor, 65536)
