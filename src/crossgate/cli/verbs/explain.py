"""``crossgate explain FILE``: what happens to one request, and why, without a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crossgate.cli.arguments import AsJson, DocumentFile
from crossgate.cli.document import load_catalogue
from crossgate.diagnostics import Diagnostic, InvalidInput

if TYPE_CHECKING:
    from crossgate.catalogue.model import Catalogue
    from crossgate.lint.rule import Finding
    from crossgate.policy import EffectivePolicy, ServerPolicy


def explain(
    file: DocumentFile,
    *,
    api: Annotated[
        str, typer.Option(metavar="NAME/VERSION", help="The API; not needed with server-level CORS.")
    ] = "",
    origin: Annotated[str, typer.Option(metavar="ORIGIN", help="The request's Origin.")] = "",
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD", help="Its method; by default OPTIONS with --request-method, else GET."
        ),
    ] = "",
    request_method: Annotated[
        str, typer.Option(metavar="METHOD", help="Its Access-Control-Request-Method.")
    ] = "",
    request_headers: Annotated[
        str, typer.Option(metavar="NAMES", help="Its Access-Control-Request-Headers, separated by commas.")
    ] = "",
    host: Annotated[str, typer.Option(metavar="HOST", help="Its Host; for server-level CORS.")] = "",
    content_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Its Content-Type; for server-level CORS.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Explain what happens to one request: the decision, step by step, computed offline.

    What the linter has against the policy follows.
    """
    from crossgate.cli.output.console import print_json, stdout
    from crossgate.cli.output.explanation import explanation_as_json, print_explanation
    from crossgate.cli.output.findings import print_findings
    from crossgate.policy import Request
    from crossgate.policy import explain as explain_decision

    catalogue = load_catalogue(file)
    policy = _policy_for(catalogue, api)
    request = Request(
        method or ("OPTIONS" if request_method else "GET"),
        origin.strip(" \t"),
        request_method.strip(" \t"),
        request_headers.strip(" \t"),
        host,
        content_type,
    )
    explanation = explain_decision(policy, request)
    findings = _findings(catalogue, api)
    if as_json:
        explained = explanation_as_json(api or None, request, explanation)
        print_json({**explained, "findings": [finding.as_json() for finding in findings]})
        return
    print_explanation(stdout(), api or "the server", request, explanation)
    if findings:
        stdout().print("\nThe linter has this against the policy:")
        print_findings(stdout(), [finding.diagnostic for finding in findings])


def _findings(catalogue: Catalogue, api: str) -> list[Finding]:
    """What the linter has against the policy that was asked; hints are left to `check`."""
    from crossgate.catalogue.effective import Associations
    from crossgate.diagnostics import Severity
    from crossgate.lint.check import check_api

    if catalogue.server_policy is not None:
        return []
    found = check_api(catalogue.apis[api], Associations.of(catalogue.applications).origins(api))
    return [finding for finding in found if finding.diagnostic.severity is not Severity.INFO]


def _policy_for(catalogue: Catalogue, api: str) -> EffectivePolicy | ServerPolicy | None:
    from crossgate.catalogue.effective import Associations, effective_policy

    if api and api not in catalogue.apis:
        raise InvalidInput([_unknown(catalogue, api)])
    if catalogue.server_policy is not None:
        return catalogue.server_policy
    if not api:
        raise InvalidInput([_unknown(catalogue, api)])
    return effective_policy(catalogue, Associations.of(catalogue.applications), api)


def _unknown(catalogue: Catalogue, api: str) -> Diagnostic:
    from difflib import get_close_matches

    names = get_close_matches(api, catalogue.apis, n=5) or list(catalogue.apis)[:5]
    return Diagnostic(
        code="unknown-api",
        message="there is no such API in the document" if api else "--api is missing",
        found=api or None,
        remedy=f"Write for example --api {' or --api '.join(names)}" if names else "Declare an API first",
    )
