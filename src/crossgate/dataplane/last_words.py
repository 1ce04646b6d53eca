"""What Envoy complained about last: the reason to give when it ends."""

from __future__ import annotations

from collections import deque

from crossgate.dataplane.log import LogLine

_KEPT = 5
_LONGEST = 600
_GRAVE = {"error", "critical"}


class LastWords:
    """The last few lines, errors before warnings; each shortened to what a person reads."""

    def __init__(self) -> None:
        self._grave: deque[str] = deque(maxlen=_KEPT)
        self._raw: deque[str] = deque(maxlen=_KEPT)
        self._other: deque[str] = deque(maxlen=_KEPT)

    def hear(self, line: LogLine) -> None:
        """Remember ``line`` for a while."""
        if not line.component:
            self._raw.append(_shorten(line.message))
        elif line.level in _GRAVE:
            self._grave.append(_shorten(line.message))
        else:
            self._other.append(_shorten(line.message))

    @property
    def lines(self) -> tuple[str, ...]:
        """The best there is. Envoy repeats its last error as raw output, broken into many lines."""
        return tuple(self._grave or self._raw or self._other)


def _shorten(message: str) -> str:
    message = " ".join(message.split())
    if len(message) <= _LONGEST:
        return message
    # A refused configuration is quoted whole, and the reason comes at its end.
    return f"{message[:120]} … {message[-(_LONGEST - 123) :]}"
