"""A decision without what it repeats of the request: the same for all that leave their flow there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from crossgate.policy import names
from crossgate.policy.decision import Decision, Flow, Header, Reason
from crossgate.policy.origin_set import OriginSet

REPEATED: Final = (names.ALLOW_ORIGIN, names.ALLOW_METHODS, names.ALLOW_HEADERS)
"""The headers that can repeat a request's origin, its requested method, its requested header names."""


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What a policy says at one exit, made when first needed and kept with the policy.

    Told from others by identity alone.
    """

    decision: Decision
    """Its headers are those that depend on the policy only."""
    repeats: tuple[str, ...] = ()
    """Which of :data:`REPEATED` come before them."""

    def repeating(self, origin: str, request_method: str, request_headers: str) -> Decision:
        """The decision on one request; what the request leaves empty is not repeated."""
        if not self.repeats:
            return self.decision
        values = zip(REPEATED, (origin, request_method, request_headers), strict=True)
        repeated = tuple((name, value) for name, value in values if value and name in self.repeats)
        return replace(self.decision, headers=(*repeated, *self.decision.headers))

    @classmethod
    def of(cls, decision: Decision, headers: tuple[tuple[str, str | None], ...]) -> Ruling:
        """``headers`` come before the decision's own; None is a value to be repeated, the empty text none."""
        fixed: tuple[Header, ...] = tuple((name, value) for name, value in headers if value)
        repeats = tuple(name for name, value in headers if value is None)
        return cls(replace(decision, headers=(*fixed, *decision.headers)), repeats)


def origin_headers(origins: OriginSet, *, credentials: bool) -> tuple[tuple[str, str | None], ...]:
    """What an origin that is allowed is told, for :meth:`Ruling.of`."""
    return (
        (names.ALLOW_ORIGIN, names.ANY if origins.any_origin else None),
        (names.ALLOW_CREDENTIALS, "true" if credentials else ""),
    )


Exit = tuple[Flow, Reason]
"""Where a request leaves the flow that it takes: all that a decision depends on, but for what it repeats."""

Rulings = dict[Exit, Ruling]
"""One policy's: thousands of policies never decide anything, and make none."""
