"""What the rules look at: the policy of one API with all that bears on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import assert_never

import re2

from crossgate.catalogue.model import Application
from crossgate.diagnostics import Step
from crossgate.lint.proof import Proof, prove_pattern
from crossgate.lint.proof.lookup import ANYTHING
from crossgate.policy import (
    AnyOrigin,
    CorsPolicy,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
)
from crossgate.policy.names import ANY, NULL


@dataclass(frozen=True)
class OriginEntry:
    """One of a policy's allowed origins, and where it stands."""

    index: int
    pattern: OriginPattern

    @property
    def path(self) -> tuple[Step, ...]:
        """Where in the policy."""
        return ("allowed_origins", self.index)

    @property
    def text(self) -> str:
        """The entry as people write it."""
        match self.pattern:
            case ExactOrigin(value):
                return value
            case WildcardOrigin():
                return str(self.pattern)
            case RegexOrigin(pattern):
                return pattern
            case AnyOrigin():
                return ANY
            case NullOrigin():
                return NULL
            case _ as never:
                assert_never(never)

    @property
    def regex(self) -> str:
        """The entry as a regular expression for whole origins."""
        match self.pattern:
            case ExactOrigin(value):
                return str(re2.escape(value))
            case WildcardOrigin():
                return self.pattern.regex
            case RegexOrigin(pattern):
                return pattern
            case AnyOrigin():
                return ANYTHING
            case NullOrigin():
                return NULL
            case _ as never:
                assert_never(never)

    @cached_property
    def proof(self) -> Proof:
        """What it admits; every other rule asks."""
        return _proof(self.pattern)


@lru_cache(maxsize=16384)
def _proof(pattern: OriginPattern) -> Proof:
    return prove_pattern(pattern)


@dataclass(frozen=True)
class Subject:
    """One API's policy, its applications' origins, and what its owner trusts."""

    policy: CorsPolicy
    application_origins: frozenset[str] = frozenset()
    trusted_domains: tuple[str, ...] = ()
    native_speaks_cors: bool = False
    """Whether the imported document or the native service says that it does CORS itself."""
    today: dt.date | None = None
    """For rules that ask how old something is; None keeps them silent."""
    application: Application | None = None
    """The application, for rules about one; the policy is then empty."""

    @cached_property
    def entries(self) -> tuple[OriginEntry, ...]:
        """The allowed origins, in their order."""
        return tuple(OriginEntry(index, pattern) for index, pattern in enumerate(self.policy.allowed_origins))

    @property
    def allowed_methods(self) -> frozenset[str]:
        """The methods; ``*`` among them stands for all."""
        return frozenset(self.policy.allowed_methods)

    @property
    def header_names(self) -> frozenset[str]:
        """The allowed request headers, in lower case."""
        return frozenset(name.lower() for name in self.policy.allow_headers)
