"""Logs refused requests: each at most once, escaped and shortened, and not all of a flood."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from crossgate.policy.request import OPTIONS, Request

LOG: Final = logging.getLogger("crossgate.middleware")
"""At WARNING: refusals. At INFO: the refusals that observe mode would have made."""

BURST: Final = 5
"""Lines of one reason that are logged at once."""
SECONDS: Final = 10.0
"""After those, one more line of that reason in this time."""
_SHOWN: Final = 200
"""Characters of a value from a request."""


class RefusalLogger:
    """Logs the refusals under one policy: of each reason a few, and then how many more there were."""

    __slots__ = ("_limited", "_lock", "_now", "_states")

    def __init__(self, *, limited: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self._limited = limited
        self._now = now
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}

    def log(self, refusal: str, request: Callable[[], tuple[Request, str]]) -> None:
        """Log a refusal, if it is due; only then is ``request`` called, for the request and its path."""
        suppressed = self._suppressed(refusal)
        if suppressed is None or not LOG.isEnabledFor(logging.WARNING):
            return
        since = f"; {suppressed:,} more with this reason were not logged" if suppressed else ""
        LOG.warning("refused: %s: %s%s", describe(*request()), refusal, since)

    def _suppressed(self, refusal: str) -> int | None:
        """How many lines of that reason were left out before this one; None if this one is left out too."""
        if not self._limited:
            return 0
        with self._lock:
            now = self._now()
            state = self._states.setdefault(refusal, _State(now))
            return state.next(now)


class _State:
    """What is left of one reason's lines: a token bucket."""

    __slots__ = ("_last", "_lines", "_suppressed")

    def __init__(self, now: float) -> None:
        self._lines = float(BURST)
        self._last = now
        self._suppressed = 0

    def next(self, now: float) -> int | None:
        self._lines = min(BURST, self._lines + (now - self._last) / SECONDS)
        self._last = now
        if self._lines < 1:
            self._suppressed += 1
            return None
        self._lines -= 1
        suppressed, self._suppressed = self._suppressed, 0
        return suppressed


def describe(request: Request, path: str) -> str:
    """The request in quotes and escaped: a log line stays one line, whatever the request has."""
    named = [("method", request.method), ("path", path), ("origin", request.origin)]
    if request.method == OPTIONS:
        named += [
            ("requested method", request.request_method),
            ("requested headers", request.request_headers),
        ]
    return ", ".join(f"{name} {_shorten(value)!a}" for name, value in named if value)


def _shorten(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
