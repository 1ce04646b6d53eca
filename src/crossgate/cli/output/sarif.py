"""Findings as SARIF 2.1.0, which code-scanning services read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from crossgate import __version__
from crossgate.diagnostics import Diagnostic, Severity
from crossgate.lint.rule import Finding
from crossgate.lint.rules import rule_of

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(findings: Sequence[Finding]) -> dict[str, object]:
    """One run of the linter, with the rules that found something."""
    codes = sorted({finding.diagnostic.code for finding in findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "crossgate",
                        "version": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "results": [_result(finding, codes) for finding in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, object]:
    rule = rule_of(code)
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.rationale},
        "help": {"text": f"{rule.remedy}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, codes: Sequence[str]) -> dict[str, object]:
    found = finding.diagnostic
    what = f" (found {found.found})" if found.found is not None else ""
    return {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": _LEVELS[found.severity],
        "message": {"text": f"{found.message}{what}. {found.remedy}."},
        "locations": [_location(found)],
        "properties": {"witness": finding.witness, "fix": finding.fix, "path": found.place.json_path},
    }


def _location(found: Diagnostic) -> dict[str, object]:
    region = {"startLine": found.place.line or 1, "startColumn": found.place.column or 1}
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(found.place.file or "")}, "region": region},
        "logicalLocations": [{"fullyQualifiedName": found.place.json_path}],
    }
