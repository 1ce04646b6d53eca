"""What a proof says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crossgate.lint.proof.facts import Fact, FactCode


class Verdict(StrEnum):
    """What an origin pattern comes down to."""

    PROVED = "proved"
    """Every origin it admits belongs to a domain that is listed."""
    NEARMISS = "nearmiss"
    """It admits domains that nobody spelled out."""
    MANY = "many"
    """It admits a large finite set of domains that nobody spelled out."""
    UNBOUNDED = "unbounded"
    """An attacker can register a domain that it admits."""
    TENANT = "tenant"
    """Anybody can become a tenant of a public suffix that it admits."""
    NEVER = "never"
    """No browser can send an origin that it matches."""
    INVALID = "invalid"
    """RE2 refuses it."""
    UNPROVEN = "unproven"
    """The budget ran out, or no attack could be verified: never to be taken for safe."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that is known about one pattern.

    With the verdict ``proved``, ``domains`` is complete, and so is the proof; with another it holds what was
    found until the verdict was certain. ``witness`` has been matched by RE2, and its domain can be had.
    """

    verdict: Verdict
    domains: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    """Those of the domains that the author did not spell out."""
    open_suffixes: tuple[str, ...] = ()
    """Public suffixes below which any name, or endlessly many, are admitted."""
    witness: str | None = None
    witness_domain: str | None = None
    cause: str | None = None
    example: str | None = None
    """Some origin that it admits, if the proof came across one."""
    facts: tuple[Fact, ...] = ()
    ports: int = 0
    """How many ports are admitted for one host, at most; that without one is not counted."""
    reason: str | None = None
    """Why the pattern is invalid or unproven."""

    def fact(self, code: FactCode) -> Fact | None:
        """The fact of that kind, if there is one."""
        return next((fact for fact in self.facts if fact.code is code), None)
