"""The process of a verb that serves: signals, and the log, through which everything is written."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import UnsupportedOperation
from typing import Final, TextIO

from crossgate.app.events import Emit
from crossgate.app.health import HealthOptions
from crossgate.app.service_manager import STOPPING, notify_service_manager
from crossgate.app.take_over import TakeOver
from crossgate.app.tasks import background_task
from crossgate.cli.execute_again import ExecuteAgain
from crossgate.cli.log_pipe import LogPipe
from crossgate.cli.output.log_lines import Render, render_json, text_renderer
from crossgate.cli.restart import SIGNALS, Restarts, execute_again, has_controlling_terminal
from crossgate.cli.stray_output import stray_output_logged
from crossgate.dataplane.handover import take_handover
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.log import Log, LogFormat, LogLevel, log_level

_LOG: Final = Log("process")
_BAD_INPUT: Final = 2
_FAILED: Final = 1


def run_until_signal(
    work: Callable[[TakeOver], Coroutine[None, None, None]],
    emit: Emit,
    health: HealthOptions | None,
    drain_seconds: float,
) -> None:
    """Run ``work`` until it ends, or its ``end`` is set: by SIGINT and SIGTERM, which stop this process.

    SIGHUP stops it if it has a controlling terminal. Otherwise the process executes its program again.

    Raises:
        ExecuteAgain: the work has ended for the next program.

    """
    handover = take_handover()
    if os.geteuid() == 0:
        # No part of it needs root: a fault in what clients reach would have all of the machine.
        _LOG.warning("Running as root, which nothing needs: use a user of its own", event="root")
    # A terminal that was closed cannot be found any more.
    stops = SIGNALS if has_controlling_terminal() else (signal.SIGINT, signal.SIGTERM)

    async def main() -> ExecuteAgain | None:
        late: list[signal.Signals] = []
        async with TakeOver(emit, handover, drain_seconds) as take_over:

            def stop(number: signal.Signals) -> None:
                if take_over.is_replaced:
                    late.append(number)
                else:
                    notify_service_manager(STOPPING)
                    take_over.stop()

            restarts = Restarts(take_over, emit)
            loop = asyncio.get_running_loop()
            for number in SIGNALS:
                if number in stops:
                    loop.add_signal_handler(number, stop, number)
                else:
                    loop.add_signal_handler(number, restarts.request)
            # They may have been blocked by the previous program.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            async with background_task(restarts.run()):
                await take_over.run(work(take_over), health)
        if take_over.next is None:
            return None
        return execute_again(take_over.next, late[0] if late else None)

    replaced = asyncio.run(main())
    if replaced is not None:
        raise replaced


@contextmanager
def process_log(log_format: LogFormat, level: LogLevel) -> Iterator[Callable[[], int]]:
    """Write every line of the process through the log, to standard output, while the context lasts.

    The context's value is a function that returns how many lines were dropped.

    Refused input is written to standard error, in the same format, and ends the process with exit code 2; an
    exception that nothing handles is logged, and ends it with 1.
    """
    refusals: Sequence[Diagnostic] = ()
    failed = False
    with ExitStack() as stack:
        stack.enter_context(log_level(level))
        dropped_lines = stack.enter_context(_handling_records(log_format))
        stack.enter_context(_hooks_log())
        if _descriptor(sys.stderr) is not None:
            stack.enter_context(stray_output_logged())
        try:
            yield dropped_lines
        except InvalidInput as refused:
            refusals = refused.diagnostics
        except (ModuleNotFoundError, SystemExit):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the log has it
            _LOG.exception("Crossgate failed")
            failed = True
    if refusals:
        _print_refusals(log_format, refusals)
    if refusals or failed:
        # Without it as context: the log has it.
        raise SystemExit(_BAD_INPUT if refusals else _FAILED) from None


class _PipeHandler(logging.Handler):
    def __init__(self, render: Render, put: Callable[[str], None]) -> None:
        super().__init__()
        self._render = render
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self._render(record)
        except Exception as error:  # noqa: BLE001 - a log must not fail those who write to it
            fallback = f"a line of the logger {record.name} cannot be rendered: {type(error).__name__}"
            line = self._render(_record(LogLevel.ERROR, fallback))
        self._put(line)


@contextmanager
def _handling_records(log_format: LogFormat) -> Iterator[Callable[[], int]]:
    """The value is a function that returns how many lines were dropped."""
    render = _renderer(log_format, sys.stdout)
    with ExitStack() as stack:
        descriptor = _descriptor(sys.stdout)
        dropped_lines: Callable[[], int] = _none
        if descriptor is not None:
            # A copy: the thread may write to it for longer than standard output is open.
            pipe = LogPipe(os.dup(descriptor), lambda count: render(_dropped(count)))
            stack.callback(pipe.close)
            dropped_lines = pipe.dropped_lines
            handler = _PipeHandler(render, pipe.put)
        else:
            stream = sys.stdout
            handler = _PipeHandler(render, lambda line: print(line, file=stream))
        root = logging.getLogger()
        root.addHandler(handler)
        stack.callback(root.removeHandler, handler)
        yield dropped_lines


def _none() -> int:
    return 0


@contextmanager
def _hooks_log() -> Iterator[None]:
    """Log warnings, and exceptions that no thread handles."""
    before = threading.excepthook, sys.unraisablehook
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        threading.excepthook, sys.unraisablehook = before


def _log_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_type is not SystemExit:
        name = "" if failure.thread is None else failure.thread.name
        _LOG.exception("A thread failed", cause=failure.exc_value, thread=name)


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    _LOG.exception("An exception was ignored", cause=failure.exc_value, object=repr(failure.object))


def _print_refusals(log_format: LogFormat, refusals: Sequence[Diagnostic]) -> None:
    # The start failed: nobody waits for these modules.
    from crossgate.cli.output.events import diagnostic_fields

    render = _renderer(log_format, sys.stderr)
    with suppress(OSError):
        for one in refusals:
            print(
                render(_record(LogLevel(one.severity.value), str(one), diagnostic_fields(one))),
                file=sys.stderr,
            )


def _renderer(log_format: LogFormat, stream: TextIO | None) -> Render:
    terminal = stream is not None and stream.isatty()
    if log_format is LogFormat.JSON or (log_format is LogFormat.AUTO and not terminal):
        return render_json
    return text_renderer(colours=terminal and not os.environ.get("NO_COLOR"))


def _descriptor(stream: TextIO | None) -> int | None:
    """The descriptor of the stream; None if it was closed before the start, or is a string buffer."""
    try:
        return None if stream is None else stream.fileno()
    except (UnsupportedOperation, ValueError):
        return None


def _dropped(count: int) -> logging.LogRecord:
    reason = "lines of the log were dropped: they were written faster than they could be stored or read"
    return _record(LogLevel.WARNING, f"{count} {reason}", {"dropped": count})


def _record(level: LogLevel, message: str, fields: dict[str, object] | None = None) -> logging.LogRecord:
    record = logging.LogRecord("crossgate.process", level.number, "", 0, message, None, None)
    record.fields = fields or {}
    record.text = message
    return record
