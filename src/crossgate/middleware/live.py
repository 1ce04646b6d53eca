"""A policy that can be replaced as a whole while requests are served."""

from __future__ import annotations

from crossgate.policy import CorsPolicy, EffectivePolicy, ServerPolicy

Policy = CorsPolicy | EffectivePolicy | ServerPolicy | None
"""A policy to enforce; None passes everything through but TRACE and TRACK."""

EnforcedPolicy = EffectivePolicy | ServerPolicy | None
"""A policy as the engine takes it."""


class LivePolicy:
    """A policy that can be replaced at any time, and shared by any number of middlewares.

    The decision on a request and the headers of its response come from one policy: the current one when the
    request arrived.
    """

    __slots__ = ("_given", "enforced")

    enforced: EnforcedPolicy
    """The policy as the engine takes it; the same object until the policy changes."""

    def __init__(self, policy: Policy) -> None:
        self._given = policy
        self.enforced = as_enforced(policy)

    @property
    def policy(self) -> Policy:
        """The policy, as it was passed in; setting it to an equal policy changes nothing."""
        return self._given

    @policy.setter
    def policy(self, policy: Policy) -> None:
        if policy != self._given:
            enforced = as_enforced(policy)
            # One assignment, so that no request sees a mix of both policies.
            self._given, self.enforced = policy, enforced


def as_enforced(policy: object) -> EnforcedPolicy:
    """The policy as the engine takes it.

    Raises:
        TypeError: if it is not a policy.

    """
    match policy:
        case CorsPolicy():
            return EffectivePolicy(policy)
        case EffectivePolicy() | ServerPolicy() | None:
            return policy
        case _:
            raise not_a_policy(policy)


def not_a_policy(value: object) -> TypeError:
    """The error for a value in place of a policy."""
    remedy = "Write build_policy(allowed_origins=[...]), or None for no policy"
    return TypeError(f"expected a policy, found {type(value).__name__}. {remedy}")
