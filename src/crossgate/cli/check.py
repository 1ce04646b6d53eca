"""``crossgate check FILE``: whether a document is valid, and if not, why."""

from __future__ import annotations

import typer

from crossgate.cli.arguments import AsJson, DocumentFile


def check(file: DocumentFile, *, as_json: AsJson = False) -> None:
    """Validate a document: every error with its line, column and remedy.

    Exit codes: 0 nothing found, 1 findings, 2 the document is refused.
    """
    from crossgate.catalogue.document import load_document
    from crossgate.cli.findings import count_findings, exit_code, print_findings
    from crossgate.cli.output import print_json, printable, stdout

    reading = load_document(file)
    findings = list(reading.diagnostics)
    if as_json:
        print_json(
            {
                "file": str(file),
                "valid": reading.catalogue is not None,
                "findings": [finding.as_json() for finding in findings],
            }
        )
    else:
        console = stdout()
        print_findings(console, findings)
        if reading.catalogue is None:
            summary = "refused"
        else:
            summary = (
                f"valid, APIs: {len(reading.catalogue.apis)},"
                f" applications: {len(reading.catalogue.applications)}"
            )
        counted = f" ({count_findings(findings)})" if findings else ""
        console.print(f"{printable(str(file))}: {summary}{counted}")
    raise typer.Exit(exit_code(findings))
