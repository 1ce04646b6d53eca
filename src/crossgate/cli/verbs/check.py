"""``crossgate check FILE``: whether a document is valid, and whether what it allows is safe."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossgate.cli.arguments import AsJson, DocumentFile

if TYPE_CHECKING:
    from crossgate.catalogue.document import Reading
    from crossgate.lint.rule import Finding


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def check(
    file: DocumentFile,
    *,
    as_json: AsJson = False,
    format_: Annotated[
        Format, typer.Option("--format", help="How to print findings; sarif is for code-scanning services.")
    ] = Format.TEXT,
    reach: Annotated[
        bool, typer.Option("--reach", help="Also try to connect to every native service.")
    ] = False,
) -> None:
    """Validate a document and lint its policies: every finding with its line, column and remedy.

    Exit codes: 0 nothing found but hints, 1 findings, 2 the document is refused, or with --reach a native
    service can't be reached.
    """
    from crossgate.catalogue.document import load_document
    from crossgate.cli.output.console import print_json
    from crossgate.cli.output.sarif import as_sarif

    reading = load_document(file)
    unreachable = _unreachable(reading) if reach else []
    findings = sorted([*_findings(reading), *unreachable], key=_position)
    if as_json or format_ is Format.JSON:
        valid = reading.catalogue is not None
        found = [finding.as_json() for finding in findings]
        print_json({"file": str(file), "valid": valid, "findings": found})
    elif format_ is Format.SARIF:
        print_json(as_sarif(findings))
    else:
        _print(file, reading, findings)
    raise typer.Exit(2 if unreachable else _exit_code(reading, findings))


def _findings(reading: Reading) -> list[Finding]:
    """What keeps the document from being valid; or else what the linter has to say of it."""
    import datetime as dt

    from crossgate.lint.check import check_catalogue
    from crossgate.lint.rule import Finding

    if reading.catalogue is None:
        return [Finding(diagnostic) for diagnostic in reading.diagnostics]
    report = check_catalogue(reading.catalogue, today=dt.datetime.now(dt.UTC).date())
    return [
        Finding(reading.located([finding.diagnostic])[0], finding.witness, finding.fix)
        for finding in report.findings()
    ]


def _unreachable(reading: Reading) -> list[Finding]:
    """The native services that take no connection."""
    import asyncio

    from crossgate.dataplane.checks import find_unreachable
    from crossgate.diagnostics import Place, Severity
    from crossgate.lint.rule import Finding

    apis = reading.catalogue.apis.values() if reading.catalogue is not None else ()
    places = [(Place(("apis", index, "native")), api.native) for index, api in enumerate(apis)]
    found = asyncio.run(find_unreachable(places, Severity.ERROR))
    return [Finding(diagnostic) for diagnostic in reading.located(found)]


def _position(finding: Finding) -> tuple[int, int]:
    place = finding.diagnostic.place
    return place.line or 0, place.column or 0


def _print(file: Path, reading: Reading, findings: list[Finding]) -> None:
    from crossgate.cli.output.console import printable, stdout
    from crossgate.cli.output.findings import count_findings, print_findings

    diagnostics = [finding.diagnostic for finding in findings]
    console = stdout()
    print_findings(console, diagnostics)
    if reading.catalogue is None:
        summary = "refused"
    else:
        catalogue = reading.catalogue
        summary = f"valid, APIs: {len(catalogue.apis)}, applications: {len(catalogue.applications)}"
    counted = f" ({count_findings(diagnostics)})" if findings else ""
    console.print(f"{printable(str(file))}: {summary}{counted}")


def _exit_code(reading: Reading, findings: list[Finding]) -> int:
    from crossgate.diagnostics import Severity

    if reading.catalogue is None:
        return 2
    return 1 if any(found.diagnostic.severity is not Severity.INFO for found in findings) else 0
