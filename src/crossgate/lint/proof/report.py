"""A proof as plain values, for programs."""

from __future__ import annotations

from crossgate.lint.proof.verdict import Proof


def as_json(proof: Proof, fix: str | None) -> dict[str, object]:
    """JSON-ready: verdict, domains, witness, cause, facts, fix; and what else is known."""
    return {
        "verdict": proof.verdict.value,
        "domains": list(proof.domains),
        "strays": list(proof.strays),
        "open_suffixes": list(proof.open_suffixes),
        "witness": proof.witness,
        "witness_domain": proof.witness_domain,
        "cause": proof.cause,
        "facts": [{"code": fact.code.value, "example": fact.example} for fact in proof.facts],
        "ports": proof.ports,
        "fix": fix,
        "reason": proof.reason,
    }
