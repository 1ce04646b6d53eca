"""``crossgate prove PATTERN``: which registrable domains an origin pattern admits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from crossgate.cli.arguments import AsJson
from crossgate.cli.documents import load_catalogue
from crossgate.cli.output.console import print_json, stdout
from crossgate.cli.output.proof import print_proof
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.lint import proof
from crossgate.lint.entry_report import prove_expression
from crossgate.lint.proof import MatchMode, Proof, SuffixList, Verdict
from crossgate.policy import parse_origin_pattern

_MODE_WITHOUT_REGEX: Final = Diagnostic(
    "mode-without-regex", "--mode applies to regular expressions only", "Add --regex, or omit --mode"
)


def prove(
    pattern: Annotated[
        str,
        typer.Argument(metavar="PATTERN", help="An origin, a wildcard or, with --regex, an expression."),
    ],
    *,
    regex: Annotated[bool, typer.Option("--regex", help="PATTERN is an RE2 expression.")] = False,
    mode: Annotated[
        MatchMode,
        typer.Option(
            help="How the expression is matched: against the whole origin, anywhere in it, or from its start."
        ),
    ] = MatchMode.FULL,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Document whose gateway.lint names shared domains."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove which registrable domains an origin pattern admits, or show an origin that an attacker has."""
    if mode is not MatchMode.FULL and not regex:
        raise InvalidInput([_MODE_WITHOUT_REGEX])
    suffixes = None if file is None else _suffixes_of(file)
    found, fix = _prove(pattern, mode, suffixes, regex=regex)
    if as_json:
        print_json({**found.as_json(), "fix": fix})
    else:
        print_proof(stdout(), pattern, found, fix)
    raise typer.Exit(0 if found.verdict is Verdict.PROVED else 1)


def _suffixes_of(file: Path) -> SuffixList:
    domains = load_catalogue(file).gateway.lint.domains
    return proof.suffix_list(domains.shared, domains.single_owner)


def _prove(
    pattern: str, mode: MatchMode, suffixes: SuffixList | None, *, regex: bool
) -> tuple[Proof, str | None]:
    if regex:
        return prove_expression(pattern, mode, suffixes)
    parsed = parse_origin_pattern(pattern)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return proof.prove_pattern(parsed, suffixes), None
