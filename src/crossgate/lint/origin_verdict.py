"""What the proof of one entry says, in at most a few words: whom the entry lets in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crossgate.lint.proof import FactCode, Proof, SuffixList, Verdict, prove_pattern
from crossgate.policy import AnyOrigin, ExactOrigin, NullOrigin, OriginPattern, WildcardOrigin
from crossgate.policy.names import NULL


class Safety(StrEnum):
    """How an entry is to be looked at; never a score."""

    SAFE = "safe"
    """Proven: it lets in what its author spelled out."""
    CAUTION = "caution"
    UNSAFE = "unsafe"
    """Somebody whom the author did not mean gets in, or nothing could be proven."""


@dataclass(frozen=True, slots=True)
class OriginVerdict:
    """The words for one entry, and the attacker's origin if there is one."""

    words: str
    """Such as ``Only this origin``, ``Only example.com`` or ``Unsafe: evilexample.com passes``."""
    safety: Safety
    witness: str | None = None
    """An origin that gets in and should not; RE2 has matched it."""


ONLY_THIS_ORIGIN: Final = "Only this origin"
_SHARED: Final = "Shared domain: anyone can get a name"
_MOST_NAMED: Final = 2
"""Domains that a verdict names; of more it gives the number."""
_KINDS: Final = (
    (FactCode.LOOPBACK, "Only the visitor's machine"),
    (FactCode.PRIVATE_IP, "Only private addresses"),
    (FactCode.INTERNAL, "Only internal names"),
    (FactCode.PUBLIC_IP, "Only IP addresses"),
    (FactCode.IPV6, "Only IP addresses"),
    (FactCode.OTHER_SCHEME, "Only apps and extensions"),
)
"""What an entry admits that admits no registrable domain."""


def origin_verdict(pattern: OriginPattern, suffixes: SuffixList | None = None) -> OriginVerdict:
    """The verdict on an entry of a policy's allowed origins."""
    return describe_proof(pattern, prove_pattern(pattern, suffixes))


def describe_proof(pattern: OriginPattern, proof: Proof) -> OriginVerdict:
    """The verdict on an entry whose proof is known."""
    match pattern:
        case AnyOrigin():
            return OriginVerdict("Every origin", Safety.CAUTION)
        case NullOrigin():
            return OriginVerdict("Unsafe: any sandboxed frame passes", Safety.UNSAFE, NULL)
        case _:
            return _DESCRIBE.get(proof.verdict, _unproven)(pattern, proof)


def _proved(pattern: OriginPattern, proof: Proof) -> OriginVerdict:
    if isinstance(pattern, ExactOrigin):
        return OriginVerdict(ONLY_THIS_ORIGIN, Safety.SAFE)
    if isinstance(pattern, WildcardOrigin) and pattern.any_port and not pattern.any_subdomain:
        return OriginVerdict("Any port", Safety.CAUTION)
    if not proof.domains:
        kind = next((words for code, words in _KINDS if proof.fact(code)), "Only listed hosts")
        return OriginVerdict(kind, Safety.SAFE)
    if len(proof.domains) > _MOST_NAMED:
        return OriginVerdict(f"Only {len(proof.domains)} domains", Safety.SAFE)
    return OriginVerdict(f"Only {' and '.join(proof.domains)}", Safety.SAFE)


def _strays(_: OriginPattern, proof: Proof) -> OriginVerdict:
    """It admits domains that were not spelled out, and that somebody else may have or get."""
    first = next(iter(proof.strays), None)
    if first is None or proof.witness is not None:
        return _unsafe(_, proof)
    return OriginVerdict(f"{first} passes too", Safety.CAUTION)


def _unsafe(_: OriginPattern, proof: Proof) -> OriginVerdict:
    witness = proof.witness
    if witness is None:
        return OriginVerdict("Unsafe: foreign domains pass", Safety.UNSAFE)
    return OriginVerdict(f"Unsafe: {witness.removeprefix('https://')} passes", Safety.UNSAFE, witness)


def _shared(_: OriginPattern, proof: Proof) -> OriginVerdict:
    return OriginVerdict(_SHARED, Safety.UNSAFE, proof.witness)


def _unowned(pattern: OriginPattern, proof: Proof) -> OriginVerdict:
    shared = proof.fact(FactCode.SHARED_HOST) or proof.fact(FactCode.PUBLIC_SUFFIX_HOST)
    return (_shared if shared else _unsafe)(pattern, proof)


def _never(_: OriginPattern, __: Proof) -> OriginVerdict:
    return OriginVerdict("No browser sends it", Safety.CAUTION)


def _invalid(_: OriginPattern, __: Proof) -> OriginVerdict:
    return OriginVerdict("Not a regular expression", Safety.UNSAFE)


def _unproven(_: OriginPattern, __: Proof) -> OriginVerdict:
    return OriginVerdict("Unsafe: not proven", Safety.UNSAFE)


_DESCRIBE: Final = {
    Verdict.PROVED: _proved,
    Verdict.NEARMISS: _strays,
    Verdict.MANY: _strays,
    Verdict.UNBOUNDED: _unsafe,
    Verdict.TENANT: _shared,
    Verdict.UNOWNED: _unowned,
    Verdict.NEVER: _never,
    Verdict.INVALID: _invalid,
    Verdict.UNPROVEN: _unproven,
}
