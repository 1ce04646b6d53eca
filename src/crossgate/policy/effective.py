"""A policy with the other origins that it allows, prepared for many decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from crossgate.policy import names
from crossgate.policy.cors_policy import CorsPolicy, Mode, PlainOptions
from crossgate.policy.header_list import HeaderNames
from crossgate.policy.origin import MAX_LENGTH
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.same_origin import SameOrigin


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """An API's policy, its applications' origins and the gateway's own: all that a decision needs.

    What follows from them is computed once, here, for all requests.
    """

    policy: CorsPolicy
    application_origins: frozenset[str] = frozenset()
    """The JavaScript origins of the non-suspended applications associated with the API."""
    public_origins: frozenset[str] = frozenset()
    """The gateway's own origins: their requests pass as if they had no ``Origin``."""
    same_origin: SameOrigin = SameOrigin.DETECT
    """Whether other requests from the gateway's own pages are recognised as well."""

    origins: OriginSet = field(init=False, repr=False, compare=False)
    header_names: HeaderNames = field(init=False, repr=False, compare=False)
    methods: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "origins", OriginSet.of(self.policy.allowed_origins, self.application_origins)
        )
        object.__setattr__(self, "header_names", HeaderNames(self.policy.allow_headers))
        object.__setattr__(self, "methods", frozenset(self.policy.allowed_methods))

    @classmethod
    def of(
        cls,
        policy: CorsPolicy,
        application_origins: Iterable[str] = (),
        public_origins: Iterable[str] = (),
        same_origin: SameOrigin | str = SameOrigin.DETECT,
    ) -> EffectivePolicy:
        """The policy with any collections of serialised origins."""
        return cls(policy, frozenset(application_origins), frozenset(public_origins), SameOrigin(same_origin))

    @property
    def observes(self) -> bool:
        """Whether decisions are recorded only."""
        return self.policy.mode is Mode.OBSERVE

    @property
    def forwards_plain_options(self) -> bool:
        """Whether OPTIONS requests that are not preflights are forwarded to the native service."""
        return self.policy.plain_options is PlainOptions.FORWARD

    def admits_method(self, method: str) -> bool:
        """Whether a preflight can request ``method``; ``*`` does not cover the methods that Fetch forbids."""
        if method in self.methods:
            return True
        if names.ANY not in self.methods or len(method) > MAX_LENGTH:
            return False
        return names.is_token(method) and not names.is_forbidden_method(method)
