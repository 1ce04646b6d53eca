"""``crossgate prove PATTERN``: which registrable domains an origin pattern admits, and who would use it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from crossgate.cli.arguments import AsJson
from crossgate.diagnostics import Diagnostic, InvalidInput

if TYPE_CHECKING:
    from crossgate.lint.proof import MatchMode, Proof


class Mode(StrEnum):
    """How the engine that the pattern was written for applies it."""

    FULL = "full"
    SEARCH = "search"
    PREFIX = "prefix"


def prove(
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="An origin, a wildcard, or with --regex an expression.")
    ],
    *,
    regex: Annotated[bool, typer.Option("--regex", help="PATTERN is a regular expression of RE2.")] = False,
    mode: Annotated[
        Mode,
        typer.Option(
            help="How its engine applies an expression: to the whole origin, anywhere, from the start."
        ),
    ] = Mode.FULL,
    as_json: AsJson = False,
) -> None:
    """Prove which registrable domains an origin pattern admits; if that is wrong, show the attacker's origin.

    Exit codes: 0 proved, 1 any other verdict, 2 bad use.
    """
    from crossgate.cli.output.console import print_json, stdout
    from crossgate.cli.output.proof import print_proof
    from crossgate.lint.proof import MatchMode, Verdict, suggest

    if mode is not Mode.FULL and not regex:
        raise InvalidInput([_MODE_WITHOUT_REGEX])
    matching = MatchMode(mode.value)
    proof = _prove(pattern, matching, regex=regex)
    wrong = proof.verdict not in (Verdict.PROVED, Verdict.NEVER, Verdict.INVALID)
    fix = suggest(pattern, matching) if regex and wrong else None
    if as_json:
        print_json({**proof.as_json(), "fix": fix})
    else:
        print_proof(stdout(), pattern, proof, fix)
    raise typer.Exit(0 if proof.verdict is Verdict.PROVED else 1)


_MODE_WITHOUT_REGEX = Diagnostic(
    "mode-without-regex",
    "only a regular expression can be searched for",
    "Add --regex, or leave --mode out",
)


def _prove(pattern: str, mode: MatchMode, *, regex: bool) -> Proof:
    from crossgate.lint import proof
    from crossgate.policy import parse_origin_pattern

    if regex:
        return proof.prove(pattern, mode)
    parsed = parse_origin_pattern(pattern)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return proof.prove_pattern(parsed)
