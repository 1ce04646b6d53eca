"""What a middleware reports of each request to a function of the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crossgate.policy.decision import Flow, Reason
from crossgate.policy.request import Request


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """One request and the policy's decision on it.

    ``request`` and ``path`` are as the client sent them: escape them before you show or log them.
    """

    request: Request
    path: str
    """As the server passes it, without the query."""
    flow: Flow
    reason: Reason
    refused: bool
    """Whether the policy refuses the request: with 403 or 405, unless it is ``observed``."""
    observed: bool
    """Whether the policy is in observe mode, so that the request is forwarded whatever the decision."""


OnDecision = Callable[[DecisionEvent], None]
"""Called for each request, before the application or the response. It should return at once.

It is called in the server's thread or event loop. An exception is logged and does not affect the request.
"""
