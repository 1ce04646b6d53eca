"""The result of a proof: a verdict, what is admitted, facts beside, and the attacker's origin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What an origin pattern comes down to."""

    PROVED = "proved"
    """Every origin that it admits belongs to a listed domain."""
    NEARMISS = "nearmiss"
    """It admits domains that its author did not spell out."""
    MANY = "many"
    """It admits a large finite set of domains that its author did not spell out."""
    UNBOUNDED = "unbounded"
    """An attacker can register a domain that it admits."""
    TENANT = "tenant"
    """Anybody can become a tenant of a public suffix that it admits."""
    UNOWNED = "unowned"
    """It admits what an attacker can have without a domain: ``null``, or one of a range of addresses."""
    NEVER = "never"
    """No browser can send an origin that it matches."""
    INVALID = "invalid"
    """RE2 refuses it."""
    UNPROVEN = "unproven"
    """The budget ran out, or no attack could be verified: not to be treated as safe."""


class FactCode(StrEnum):
    """Kinds of admitted origins that belong to no registrable domain, and other things worth knowing."""

    NULL = "null"
    HTTP = "http"
    LOOPBACK = "loopback"
    PRIVATE_IP = "private-ip"
    PUBLIC_IP = "public-ip"
    IPV6 = "ipv6"
    PUBLIC_IP_RANGE = "public-ip-range"
    INTERNAL = "internal"
    ANY_PORT = "any-port"
    OTHER_SCHEME = "other-scheme"
    SHARED_HOST = "shared-host"
    PUBLIC_SUFFIX_HOST = "public-suffix-host"
    TRAILING_DOT = "trailing-dot"
    UNESCAPED_DOT = "unescaped-dot"
    BROWSER_SPECIFIC = "browser-specific"
    MATCHES_STAR = "matches-star"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is true of a pattern, with an origin that shows it if one does; RE2 has matched it."""

    code: FactCode
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that is known about one pattern.

    With the verdicts ``proved`` and ``unowned``, ``domains`` is complete: the list is the proof. With another
    verdict it holds what was found until the verdict was certain. ``witness`` has been matched by RE2.
    """

    verdict: Verdict
    domains: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    """Those of the domains that the author did not spell out."""
    open_suffixes: tuple[str, ...] = ()
    """Public suffixes below which any name, or infinitely many, are admitted."""
    witness: str | None = None
    witness_domain: str | None = None
    cause: str | None = None
    example: str | None = None
    """Some origin that is admitted, if the proof came across one."""
    facts: tuple[Fact, ...] = ()
    ports: int = 0
    """How many ports are admitted for one host, at most; a missing port is not counted."""
    reason: str | None = None
    """Why the pattern is invalid or unproven."""

    @property
    def lists_every_domain(self) -> bool:
        """Whether ``domains`` is complete."""
        return self.verdict in (Verdict.PROVED, Verdict.UNOWNED)

    def fact(self, code: FactCode) -> Fact | None:
        """The fact of that code, if there is one."""
        return next((fact for fact in self.facts if fact.code is code), None)

    def as_json(self) -> dict[str, object]:
        """JSON-ready values."""
        return {
            "verdict": self.verdict.value,
            "domains": list(self.domains),
            "strays": list(self.strays),
            "open_suffixes": list(self.open_suffixes),
            "witness": self.witness,
            "witness_domain": self.witness_domain,
            "cause": self.cause,
            "facts": [{"code": fact.code.value, "example": fact.example} for fact in self.facts],
            "ports": self.ports,
            "reason": self.reason,
        }
