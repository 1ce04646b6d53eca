"""What the rules that speak of an attacker have in common: the sentence, the witness, the repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crossgate.lint.proof import Fact, FactCode, Proof, Verdict, suggest
from crossgate.lint.rule import Violation
from crossgate.lint.subject import OriginEntry, Subject
from crossgate.policy import AnyOrigin, RegexOrigin


def attacked(subject: Subject, verdict: Verdict, kind: type[object]) -> Iterator[Violation]:
    """The entries of a kind with that verdict, each with the attack on it."""
    for entry in subject.entries:
        if isinstance(entry.pattern, kind) and entry.proof.verdict is verdict:
            yield attack_on(entry)


def attack_on(entry: OriginEntry) -> Violation:
    """The attack that the entry's proof shows."""
    proof = entry.proof
    fix = suggest(entry.text) if isinstance(entry.pattern, RegexOrigin) else None
    return Violation(
        entry.path,
        f"it admits {proof.witness}, whose domain {proof.witness_domain} {_whose(proof)} ({proof.cause})",
        found=entry.text,
        remedy=None if fix is None else f"Write {fix}",
        witness=proof.witness,
        fix=fix,
    )


def _whose(proof: Proof) -> str:
    return "anybody can have" if proof.verdict is Verdict.TENANT else "anybody can register"


def stated(
    subject: Subject,
    code: FactCode,
    say: Callable[[OriginEntry, Fact], Violation | None],
    *,
    always: bool = False,
) -> Iterator[Violation]:
    """What is to be said of the entries of which a fact holds.

    Of ``*`` nothing: it says itself whom it admits. Nor of an entry that admits any registrant, unless
    ``always``: what else it admits is the lesser evil.
    """
    for entry in subject.entries:
        if isinstance(entry.pattern, AnyOrigin):
            continue
        if entry.proof.verdict is Verdict.UNBOUNDED and not always:
            continue
        fact = entry.proof.fact(code)
        violation = say(entry, fact) if fact is not None else None
        if violation is not None:
            yield violation


def plain(text: str) -> Callable[[OriginEntry, Fact], Violation]:
    """Say ``text`` of the entry, ``{example}`` in it being the origin that shows it."""

    def say(entry: OriginEntry, fact: Fact) -> Violation:
        return Violation(
            entry.path, text.format(example=fact.example), found=entry.text, witness=fact.example
        )

    return say
