"""Asks the engine, and puts each of its rulings into the server protocol's words once.

Applications hear the same few questions over and over: an origin, a method, a list of header names. What was
asked before is remembered, too, for half the price; but nothing that is to be told of each request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from typing import AnyStr, Final, Generic

from crossgate.middleware.outcome import LOOKED_AT, Outcome, Wire, outcome
from crossgate.policy import Answer, EffectivePolicy, Request, ServerPolicy, decide, explain
from crossgate.policy.decide import rule
from crossgate.policy.request import OPTIONS
from crossgate.policy.request_headers import skip_separators
from crossgate.policy.ruling import REPEATED, Ruling

_LOG: Final = logging.getLogger("crossgate.middleware")
"""At INFO: what observe mode would have refused and, with ``debug``, what was refused."""

REMEMBERED: Final = 1024
"""Questions that are remembered; the one not heard for longest is forgotten."""

LONGEST: Final = 2048
"""Bytes of the longest question that is remembered: strangers choose them, and memory is bounded."""


class Judge(Generic[AnyStr]):
    """Judges requests under one policy."""

    __slots__ = (
        "_debug",
        "_prepared",
        "_tells",
        "_wire",
        "judges_every_part",
        "options",
        "policy",
        "request",
    )

    def __init__(
        self, policy: EffectivePolicy | ServerPolicy | None, wire: Wire[AnyStr], *, debug: bool
    ) -> None:
        self.policy = policy
        self.judges_every_part = isinstance(policy, ServerPolicy)
        """Whether all parts of every request matter; to an API's policy, the origin if it is no OPTIONS."""
        self._wire: Wire[AnyStr] = wire
        self._debug = debug
        self._tells = debug or (isinstance(policy, EffectivePolicy) and policy.observes)
        self._prepared: dict[Ruling, tuple[Outcome[AnyStr], list[tuple[AnyStr, int]]]] = {}
        self.options: Callable[[AnyStr, AnyStr, AnyStr], Outcome[AnyStr]] = partial(self.ask, OPTIONS)
        """A short OPTIONS request: its origin, request method and headers. Not for server-level CORS."""
        self.request: Callable[[AnyStr], Outcome[AnyStr]] = partial(self.ask, "GET")
        """Any other: its short origin. Of nothing else an API's policy says anything."""
        if not self._tells:
            self.options = lru_cache(REMEMBERED)(self.options)
            self.request = lru_cache(REMEMBERED)(self.request)

    def ask(self, method: str, origin: AnyStr, *others: AnyStr) -> Outcome[AnyStr]:
        """What becomes of a request of these parts; in the order of :class:`~crossgate.policy.Request`."""
        read = self._wire.read
        if others and len(others[1]) > LOOKED_AT:
            return self.ask(method, origin, others[0], skip_separators(others[1])[:LOOKED_AT], *others[2:])
        if self._tells:
            return self._told(Request(method, read(origin), *map(read, others)))
        if others:
            ruling = rule(self.policy, method, read(origin), *map(read, others))
        else:
            ruling = rule(self.policy, method, read(origin))
        prepared, repeats = self._prepared.get(ruling) or self._prepare(ruling)
        if not repeats:
            return prepared
        lines = []
        for name, index in repeats:
            value = others[index - 1] if index else origin
            if value:
                lines.append((name, value))
        return prepared.repeating(lines)

    def _prepare(self, ruling: Ruling) -> tuple[Outcome[AnyStr], list[tuple[AnyStr, int]]]:
        """The outcome without what it repeats, and the names and parts that it does."""
        lines = self._wire.write((name, "") for name in ruling.repeats)
        repeats = [
            (name, REPEATED.index(each)) for (name, _), each in zip(lines, ruling.repeats, strict=True)
        ]
        prepared = self._prepared[ruling] = outcome(ruling.decision, self._wire), repeats
        return prepared

    def _told(self, request: Request) -> Outcome[AnyStr]:
        """With what is to be told of the request: to the log always, to the client in a refusal."""
        decision = decide(self.policy, request)
        reason = ""
        if isinstance(decision, Answer):
            if self._debug and decision.status >= 400:
                reason = _failing_step(self.policy, request)
                _LOG.info("refused: %s: %s (%s)", _said_of(request), decision.body, reason)
        elif decision.would is not None and decision.would.status >= 400:
            would = decision.would
            _LOG.info("observed: %s: %s %s (%s)", _said_of(request), would.status, would.body, would.reason)
        return outcome(decision, self._wire, reason)


def _failing_step(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> str:
    """The reason and the failed step in our own words; nothing that the request said is repeated."""
    explanation = explain(policy, request)
    return f"{explanation.decision.reason}: {explanation.steps[-1].question} No."


def _said_of(request: Request) -> str:
    """In quotes and escaped: a log line stays one line, whatever the request holds."""
    kind = "OPTIONS request" if request.method == OPTIONS else "request"
    return f"{kind} from {request.origin[:200]!a}"
