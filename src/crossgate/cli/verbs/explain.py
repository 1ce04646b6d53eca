"""``crossgate explain``: the decision for one request and its reasons, without a gateway or by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.endpoint_index import resolve_api
from crossgate.catalogue.model import Catalogue
from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, ServerInClearText, Token
from crossgate.cli.documents import load_catalogue
from crossgate.cli.output.console import print_json, stdout
from crossgate.cli.output.explanation import (
    explanation_as_json,
    print_explanation,
    print_recorded_request,
)
from crossgate.cli.output.findings import print_findings
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.diagnostics import Diagnostic, InvalidInput, Severity
from crossgate.lint.check import check_object
from crossgate.lint.objects import common_context
from crossgate.lint.rule import Finding
from crossgate.policy import EffectivePolicy, Request, ServerPolicy
from crossgate.policy import explain as explain_decision


def explain(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The YAML document. Not with --request-id.", show_default=False),
    ] = None,
    *,
    request_id: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Explain a request that a running gateway has handled, by the X-Request-Id of its response.",
        ),
    ] = "",
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
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Explain the decision for one request step by step, followed by the lint findings for the policy.

    With --request-id, it is a request of the last minutes, under the policy that the gateway has now.
    """
    if request_id:
        described = api or path or origin or method or request_method or request_headers or sec_fetch_site
        if file is not None or described or host or content_type:
            raise InvalidInput([_only_the_id()])
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
            record = client.get(f"/v1/requests/{quote(request_id, safe='')}").value
            explained = client.send("POST", "/v1/explain", _request_of(record)).value
        if as_json:
            print_json({"request": record, **explained})
        else:
            print_recorded_request(stdout(), record, explained)
        return
    if file is None:
        raise InvalidInput([_file_missing()])
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


def _request_of(record: Mapping[str, Any]) -> dict[str, object]:
    """The body for an explanation; requests that no API has the path of have nothing but a path."""
    api = "" if record["api"] == SERVER_LEVEL else record["api"]
    return {
        "api": api,
        "path": "" if api else record["path"] or "/",
        "method": record["method"],
        "origin": record["origin"],
        "request_method": record["request_method"],
        "request_headers": record["request_headers"],
        "sec_fetch_site": "".join(record["fetch_sites"][:1]),
    }


def _only_the_id() -> Diagnostic:
    return Diagnostic(
        "option-conflict",
        "--request-id cannot be combined with a file, nor with what describes a request",
        "Use --request-id alone",
    )


def _file_missing() -> Diagnostic:
    return Diagnostic(
        "file-missing",
        "a document or --request-id is required",
        "Name the document, or set --request-id to the X-Request-Id of a response",
    )


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
