"""A policy with everything that bears on it, prepared for deciding many requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from crossgate.policy import names
from crossgate.policy.cors_policy import CorsPolicy, Mode, PlainOptions
from crossgate.policy.decision import Header
from crossgate.policy.origin import MAX_LENGTH
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.request_headers import HeaderNames
from crossgate.policy.ruling import Rulings


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """An API's policy, its applications' origins and the gateway's own: all that a decision needs.

    What follows from them is worked out once, here, and shared by every request.
    """

    policy: CorsPolicy
    application_origins: frozenset[str] = frozenset()
    """The JavaScript origins of the non-suspended applications associated with the API."""
    public_origins: frozenset[str] = frozenset()
    """The gateway's own origins: their requests pass as if they had no ``Origin``."""

    origins: OriginSet = field(init=False, repr=False, compare=False)
    header_names: HeaderNames = field(init=False, repr=False, compare=False)
    methods: frozenset[str] = field(init=False, repr=False, compare=False)
    vary: tuple[Header, ...] = field(init=False, repr=False, compare=False)
    allow: tuple[Header, ...] = field(init=False, repr=False, compare=False)
    rulings: Rulings = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        def settle(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        settle("origins", OriginSet.of(self.policy.allowed_origins, self.application_origins))
        settle("header_names", HeaderNames(self.policy.allow_headers))
        settle("methods", frozenset(self.policy.allowed_methods))
        settle("vary", () if self.origins.any_origin else ((names.VARY, names.ORIGIN),))
        settle("allow", ((names.ALLOW, ", ".join(self._listed_methods())),))

    @classmethod
    def of(
        cls,
        policy: CorsPolicy,
        application_origins: Iterable[str] = (),
        public_origins: Iterable[str] = (),
    ) -> EffectivePolicy:
        """From any collections of serialised origins."""
        return cls(policy, frozenset(application_origins), frozenset(public_origins))

    @property
    def observes(self) -> bool:
        """Whether refusals are recorded only."""
        return self.policy.mode is Mode.OBSERVE

    @property
    def forwards_plain_options(self) -> bool:
        """Whether OPTIONS requests that are no preflights go to the native service."""
        return self.policy.plain_options is PlainOptions.FORWARD

    @property
    def any_header(self) -> bool:
        """Whether ``*`` stands among the allowed headers."""
        return names.ANY in self.policy.allow_headers

    @property
    def any_method(self) -> bool:
        """Whether ``*`` stands among the methods."""
        return names.ANY in self.methods

    def admits_method(self, method: str) -> bool:
        """Whether a preflight may ask for ``method``; ``*`` covers no method that Fetch forbids."""
        if method in self.methods:
            return True
        if not self.any_method or len(method) > MAX_LENGTH:
            return False
        return names.is_token(method) and not names.is_forbidden_method(method)

    def _listed_methods(self) -> tuple[str, ...]:
        if names.ANY in self.policy.allowed_methods:
            return ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        return self.policy.allowed_methods
