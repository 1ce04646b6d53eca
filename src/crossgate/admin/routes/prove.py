"""The proof of what entries of allowed origins admit, before they are written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import Context, resource_router
from crossgate.admin.proof_bodies import MOST_PATTERNS, EntryProofBody, PatternRequest, entry_proof
from crossgate.admin.responses import json_response, read_response
from crossgate.service.errors import NotFound

router = resource_router("Prove")


class ProveRequest(PatternRequest):
    """One entry, or several in `patterns`."""

    credentials: bool = Field(
        default=False, description="Whether the policy allows credentials: some findings are worse then."
    )
    patterns: list[PatternRequest] = Field(
        default=[], max_length=MOST_PATTERNS, description="In place of `kind` and `value`."
    )


class ProofsBody(BaseModel):
    """The verdicts in the order of the entries."""

    items: list[EntryProofBody]


class LintRuleBody(BaseModel):
    """A rule of the linter."""

    code: str
    title: str
    severity: str
    with_credentials: str | None
    """The severity where requests carry credentials, if it differs."""
    rationale: str
    """Why it matters."""
    remedy: str
    """What to do."""


@router.get("/v1/rules/{code}", response_model=LintRuleBody)
def read_rule(
    request: Request,
    caller: Viewer,
    code: Annotated[str, Path(max_length=100, description="The code of a finding.")],
) -> Response:
    """What a rule of the linter finds, why it matters and what to do."""
    del caller
    # Imported here: it loads the linter, which is loaded after clients are served.
    from crossgate.lint.rules import rules_by_code
    from crossgate.lint.suppressions import NOTES

    values: dict[str, Any]
    rule = rules_by_code().get(code) or NOTES.get(code)
    if rule is None:
        raise NotFound("rule", code)
    worse = getattr(rule, "with_credentials", None)
    values = {
        "code": code,
        "title": rule.title,
        "severity": rule.severity.value,
        "with_credentials": worse and worse.value,
        "rationale": rule.rationale,
        "remedy": rule.remedy,
    }
    return read_response(request, LintRuleBody.model_validate(values))


@router.post("/v1/prove", response_model=ProofsBody)
def prove_patterns(
    context: Context, caller: Viewer, body: Annotated[ProveRequest, Depends(ModelBody(ProveRequest))]
) -> Response:
    """Whom entries of allowed origins let in: the verdict, the attacker's origin if there is one, a fix.

    Shared domains are those of the gateway's `lint.domains`.
    """
    del caller
    # Imported here: it loads the linter, which is loaded after clients are served.
    from crossgate.lint.entry_report import report_entry
    from crossgate.lint.proof import suffix_list

    domains = context.head.catalogue.gateway.lint.domains
    suffixes = suffix_list(domains.shared, domains.single_owner)
    with context.quick_proofs():
        items = [
            entry_proof(one, report_entry(one.entry(), suffixes, credentials=body.credentials))
            for one in body.patterns or [body]
        ]
    return json_response(ProofsBody(items=items), in_ascii=True)
