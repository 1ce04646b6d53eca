"""What the example prints: a line for each request that reaches a native service."""

from __future__ import annotations

import sys
from datetime import datetime

from examples.natives.message import Answer, Request, Response


def colour(text: str, code: str) -> str:
    """``text`` in an ANSI colour on a terminal, plain elsewhere."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def say(line: str) -> None:
    """One whole line, at once: threads never mix theirs."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show_exchange(service: str, request: Request, answer: Answer) -> None:
    """Tell that a native service received a request, from which origin, and what it answered."""
    time = datetime.now().astimezone().strftime("%H:%M:%S")
    status = answer.status if isinstance(answer, Response) else "hung up"
    origin = request.header("Origin")
    # repr: what a client sent is shown, and steers no terminal.
    asked = f"{request.method:<7} {request.target!r}"
    suffix = f"  from {origin!r}" if origin else ""
    say(f"{colour(time, '2')} {colour(f'{service:<10}', '36')} saw {asked}{suffix} and answered {status}")
