"""A policy with the other origins that it allows, prepared for many decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.policy import names
from crossgate.policy.cors_policy import CorsPolicy, Mode, PlainOptions
from crossgate.policy.header_list import HeaderNames
from crossgate.policy.list_like import CollectionLike
from crossgate.policy.origin import MAX_LENGTH
from crossgate.policy.origin_pattern import parse_exact_origin
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.same_origin import SameOrigin
from crossgate.record import Choice, Invalid, ListOf, Parsed


def _parse_origin(raw: object) -> str | Diagnostic:
    parsed = parse_exact_origin(raw)
    return parsed if isinstance(parsed, Diagnostic) else parsed.value


def _read_origins(raw: object) -> tuple[str, ...] | Invalid:
    """The origins in any collection but a string, which would be one of its letters."""
    if isinstance(raw, Iterable) and not isinstance(raw, str | bytes | bytearray):
        return _ORIGINS.read([*raw])
    return _ORIGINS.read(raw)


_ORIGINS: Final = ListOf(Parsed(_parse_origin))
_SAME_ORIGIN: Final = Choice(SameOrigin)


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """An API's policy, its applications' origins and the gateway's own: all that a decision needs.

    What follows from them is computed once, here, for all requests. Programs call :meth:`of`, which
    validates; the constructor takes values that were read and validated before.
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
        application_origins: CollectionLike[str] = (),
        public_origins: CollectionLike[str] = (),
        same_origin: SameOrigin | Literal["detect", "listed"] = SameOrigin.DETECT,
    ) -> EffectivePolicy:
        """The policy with any collections of serialised origins, if they are valid.

        Raises:
            InvalidInput: with every error, each with its place.

        """
        applications = _read_origins(application_origins)
        public = _read_origins(public_origins)
        chosen = _SAME_ORIGIN.read(same_origin)
        if isinstance(applications, Invalid) or isinstance(public, Invalid) or isinstance(chosen, Invalid):
            read = {"application_origins": applications, "public_origins": public, "same_origin": chosen}
            raise InvalidInput(
                found for name, one in read.items() if isinstance(one, Invalid) for found in one.within(name)
            )
        return cls(policy, frozenset(applications), frozenset(public), chosen)

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
