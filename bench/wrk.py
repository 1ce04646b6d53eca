"""Bursts of requests by wrk(1), and the processor time that the server used for them."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import busy_seconds, cpu_seconds

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Shot:
    """The request that a burst repeats."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Burst:
    """The result of a burst."""

    requests_per_second: float
    cpu_microseconds: float
    """The server's processor time per request."""
    others: float
    """Processors that other programs used during the burst: near 0 on an idle machine."""


def wrk() -> str:
    """The path of wrk; exits if it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        sys.exit("wrk is not installed: run scripts/prerequisites wrk nginx")
    return found


def burst(
    shot: Shot,
    pids: list[int],
    seconds: int,
    core: int,
    helper_pids: Sequence[int] = (),
    *,
    refused: bool = False,
) -> Burst:
    """Repeat the request over several connections; fails if a response is not a success, or ``refused``.

    ``pids`` are the server's processes, ``helper_pids`` other processes of the measurement.
    """
    script = [f"wrk.method = {json.dumps(shot.method)}"]
    script += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(text)}" for name, text in shot.headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        Path(file.name).write_text("\n".join(script), encoding="utf-8")
        before, ours, busy, began = cpu_seconds(pids), _ours(helper_pids), busy_seconds(), time.monotonic()
        pinned = ["taskset", "--cpu-list", str(core), wrk()]
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--script", file.name]
        done = subprocess.run([*pinned, *options, shot.url], stdout=subprocess.PIPE, text=True, check=True)
        elapsed, spent = time.monotonic() - began, cpu_seconds(pids) - before
        others = busy_seconds() - busy - spent - (_ours(helper_pids) - ours)
    failed = re.search(r"Socket errors.*" if refused else r"Non-2xx.*|Socket errors.*", done.stdout)
    if failed:
        raise RuntimeError(f"{shot.method} {shot.url}: {failed[0]}")
    return Burst(
        float(_number(r"Requests/sec:\s+([0-9.]+)", done.stdout)),
        spent / int(_number(r"([0-9]+) requests in", done.stdout)) * 1e6,
        max(0.0, others / elapsed),
    )


def _ours(helper_pids: Sequence[int]) -> float:
    """Processor time of wrk, this process and its helpers so far."""
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return waited_for.ru_utime + waited_for.ru_stime + time.process_time() + cpu_seconds([*helper_pids])


def _number(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"unexpected output of wrk:\n{text}")
    return found[1]
