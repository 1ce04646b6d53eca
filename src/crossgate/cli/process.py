"""The process of a verb that serves: signals, the log, and the events that it prints."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from crossgate.app.events import Emit, Event
from crossgate.service.log import configure_log


def run_until_signal(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run ``work`` until it ends. SIGINT, SIGTERM and SIGHUP set the event that asks it to."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        await work(stop)

    asyncio.run(main())


def event_printer(source: str = "") -> Emit:
    """A function that prints events. ``source`` is the file or store that is followed."""

    @cache
    def printer() -> Emit:
        # Imported with the first event: rich is not needed to serve clients.
        from crossgate.cli.output.events import EventPrinter

        return EventPrinter(source).emit

    def emit(event: Event) -> None:
        printer()(event)

    return emit


def log_to_stderr() -> None:
    """Log warnings and errors to standard error, one line each. Standard output is the verb's own."""
    configure_log(_configure_log)


def _configure_log(structlog: Any) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Not rich's traceback, the default: it prints local variables, tokens among them.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
