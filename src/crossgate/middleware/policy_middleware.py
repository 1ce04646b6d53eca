"""What the middlewares of all protocols and frameworks share: the policy in force, and its enforcer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, AnyStr, Final, Generic

from crossgate.middleware.decision_event import OnDecision
from crossgate.middleware.enforcer import ApiEnforcer, Enforcer, Wire
from crossgate.middleware.live import EnforcedPolicy, LivePolicy, Policy
from crossgate.policy import CorsPolicy, EffectivePolicy

# The policy of no middleware: it stands for "not known yet", and allows nothing.
_UNDECIDED: Final = EffectivePolicy(CorsPolicy())


class PolicyMiddleware(Generic[AnyStr]):
    """What all middlewares share: a live policy, and the enforcer of its current value.

    Where a function chooses the policy of each request, ``_enforcer`` is never that of ``_live``. So the
    check for a changed policy finds these requests too, and the others cost no more.
    """

    _wire: Wire[AnyStr]

    def __init__(
        self,
        policy: Policy | LivePolicy | Callable[[Any], object],
        *,
        debug: bool,
        on_decision: OnDecision | None,
    ) -> None:
        self._debug = debug
        self._on_decision = on_decision
        self._function: Callable[[Any], object] | None = None
        self._enforcer: Enforcer[AnyStr] = self._enforcer_of(_UNDECIDED)
        if isinstance(policy, LivePolicy):
            self._live = policy
        elif callable(policy):
            self._live = LivePolicy(None)
            self._function = policy
        else:
            self._live = LivePolicy(policy)

    @property
    def policy(self) -> Policy:
        """The enforced policy; setting it replaces the policy at once, and as a whole."""
        self._refuse_function()
        return self._live.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._refuse_function()
        self._live.policy = policy

    def _refuse_function(self) -> None:
        if self._function is not None:
            raise AttributeError("the policy of each request is chosen by a function")

    def _renew_enforcer(self) -> Enforcer[AnyStr]:
        log = self._enforcer.refusal_log
        self._enforcer = self._enforcer_of(self._live.enforced)
        self._enforcer.refusal_log = log
        return self._enforcer

    def _enforcer_of(self, policy: EnforcedPolicy) -> Enforcer[AnyStr]:
        reports = self._debug or self._on_decision is not None
        if isinstance(policy, EffectivePolicy) and not policy.observes and not reports:
            return ApiEnforcer(policy, self._wire)
        return Enforcer(policy, self._wire, debug=self._debug, on_decision=self._on_decision)
