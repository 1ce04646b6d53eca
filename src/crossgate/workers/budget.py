"""How much one worker may use, and the limits of the operating system that hold it to that."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_GRACE_SECONDS: Final = 3
"""Processor time for saying what took long, before the system ends the worker."""


@dataclass(frozen=True, slots=True)
class WorkBudget:
    """What one worker may use."""

    cpu_seconds: float = 30
    """Of processor time. 5,000 new APIs take about 10 s on a slow machine."""
    seconds: float = 120
    """From start to end, on a machine where others take the processors."""
    memory: int = 1024 * 2**20
    """Bytes of address space, besides what it shares with the other workers."""


def limit_this_process(budget: WorkBudget, on_overrun: Callable[[], None]) -> None:
    """Hold this process to the budget; ``on_overrun`` is called in the main thread when its time is up."""
    signal.signal(signal.SIGPROF, lambda _number, _frame: on_overrun())
    signal.setitimer(signal.ITIMER_PROF, budget.cpu_seconds)
    # A long call into C delays the handler; this does not wait for it.
    hard = int(budget.cpu_seconds) + _GRACE_SECONDS
    _lower(resource.RLIMIT_CPU, hard)
    _lower(resource.RLIMIT_AS, _address_space() + budget.memory)
    _lower(resource.RLIMIT_CORE, 0)
    # If the machine runs out of memory, the worker is ended before the control plane or Envoy.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def lift_time_limit() -> None:
    """Let this process finish: its answer is ready."""
    signal.setitimer(signal.ITIMER_PROF, 0)


def _lower(what: int, limit: int) -> None:
    _, most = resource.getrlimit(what)
    allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
    resource.setrlimit(what, (allowed, most))


def _address_space() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
