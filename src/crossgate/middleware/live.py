"""A policy that can be replaced as a whole while requests are served."""

from __future__ import annotations

from typing import assert_never

from crossgate.policy import CorsPolicy, EffectivePolicy, ServerPolicy

Policy = CorsPolicy | EffectivePolicy | ServerPolicy | None
"""A policy to enforce; None passes everything through but TRACE and TRACK."""


class LivePolicy:
    """A policy that can be replaced at any time, and shared by any number of middlewares.

    The decision on a request and the headers of its response come from one policy: the current one when the
    request arrived.
    """

    __slots__ = ("_given", "enforced")

    enforced: EffectivePolicy | ServerPolicy | None
    """The policy as the engine takes it; the same object until the policy changes."""

    def __init__(self, policy: Policy) -> None:
        self._given = policy
        self.enforced = _effective(policy)

    @property
    def policy(self) -> Policy:
        """The policy, as it was passed in; setting it to an equal policy changes nothing."""
        return self._given

    @policy.setter
    def policy(self, policy: Policy) -> None:
        if policy != self._given:
            enforced = _effective(policy)
            # One assignment, so that no request sees a mix of both policies.
            self._given, self.enforced = policy, enforced


def _effective(policy: Policy) -> EffectivePolicy | ServerPolicy | None:
    match policy:
        case CorsPolicy():
            return EffectivePolicy(policy)
        case EffectivePolicy() | ServerPolicy() | None:
            return policy
        case _ as never:
            assert_never(never)
