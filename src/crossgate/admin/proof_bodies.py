"""Verdicts on entries of allowed origins as response bodies, the same wherever one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.errors import DiagnosticBody

if TYPE_CHECKING:
    # It loads the linter, which is loaded after clients are served.
    from crossgate.lint.entry_report import EntryReport

MOST_PATTERNS = 200
_LONGEST = 4096
SpanBody = Annotated[list[int], Field(min_length=2, max_length=2)]
"""Start and end in characters; the end is not included."""


class PatternRequest(BaseModel):
    """An entry of allowed origins."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = Field(
        default="exact",
        pattern="^(exact|wildcard|regex|any|null)$",
        description="`exact`, `wildcard`, `regex`, `any` (`*`) or `null`.",
    )
    value: str = Field(default="", max_length=_LONGEST, description="Not needed for `any` and `null`.")

    def entry(self) -> str | dict[str, str]:
        """The entry as a document has it."""
        match self.kind:
            case "regex":
                return {"regex": self.value}
            case "any":
                return "*"
            case "null":
                return "null"
            case _:
                return self.value


class VerdictBody(BaseModel):
    """What the proof says of an entry, in few words."""

    words: str
    """Such as `Only this origin`, `Only example.com` or `Unsafe: evilexample.com passes`."""
    safety: str
    """`safe`, `caution` or `unsafe`."""
    witness: str | None = None
    """An origin that gets in and should not."""


class EntryProofBody(BaseModel):
    """The verdict on one entry with the evidence for it."""

    kind: str
    value: str
    verdict: VerdictBody
    sentence: str
    """Who gets in, without a full stop."""
    explanation: str
    """Why; can be empty."""
    proof: str | None
    """The verdict of the prover, such as `proved` or `unbounded`; null if the entry is invalid."""
    domains: list[str]
    """The registrable domains that it admits."""
    domains_complete: bool
    """Whether these are all."""
    facts: list[dict[str, str | None]]
    """What else it admits, such as `loopback`, each with an example."""
    witness_domain: str | None
    """The domain that an attacker would have."""
    witness_spans: list[SpanBody]
    """The characters of the witness that decide."""
    fix: str | None
    """A regular expression in its place that is proven, and admits nothing more."""
    fix_spans: list[SpanBody]
    """Where it differs."""
    admitted: list[str]
    """Examples of origins that it admits."""
    refused: list[str]
    """Examples of origins that look similar and are not admitted."""
    findings: list[DiagnosticBody]
    """The linter's findings for the entry; `docs/rules/CODE.md` explains each."""
    invalid: DiagnosticBody | None
    """Why it is not an entry."""


def entry_proof(request: PatternRequest, report: EntryReport) -> EntryProofBody:
    """The report on an entry as a body."""
    verdict, proof = report.verdict, report.proof
    values: dict[str, Any] = {
        "kind": request.kind,
        "value": request.value,
        "verdict": {"words": verdict.words, "safety": verdict.safety.value, "witness": verdict.witness},
        "sentence": report.sentence,
        "explanation": report.explanation,
        "proof": proof and proof.verdict.value,
        "domains": list(proof.domains) if proof else [],
        "domains_complete": proof is not None and proof.lists_every_domain,
        "facts": [{"code": one.code.value, "example": one.example} for one in proof.facts] if proof else [],
        "witness_domain": proof and proof.witness_domain,
        "witness_spans": [list(one) for one in report.witness_spans],
        "fix": report.fix,
        "fix_spans": [list(one) for one in report.fix_spans],
        "admitted": list(report.admitted),
        "refused": list(report.refused),
        "findings": [one.as_json() for one in report.findings],
        "invalid": report.invalid and report.invalid.as_json(),
    }
    return EntryProofBody.model_validate(values)
