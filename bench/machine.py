"""The machine that is measured on: its cores, and what a process has used up of it."""

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
    """One core for what is measured, another for all that measures; the same one if there is no other."""

    measured: int
    measuring: int


@cache
def cores() -> Cores:
    """The first and the last core that this process may use when it is asked for the first time."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


def pin(pid: int, core: int) -> None:
    """Keep every thread of the process on one core."""
    for thread in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cpu_seconds(pids: list[int]) -> float:
    """What all threads of these processes have spent on a processor; proc(5), schedstat, its first field."""
    spent = 0
    for pid in pids:
        for thread in (_PROC / str(pid) / "task").iterdir():
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


def busy_seconds() -> float:
    """What all processors together have been busy with, since the start of the machine; proc(5), stat."""
    user, nice, system, _idle, _wait, irq, soft_irq, steal = map(
        int, (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """Anonymous memory of the process that is in RAM: its own data, without its program."""
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"the kernel does not tell what process {pid} uses")


def description() -> str:
    """The day, the processor, the number of its cores, and how busy the machine is with other things."""
    models = [
        line.partition(":")[2].strip()
        for line in (_PROC / "cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    day = datetime.now(UTC).date()
    model = models[0] if models else platform.machine()
    return f"{day}, {model}, {os.cpu_count()} cores, load {load:.1f} before the run"
