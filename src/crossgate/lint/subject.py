"""What the rules examine: the origins of one object of a catalogue, and everything that bears on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import assert_never

import re2

from crossgate.catalogue.model import Application
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.diagnostics import Step
from crossgate.lint.proof import Fact, FactCode, Proof, SuffixList, Verdict, prove_pattern
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


class SubjectKind(Enum):
    """The kind of object whose origins are examined."""

    API = "api"
    """A policy, with the origins of the API's applications."""
    SETTINGS = "settings"
    """The server-level settings, as a policy."""
    GATEWAY = "gateway"
    """The gateway's public origins, as the origins of a policy with credentials."""
    APPLICATION = "application"
    """An application's origins, as those of a policy; with credentials if one of its APIs allows them."""


@dataclass(frozen=True)
class OriginEntry:
    """One of a policy's allowed origins, with its index."""

    index: int
    pattern: OriginPattern
    suffixes: SuffixList | None = None
    """None for the default one."""

    @property
    def path(self) -> tuple[Step, ...]:
        """The entry's place in the policy."""
        return ("allowed_origins", self.index)

    @property
    def source(self) -> str:
        """The entry as it is written in a document."""
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
        """The entry as a regular expression that matches whole origins."""
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
        """What the entry admits; computed once, because most rules need it."""
        return _proof(self.pattern, self.suffixes)


@lru_cache(maxsize=16384)
def _proof(pattern: OriginPattern, suffixes: SuffixList | None) -> Proof:
    return prove_pattern(pattern, suffixes)


@dataclass(frozen=True)
class Subject:
    """The policy that stands for one object, and what bears on it."""

    policy: CorsPolicy
    application_origins: frozenset[str] = frozenset()
    trusted_domains: tuple[str, ...] = ()
    native_cors: bool | None = None
    """Whether the native service answers preflights itself; None if no preflight was sent to it."""
    today: dt.date | None = None
    """For rules that ask how old something is; None turns them off."""
    application: Application | None = None
    """The application, for rules about one."""
    kind: SubjectKind = SubjectKind.API
    underscore_headers: UnderscoreHeaders = UnderscoreHeaders.REJECT
    """What the gateway does with header names that have an underscore."""
    suffixes: SuffixList | None = None
    """What counts as a registrable domain; None for the default."""
    trusted_proxies: tuple[str, ...] = ()
    """Of the gateway: the networks of its proxies."""

    @cached_property
    def entries(self) -> tuple[OriginEntry, ...]:
        """The allowed origins, in their order."""
        origins = self.policy.allowed_origins
        return tuple(OriginEntry(index, pattern, self.suffixes) for index, pattern in enumerate(origins))

    @cached_property
    def facts(self) -> Mapping[FactCode, list[tuple[OriginEntry, Fact]]]:
        """The facts of all entries by their code: most entries have none."""
        found: dict[FactCode, list[tuple[OriginEntry, Fact]]] = {}
        for entry in self.entries:
            for fact in entry.proof.facts:
                found.setdefault(fact.code, []).append((entry, fact))
        return found

    @property
    def allowed_methods(self) -> frozenset[str]:
        """The allowed methods; ``*`` stands for all."""
        return frozenset(self.policy.allowed_methods)

    @property
    def header_names(self) -> frozenset[str]:
        """The allowed request headers, in lower case."""
        return frozenset(name.lower() for name in self.policy.allow_headers)

    @property
    def sample_origin(self) -> str | None:
        """An origin that the policy admits, for a request to the native service; None if it has none."""
        proofs = (entry.proof for entry in self.entries if not isinstance(entry.pattern, AnyOrigin))
        admitted = (proof.example for proof in proofs if proof.verdict is Verdict.PROVED)
        return next(filter(None, admitted), min(self.application_origins, default=None))
