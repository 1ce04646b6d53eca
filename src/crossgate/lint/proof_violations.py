"""Violations that rules make from the proofs of entries: attacks, and facts beside the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.lint.proof import FactCode, Proof, Verdict, suggest
from crossgate.lint.rule import Violation
from crossgate.lint.subject import OriginEntry, Subject
from crossgate.policy import AnyOrigin, RegexOrigin


def attacks(subject: Subject, verdict: Verdict, kind: type[object]) -> Iterator[Violation]:
    """The attack on each entry of that kind and with that verdict."""
    for entry in subject.entries:
        if isinstance(entry.pattern, kind) and entry.proof.verdict is verdict:
            yield attack_on(entry)


def attack_on(entry: OriginEntry) -> Violation:
    """The attack that the entry's proof shows, with a verified fix if there is one."""
    proof = entry.proof
    fix = suggest(entry.source, suffixes=entry.suffixes) if isinstance(entry.pattern, RegexOrigin) else None
    return Violation(
        entry.path,
        f"the entry admits {proof.witness}; {_who_can_have(proof)} {proof.witness_domain} ({proof.cause})",
        found=entry.source,
        remedy=None if fix is None else f"Write {fix}",
        witness=proof.witness,
        fix=fix,
    )


def _who_can_have(proof: Proof) -> str:
    return "anybody can get" if proof.verdict is Verdict.TENANT else "anybody can register"


def facts(
    subject: Subject, code: FactCode, message: str, *, if_unbounded: bool = False
) -> Iterator[Violation]:
    """A violation for each entry of which a fact holds; ``{example}`` in the message is its example.

    None for ``*``, which says openly that it admits everybody. None for an entry that admits domains that
    anybody can register, unless ``if_unbounded``: what else it admits is the lesser evil.
    """
    for entry, fact in subject.facts.get(code, ()):
        if isinstance(entry.pattern, AnyOrigin):
            continue
        if entry.proof.verdict is not Verdict.UNBOUNDED or if_unbounded:
            yield Violation(
                entry.path, message.format(example=fact.example), found=entry.source, witness=fact.example
            )
