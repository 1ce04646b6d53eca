"""The policy that is enforced now: replaced as a whole, while requests are being judged."""

from __future__ import annotations

from typing import assert_never

from crossgate.policy import CorsPolicy, EffectivePolicy, ServerPolicy

Policy = CorsPolicy | EffectivePolicy | ServerPolicy | None
"""What can be enforced; None passes everything through."""


class LivePolicy:
    """A policy that can be replaced at any time, and shared by any number of middlewares.

    A request is judged, and its response dressed, under the one policy that was in force when it came.
    """

    __slots__ = ("_given", "enforced")

    enforced: EffectivePolicy | ServerPolicy | None
    """The policy in the engine's terms; the same object for as long as nothing changes."""

    def __init__(self, policy: Policy) -> None:
        self._given = policy
        self.enforced = _effective(policy)

    @property
    def policy(self) -> Policy:
        """What is enforced, as it was given; setting it to an equal one changes nothing."""
        return self._given

    @policy.setter
    def policy(self, policy: Policy) -> None:
        if policy != self._given:
            enforced = _effective(policy)
            # One assignment is the whole switch: no request sees half of each.
            self._given, self.enforced = policy, enforced


def _effective(policy: Policy) -> EffectivePolicy | ServerPolicy | None:
    match policy:
        case CorsPolicy():
            return EffectivePolicy(policy)
        case EffectivePolicy() | ServerPolicy() | None:
            return policy
        case _ as never:
            assert_never(never)
