"""A policy for each request, chosen by a function: for applications with several tenants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import AnyStr, Final, Generic, TypeVar

from crossgate.middleware.enforcer import Enforcer
from crossgate.middleware.live import EnforcedPolicy, LivePolicy, Policy, as_enforced, not_a_policy
from crossgate.policy import CorsPolicy, EffectivePolicy, ServerPolicy

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

CACHE_SIZE: Final = 1024
"""Policies that are kept prepared; the one prepared first is dropped first."""


class EnforcerCache(Generic[AnyStr]):
    """The enforcers of the policies that a function chose lately.

    To prepare a policy takes much longer than to enforce it. A policy is found by its identity, and else by
    its value: a function that builds an equal policy each time pays for comparing it, not for preparing it.
    """

    def __init__(self, prepare: Callable[[EnforcedPolicy], Enforcer[AnyStr]]) -> None:
        self._prepare: Callable[[EnforcedPolicy], Enforcer[AnyStr]] = prepare
        self._lock = threading.Lock()
        # The policy is kept, because another one could get the identity of one that is gone.
        self._by_identity: dict[int, tuple[Policy, Enforcer[AnyStr]]] = {}
        self._by_value: dict[Policy, Enforcer[AnyStr]] = {}

    def enforcer(self, chosen: object) -> Enforcer[AnyStr]:
        """The enforcer of what the function returned.

        Raises:
            TypeError: if that is neither a policy nor None.

        """
        policy = chosen.enforced if isinstance(chosen, LivePolicy) else chosen
        found = self._by_identity.get(id(policy))
        if found is not None and found[0] is policy:
            return found[1]
        if not isinstance(policy, CorsPolicy | EffectivePolicy | ServerPolicy | None):
            raise not_a_policy(policy)
        with self._lock:
            enforcer = self._by_value.get(policy)
            if enforcer is None:
                enforcer = self._prepare(as_enforced(policy))
                dropped = _keep(self._by_value, policy, enforcer)
                if dropped is not None:
                    # A new log would begin to count again: a flood for many tenants would all be logged.
                    enforcer.refusal_log = dropped.refusal_log
            _keep(self._by_identity, id(policy), (policy, enforcer))
        return enforcer


def _keep(cache: dict[_Key, _Value], key: _Key, value: _Value) -> _Value | None:
    """Add a value; returns the one that is dropped for it."""
    dropped = cache.pop(next(iter(cache))) if len(cache) >= CACHE_SIZE else None
    cache[key] = value
    return dropped
