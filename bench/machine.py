"""The cores of this machine, and the processor time and memory of processes."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the measured server and the core of the load generator; the same if there is only one."""

    measured: int
    measuring: int


@cache
def cores() -> Cores:
    """The first and the last core that this process may use, as found by the first call."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


def pin(pid: int, core: int) -> None:
    """Keep every thread of the process on one core."""
    for thread in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of all threads of these processes: the first field of schedstat, see proc(5)."""
    spent = 0
    for pid in pids:
        for thread in (_PROC / str(pid) / "task").iterdir():
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


def busy_seconds() -> float:
    """Busy time of all processors since the machine started: stat, see proc(5)."""
    user, nice, system, _idle, _wait, irq, soft_irq, steal = map(
        int, (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """Resident anonymous memory of the process: its data, without its program."""
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no RssAnon for process {pid}")


def description() -> str:
    """The date, the processor, the number of cores, and the load before the run."""
    models = [
        line.partition(":")[2].strip()
        for line in (_PROC / "cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    day = datetime.now(UTC).date()
    model = models[0] if models else platform.machine()
    return f"{day}, {model}, {os.cpu_count()} cores, load {load:.1f} before the run"
