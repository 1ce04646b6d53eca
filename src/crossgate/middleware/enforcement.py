"""What the middlewares of both protocols have in common: a live policy, and a judge that keeps up with it."""

from __future__ import annotations

from typing import AnyStr, Generic

from crossgate.middleware.judge import ApiJudge, Judge
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.outcome import Wire
from crossgate.policy import EffectivePolicy


class Enforcement(Generic[AnyStr]):
    """Enforces a policy that can be replaced while requests are served."""

    _wire: Wire[AnyStr]

    def __init__(self, policy: Policy | LivePolicy, *, debug: bool) -> None:
        self._live = policy if isinstance(policy, LivePolicy) else LivePolicy(policy)
        self._debug = debug
        self._renewed_judge()

    @property
    def policy(self) -> Policy:
        """What is enforced; set it to replace it at once, and as a whole."""
        return self._live.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._live.policy = policy

    def _renewed_judge(self) -> Judge[AnyStr]:
        policy = self._live.enforced
        if isinstance(policy, EffectivePolicy) and not policy.observes and not self._debug:
            self._judge: Judge[AnyStr] = ApiJudge(policy, self._wire)
        else:
            self._judge = Judge(policy, self._wire, debug=self._debug)
        return self._judge
