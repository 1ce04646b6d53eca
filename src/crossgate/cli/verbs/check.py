"""``crossgate check FILE...``: whether documents are valid, and whether what they allow is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crossgate.catalogue.document import Reading
from crossgate.catalogue.document_files import STDIN_NAME
from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Catalogue, NativeService
from crossgate.cli.arguments import AsJson, DocumentFiles
from crossgate.cli.documents import read_documents
from crossgate.cli.output.console import print_json, printable, stdout
from crossgate.cli.output.findings import print_findings
from crossgate.cli.output.sarif import as_sarif
from crossgate.dataplane.checks import find_unreachable
from crossgate.dataplane.gateway_files import check_gateway_files
from crossgate.dataplane.native_addresses import NativeRules, resolve_names
from crossgate.dataplane.native_preflight import NativePreflight, find_native_cors
from crossgate.diagnostics import Place, Severity, count_by_severity
from crossgate.lint.check import check_catalogue
from crossgate.lint.rule import Finding
from crossgate.lint.subject import Subject
from crossgate.policy.names import ANY


class OutputFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def check(
    paths: DocumentFiles,
    *,
    as_json: AsJson = False,
    output_format: Annotated[
        OutputFormat,
        typer.Option("--format", help="How findings are printed; sarif is for code-scanning services."),
    ] = OutputFormat.TEXT,
    reach: Annotated[
        bool,
        typer.Option(
            "--reach",
            help="Resolve names, and connect to native services: one preflight each if the API has a policy.",
        ),
    ] = False,
    files: Annotated[
        bool,
        typer.Option(
            help="Check the gateway's certificate, key, native_ca and access log, or leave it to its machine."
        ),
    ] = True,
) -> None:
    """Validate documents and lint their policies: print every finding with its file, line and remedy."""
    reading = read_documents(paths)
    machine = _find_forbidden(reading, resolve=reach) + (_unreachable(reading) if reach else [])
    if files and reading.catalogue is not None:
        machine += map(Finding, reading.located(check_gateway_files(reading.catalogue.gateway)))
    native_cors = _native_cors(reading.catalogue) if reach and reading.catalogue is not None else {}
    found = [*_findings(reading, native_cors), *machine]
    findings = sorted(found, key=lambda finding: reading.order(finding.diagnostic))
    unusable = any(one.diagnostic.severity is Severity.ERROR for one in machine)
    if as_json or output_format is OutputFormat.JSON:
        valid = reading.catalogue is not None
        shown = [one.as_json() for one in findings]
        print_json({"file": str(paths[0]), "files": reading.names, "valid": valid, "findings": shown})
    elif output_format is OutputFormat.SARIF:
        print_json(as_sarif(findings))
    else:
        _print(paths, reading, findings, unusable=unusable)
    raise typer.Exit(2 if unusable else _exit_code(reading, findings))


def _findings(reading: Reading, native_cors: Mapping[str, bool]) -> list[Finding]:
    """The document's errors or, if it is valid, its lint findings."""
    if reading.catalogue is None:
        return [Finding(diagnostic) for diagnostic in reading.diagnostics]
    found = check_catalogue(reading.catalogue, today=datetime.now(UTC).date(), native_cors=native_cors)
    return [
        Finding(reading.located([finding.diagnostic])[0], finding.witness, finding.fix)
        for finding in found.findings()
    ]


def _natives(reading: Reading) -> list[tuple[Place, NativeService]]:
    """The native services and their places in the document."""
    apis = reading.catalogue.apis.values() if reading.catalogue is not None else ()
    return [(Place(("apis", index, "native")), api.native) for index, api in enumerate(apis)]


def _find_forbidden(reading: Reading, *, resolve: bool) -> list[Finding]:
    """The native services that are the gateway itself, or in a denied network."""
    if reading.catalogue is None:
        return []
    rules = NativeRules.of(reading.catalogue.gateway, resolve=resolve_names if resolve else None)
    return [Finding(one) for one in reading.located(rules.find(_natives(reading), Severity.ERROR))]


def _unreachable(reading: Reading) -> list[Finding]:
    """The native services that accept no connection."""
    found = asyncio.run(find_unreachable(_natives(reading), Severity.ERROR))
    return [Finding(diagnostic) for diagnostic in reading.located(found)]


def _native_cors(catalogue: Catalogue) -> dict[str, bool]:
    """Whether the native services of APIs with a policy do CORS themselves, as far as they answer."""
    associations = Associations.of(catalogue.applications)
    preflights = {
        key: _preflight(api.native, Subject(api.cors, associations.origins(key)))
        for key, api in catalogue.apis.items()
        if api.cors is not None
    }
    return asyncio.run(find_native_cors(preflights))


def _preflight(native: NativeService, subject: Subject) -> NativePreflight:
    # A service that does CORS itself most likely admits what the policy admits.
    method = next((name for name in subject.policy.allowed_methods if name != ANY), "GET")
    return NativePreflight(native, subject.sample_origin or "https://example.com", method)


def _print(paths: Sequence[Path], reading: Reading, findings: list[Finding], *, unusable: bool) -> None:
    diagnostics = [finding.diagnostic for finding in findings]
    console = stdout()
    print_findings(console, diagnostics)
    if reading.catalogue is None:
        summary = "invalid"
    else:
        catalogue = reading.catalogue
        judgement = "valid, but not usable here" if unusable else "valid"
        summary = f"{judgement}, APIs: {len(catalogue.apis)}, applications: {len(catalogue.applications)}"
    counted = f" ({count_by_severity(diagnostics)})" if findings else ""
    console.print(f"{printable(_title(paths, reading))}: {summary}{counted}")


def _title(paths: Sequence[Path], reading: Reading) -> str:
    if len(paths) == 1:
        return reading.names[0] if reading.names == (STDIN_NAME,) else str(paths[0])
    return f"{len(reading.names)} files"


def _exit_code(reading: Reading, findings: list[Finding]) -> int:
    if reading.catalogue is None:
        return 2
    return 1 if any(one.diagnostic.severity is not Severity.INFO for one in findings) else 0
