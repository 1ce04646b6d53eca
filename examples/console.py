"""What the example prints: a line for each request that reaches a native service."""

from __future__ import annotations

import sys
from datetime import datetime

from examples.natives.http_message import Answer, Request, Response


def colour(text: str, code: str) -> str:
    """``text`` in an ANSI colour if standard output is a terminal, otherwise unchanged."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def print_line(line: str) -> None:
    """Print one line in a single write, so that threads do not mix theirs."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_exchange(service: str, request: Request, answer: Answer) -> None:
    """Print which request a native service received, from which origin, and the status of its response."""
    time = datetime.now().astimezone().strftime("%H:%M:%S")
    status = answer.status if isinstance(answer, Response) else "hung up"
    origin = request.header("Origin")
    # repr escapes what could control the terminal.
    received = f"{request.method:<7} {request.target!r}"
    suffix = f"  from {origin!r}" if origin else ""
    print_line(f"{colour(time, '2')} {colour(f'{service:<10}', '36')} {received}{suffix} -> {status}")
