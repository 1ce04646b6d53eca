"""What is known of one entry of allowed origins before it is written: its verdict with the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.lint.check import check_subject
from crossgate.lint.origin_verdict import OriginVerdict, Safety, describe_proof
from crossgate.lint.proof import (
    MatchMode,
    Proof,
    Span,
    SuffixList,
    Verdict,
    deciding_spans,
    differing_spans,
    prove,
    prove_pattern,
    suggest,
)
from crossgate.lint.rule import Finding
from crossgate.lint.subject import Subject
from crossgate.policy import (
    AnyOrigin,
    CorsPolicy,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
    is_well_formed,
    parse_origin_pattern,
)
from crossgate.policy.origin import Origin
from crossgate.policy.origin_set import OriginSet

_MOST_EXAMPLES: Final = 2
_MOST_NAMED: Final = 3
_BEGINNING: Final = "allowed_origins"
_FIXED: Final = (Verdict.PROVED, Verdict.NEVER, Verdict.INVALID)
"""Verdicts that need no fix, or for which there is none."""


@dataclass(frozen=True, slots=True)
class EntryReport:
    """The verdict on one entry, and what it rests on."""

    verdict: OriginVerdict
    sentence: str
    """Who gets in: ``Anyone can register evilexample.com and pass``."""
    explanation: str = ""
    """Why, if there is more to say: ``A bare . matches any character``."""
    proof: Proof | None = None
    """None if the entry is invalid."""
    witness_spans: tuple[Span, ...] = ()
    """The characters of the attacker's origin that decide."""
    fix: str | None = None
    """An expression in its place that admits less, and is proven."""
    fix_spans: tuple[Span, ...] = ()
    admitted: tuple[str, ...] = ()
    """Examples of origins that it admits."""
    refused: tuple[str, ...] = ()
    """Examples of origins that it does not admit, and that look as if."""
    findings: tuple[Finding, ...] = ()
    invalid: Diagnostic | None = None
    """Why it is not an entry."""


def prove_expression(
    pattern: str, mode: MatchMode = MatchMode.FULL, suffixes: SuffixList | None = None
) -> tuple[Proof, str | None]:
    """The proof of a regular expression, and a fix if it needs one and one was found."""
    proof = prove(pattern, mode, suffixes)
    return proof, None if proof.verdict in _FIXED else suggest(pattern, mode, suffixes)


def report_entry(
    raw: object, suffixes: SuffixList | None = None, *, credentials: bool = False
) -> EntryReport:
    """The report on an entry as documents have it: a string, or ``{"regex": …}``."""
    pattern = parse_origin_pattern(raw)
    if isinstance(pattern, Diagnostic):
        words = "Not a regular expression" if isinstance(raw, dict) else "Not an origin"
        message = pattern.message[:1].upper() + pattern.message[1:]
        return EntryReport(OriginVerdict(words, Safety.UNSAFE), message, pattern.remedy, invalid=pattern)
    subject = Subject(
        CorsPolicy(allowed_origins=(pattern,), allow_credentials=credentials), suffixes=suffixes
    )
    findings = tuple(one for one in check_subject(subject) if one.diagnostic.place.path[:1] == (_BEGINNING,))
    if isinstance(pattern, RegexOrigin):
        proof, fix = prove_expression(pattern.pattern, suffixes=suffixes)
    else:
        proof, fix = prove_pattern(pattern, suffixes), None
    sentence, explanation = _sentences(pattern, proof)
    admitted, refused = _examples(pattern, proof)
    return EntryReport(
        describe_proof(pattern, proof),
        sentence,
        explanation,
        proof,
        _witness_spans(pattern, proof),
        fix,
        differing_spans(pattern.pattern, fix) if fix and isinstance(pattern, RegexOrigin) else (),
        admitted,
        refused,
        findings,
    )


def _witness_spans(pattern: OriginPattern, proof: Proof) -> tuple[Span, ...]:
    if proof.witness is None or proof.witness_domain is None:
        return ()
    match pattern:
        case RegexOrigin():
            return deciding_spans(pattern.pattern, proof.witness, proof.witness_domain)
        case WildcardOrigin():
            return deciding_spans(pattern.regex, proof.witness, proof.witness_domain)
        case _:
            return ()


def _sentences(pattern: OriginPattern, proof: Proof) -> tuple[str, str]:
    """Who gets in, and why; without a full stop."""
    match pattern:
        case AnyOrigin():
            return "Every origin gets in", "Any page on the web can read what this API answers"
        case NullOrigin():
            return "Any page can send null and pass", "A sandboxed frame of any page has this origin"
        case _:
            pass
    cause = (proof.cause or "").partition(": ")[2]
    why = cause[:1].upper() + cause[1:]
    match proof.verdict:
        case Verdict.PROVED if isinstance(pattern, ExactOrigin):
            return "Only this origin gets in", ""
        case Verdict.PROVED if proof.domains:
            more = len(proof.domains) - _MOST_NAMED
            named = ", ".join(proof.domains[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
            return f"Proven: every origin it admits belongs to {named}", ""
        case Verdict.PROVED:
            return "Proven: it admits no registrable domain", ""
        case Verdict.TENANT:
            return f"Anyone can get {proof.witness_domain} and pass", why
        case Verdict.UNOWNED:
            return "Somebody else can have an origin that it admits", why
        case Verdict.NEVER:
            return "No browser sends an origin that it admits", ""
        case Verdict.INVALID | Verdict.UNPROVEN:
            return "Not proven: it is to be treated as unsafe", proof.reason or ""
        case _ if proof.witness_domain is None:
            return "Not proven: it may admit foreign domains", why
        case _:
            return f"Anyone can register {proof.witness_domain} and pass", why


def _examples(pattern: OriginPattern, proof: Proof) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Origins that the entry admits, and similar ones that it does not; the engine decides on each."""
    if isinstance(pattern, AnyOrigin | NullOrigin):
        return (), ()
    seed = pattern.value if isinstance(pattern, ExactOrigin) else proof.example
    if seed is None:
        return (), ()
    origins = OriginSet.of([pattern])
    around = dict.fromkeys(one for one in (seed, *_similar(seed)) if is_well_formed(one))
    admitted = [one for one in around if origins.admits(one)]
    refused = [one for one in around if not origins.admits(one)]
    return tuple(admitted[:_MOST_EXAMPLES]), tuple(refused[:_MOST_EXAMPLES])


def _similar(seed: str) -> Iterator[str]:
    origin = Origin.of(seed)
    scheme, host, port = origin.scheme, origin.host, origin.port
    first, _, rest = host.partition(".")
    digits = "".join("x" if one.isdigit() else one for one in first)
    yield str(Origin(scheme, f"{digits}.{rest}" if rest else digits, port))
    yield str(Origin(scheme, f"{first}-2.{rest}" if rest else first, port))
    if "." in rest:
        yield str(Origin(scheme, rest, port))
    yield str(Origin(scheme, f"evil{host}", port))
    yield str(Origin("http" if scheme == "https" else "https", host, port))
