"""Asks the engine, and remembers what it said.

Applications hear the same few questions over and over: an origin, a method, a list of header names. A
decision is a pure function of policy and request, so what was asked before needs no deciding again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import AnyStr, Final, Generic

from crossgate.middleware.outcome import Outcome, Wire, outcome
from crossgate.policy import EffectivePolicy, Request, ServerPolicy, decide
from crossgate.policy.request import OPTIONS
from crossgate.policy.request_headers import LONGEST_LIST, skip_separators

REMEMBERED: Final = 1024
"""Questions that are remembered; the one not heard for longest is forgotten."""

LONGEST: Final = 2048
"""Bytes of the longest question that is remembered: strangers choose them, and memory is bounded."""


class Judge(Generic[AnyStr]):
    """Judges requests under one policy; for questions of at most :data:`LONGEST` bytes it remembers."""

    __slots__ = ("ask", "judges_every_part", "options", "policy", "request")

    def __init__(
        self, policy: EffectivePolicy | ServerPolicy | None, wire: Wire[AnyStr], *, debug: bool
    ) -> None:
        def ask(
            method: str,
            origin: AnyStr,
            request_method: AnyStr | None = None,
            request_headers: AnyStr | None = None,
            host: AnyStr | None = None,
            content_type: AnyStr | None = None,
        ) -> Outcome[AnyStr]:
            if request_headers and len(request_headers) > LONGEST_LIST:
                request_headers = skip_separators(request_headers)
            request = Request(
                method,
                _text(origin, wire),
                _text(request_method, wire),
                _text(request_headers, wire),
                wire.read(host) if host else "",
                wire.read(content_type) if content_type else "",
            )
            return outcome(policy, request, decide(policy, request), wire, debug=debug)

        self.policy = policy
        self.judges_every_part = isinstance(policy, ServerPolicy)
        """Whether the whole of every request matters, so that it must be put to ``ask``."""
        self.ask: Callable[..., Outcome[AnyStr]] = ask
        """Any request: its method, and header values in the order of :class:`~crossgate.policy.Request`."""
        self.options: Callable[[AnyStr, AnyStr, AnyStr], Outcome[AnyStr]]
        """An OPTIONS request: its origin, request method and request headers. Not for server-level CORS."""
        self.options = lru_cache(REMEMBERED)(partial(ask, OPTIONS))
        self.request: Callable[[AnyStr], Outcome[AnyStr]]
        """Any other request: its origin. Of nothing else an API's policy says anything."""
        self.request = lru_cache(REMEMBERED)(partial(ask, "GET"))


def _text(value: AnyStr | None, wire: Wire[AnyStr]) -> str:
    """The value; of one too long for the engine, which would not look at it, enough to be too long."""
    return wire.read(value[: LONGEST_LIST + 1]) if value else ""
