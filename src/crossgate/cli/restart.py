"""The restart of a verb that serves: a start on trial, and then this process executes its program again.

The trial is a child with the same command line and the code that is installed now. It reads the options and
the document, looks for Envoy, and ends. So an upgrade that is not complete, or a document with errors, is
found while everything still runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from crossgate.app.events import Emit, Restarting, RestartRefused
from crossgate.app.take_over import TakeOver
from crossgate.cli.execute_again import ExecuteAgain
from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.handover import VARIABLE, Handover

_TRIAL: Final = "CROSSGATE_TRIAL"
"""Set in the environment of a start on trial, to the id of the process that waits for it."""
_TRIAL_SECONDS: Final = 120.0
_MOST_REASONS: Final = 100
_EXECUTE_EVERY: Final = 1.0
"""Seconds between two tries to execute the next program."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def has_controlling_terminal() -> bool:
    """Whether this process has a terminal, whose end SIGHUP then means (termios(3), setsid(2))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def is_trial(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this start is on trial: it is to end before it opens anything that the other process uses."""
    return environment.get(_TRIAL) == str(os.getppid())


def try_start(source: object, find_envoy: Callable[[], EnvoyBinary] | None) -> None:
    """What a start on trial does; raises InvalidInput if a file has errors, or Envoy cannot run."""
    if isinstance(source, Path):
        from crossgate.app.file_source import FileSource

        FileSource.open(source)
    if find_envoy is not None:
        find_envoy()


class Restarts:
    """Handles the requests to restart, one after another."""

    def __init__(self, take_over: TakeOver, emit: Emit) -> None:
        self._take_over = take_over
        self._emit = emit
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Restart, unless a start on trial fails. Requests during a trial are one more."""
        self._requested.set()

    async def run(self) -> None:
        """Handle requests until one succeeds."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            reasons = await _reasons_against_a_start()
            if not reasons:
                break
            self._emit(RestartRefused(reasons))
        if not self._take_over.stopping.is_set():
            self._emit(Restarting())
            self._take_over.replace()


async def _reasons_against_a_start() -> tuple[str, ...]:
    program, *arguments = _command()
    try:
        trial = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, _TRIAL: str(os.getpid())},
        )
    except OSError as error:
        return (f"{program}: {error.strerror}",)
    try:
        async with asyncio.timeout(_TRIAL_SECONDS):
            logged, refused = await trial.communicate()
    except TimeoutError:
        trial.kill()
        await trial.wait()
        return (f"no result within {_TRIAL_SECONDS:.0f} s",)
    except asyncio.CancelledError:
        trial.kill()
        await trial.wait()
        raise
    if trial.returncode == 0:
        return ()
    # Refused input is on standard error; an exception that nothing handled is in the log.
    output = (refused if refused.strip() else logged).decode(errors="replace")
    lines = [_message(line) for line in output.splitlines() if line.strip()]
    return tuple(lines[-_MOST_REASONS:]) or (f"it ended with status {trial.returncode}",)


def _message(line: str) -> str:
    """The message of a line of the log, with the last line of its exception."""
    with suppress(ValueError):
        read = json.loads(line)
        if isinstance(read, dict) and isinstance(read.get("message"), str):
            exception = str(read.get("exception", "")).strip().splitlines()
            return ": ".join([read["message"], *exception[-1:]])
    return line


def _command() -> list[str]:
    """The command line of this process.

    A script is executed itself: its first line may name another interpreter since.
    """
    script = Path(sys.argv[0])
    with suppress(OSError), script.open("rb") as opened:
        if opened.read(2) == b"#!" and os.access(script, os.X_OK):
            return [str(script.absolute()), *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]


def execute_again(handover: Handover, stop: signal.Signals | None) -> ExecuteAgain:
    """The end of this program, which leaves its process to the next one.

    From now on signals wait for the next program: before it handles them, they would end the process, and
    Envoy with it. ``stop`` is one that came too late for this program.

    While the program cannot be executed, as in the middle of an upgrade, Envoy goes on serving, and each
    second or signal brings another try.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if stop is not None:
        os.kill(os.getpid(), stop)
    command = _command()

    def execute() -> NoReturn:
        for entry in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # the one of this directory
                os.set_inheritable(int(entry.name), int(entry.name) in inherited)
        environment = {**os.environ, VARIABLE: handover.encode()}
        reported = False
        while True:
            try:
                os.execve(command[0], command, environment)  # noqa: S606 - no shell is the point
            except OSError as error:
                if not reported:
                    reported = True
                    _report_failure(command[0], error)
            received = signal.sigtimedwait(SIGNALS, _EXECUTE_EVERY)
            if received is not None and received.si_signo != signal.SIGHUP:
                sys.exit(128 + received.si_signo)
            for one in handover.envoys:
                _discard(one.log_descriptor)

    inherited = {0, 1, 2, *handover.descriptors}
    return ExecuteAgain(execute)


def _report_failure(program: str, error: OSError) -> None:
    # The log is closed; its reader may be gone.
    with suppress(OSError):
        print(
            f"crossgate: {program} cannot be executed: {error.strerror}. Envoy goes on serving; complete the"
            " upgrade, and the restart goes on by itself",
            file=sys.stderr,
            flush=True,
        )


def _discard(descriptor: int) -> None:
    """Empty the pipe of an Envoy's log: if it were full, Envoy would wait."""
    os.set_blocking(descriptor, False)
    with suppress(OSError):
        while os.read(descriptor, 1 << 16):
            pass
