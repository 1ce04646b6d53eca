"""``crossgate explain FILE``: the decision for one request and its reasons, without a gateway."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated

import typer

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.endpoint_index import resolve_api
from crossgate.catalogue.model import Catalogue
from crossgate.cli.arguments import AsJson, DocumentFile
from crossgate.cli.documents import load_catalogue
from crossgate.cli.output.console import print_json, stdout
from crossgate.cli.output.explanation import explanation_as_json, print_explanation
from crossgate.cli.output.findings import print_findings
from crossgate.diagnostics import Diagnostic, InvalidInput, Severity
from crossgate.lint.check import check_object
from crossgate.lint.objects import common_context
from crossgate.lint.rule import Finding
from crossgate.policy import EffectivePolicy, Request, ServerPolicy
from crossgate.policy import explain as explain_decision


def explain(
    file: DocumentFile,
    *,
    api: Annotated[
        str,
        typer.Option(metavar="NAME/VERSION", help="The API. Not needed with --path or server-level CORS."),
    ] = "",
    path: Annotated[
        str, typer.Option(metavar="PATH", help="The request's path, as sent. By default no path is judged.")
    ] = "",
    origin: Annotated[str, typer.Option(metavar="ORIGIN", help="The request's Origin.")] = "",
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            help="The request's method.",
            show_default="OPTIONS with --request-method, otherwise GET",
        ),
    ] = "",
    request_method: Annotated[
        str, typer.Option(metavar="METHOD", help="Its Access-Control-Request-Method.")
    ] = "",
    request_headers: Annotated[
        str, typer.Option(metavar="NAMES", help="Its Access-Control-Request-Headers, comma-separated.")
    ] = "",
    sec_fetch_site: Annotated[
        str,
        typer.Option(metavar="VALUE", help="Its Sec-Fetch-Site: same-origin, same-site, cross-site or none."),
    ] = "",
    host: Annotated[str, typer.Option(metavar="HOST", help="Its Host.")] = "",
    content_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Its Content-Type, for server-level CORS.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Explain the decision for one request step by step, followed by the lint findings for the policy."""
    catalogue = load_catalogue(file)
    if catalogue.server_policy is None:
        api = resolve_api(catalogue.apis, api, path)
    policy = _policy(catalogue, api, path)
    request = Request(
        method or ("OPTIONS" if request_method else "GET"),
        origin.strip(" \t"),
        request_method.strip(" \t"),
        request_headers.strip(" \t"),
        host,
        content_type,
        path,
        sec_fetch_site,
    )
    explanation = explain_decision(policy, request)
    findings = _findings(catalogue, api)
    if as_json:
        explained = explanation_as_json(api or None, request, explanation)
        print_json({**explained, "findings": [finding.as_json() for finding in findings]})
        return
    print_explanation(stdout(), api or "the gateway", request, explanation)
    if findings:
        stdout().print("\nLint findings for this policy:")
        print_findings(stdout(), [finding.diagnostic for finding in findings])


def _findings(catalogue: Catalogue, api: str) -> list[Finding]:
    """Lint findings for the policy that decides, without those of severity info, which `check` prints."""
    context = common_context(catalogue)
    if catalogue.server_policy is not None:
        found = check_object(catalogue.settings, context)
    elif api:
        origins = Associations.of(catalogue.applications).origins(api)
        found = check_object(catalogue.apis[api], replace(context, application_origins=origins))
    else:
        return []
    return [finding for finding in found if finding.diagnostic.severity is not Severity.INFO]


def _policy(catalogue: Catalogue, api: str, path: str) -> EffectivePolicy | ServerPolicy | None:
    """The policy that decides; raises InvalidInput if the API is needed and missing, or not declared."""
    if api and api not in catalogue.apis:
        raise InvalidInput([_no_such_api(catalogue, api)])
    if catalogue.server_policy is not None:
        return catalogue.server_policy
    if not api and path:
        return None  # Envoy refuses such a path before it looks for an API.
    if not api:
        raise InvalidInput([_no_such_api(catalogue, api)])
    return effective_policy(catalogue, Associations.of(catalogue.applications), api)


def _no_such_api(catalogue: Catalogue, api: str) -> Diagnostic:
    names = get_close_matches(api, catalogue.apis, n=5) or list(catalogue.apis)[:5]
    return Diagnostic(
        code="unknown-api",
        message="the document declares no such API" if api else "--api or --path is required",
        found=api or None,
        remedy=f"Use --api {' or --api '.join(names)}" if names else "Declare an API first",
    )
