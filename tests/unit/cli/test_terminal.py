"""Output in a terminal: findings on several lines, steps as a table, control characters escaped."""

from __future__ import annotations

import io
import re

from rich.console import Console

from crossgate.cli.output.console import print_rows, printable
from crossgate.cli.output.explanation import print_explanation
from crossgate.cli.output.findings import print_findings
from crossgate.cli.output.refusals import print_change, print_readiness, print_refusals, state_of
from crossgate.diagnostics import Diagnostic, Place, Severity, count_by_severity
from crossgate.policy import EffectivePolicy, Request, build_policy, explain

HOSTILE = Diagnostic(
    "code", "bad \x1b[2J", "fix\x07 it", Place(("a", 0), "f.yaml", 3, 4), "[red]\u202e", Severity.WARNING
)


def _terminal() -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=True, no_color=True, width=100, highlight=False), written


def test_a_finding_on_several_lines() -> None:
    console, written = _terminal()
    print_findings(console, [HOSTILE])
    assert _plain(written) == [
        "f.yaml:3:4 warning bad \\x1b[2J",
        "  found  [red]\\u202e",
        "  at     $.a[0]",
        "  remedy fix\\x07 it",
        "  code   code",
        "",
    ]


def test_no_origin_of_a_refusal_is_cut() -> None:
    group = {
        "id": "06707b5348ac4000",
        "state": "open",
        "revision": None,
        "decision": None,
        "still_refused": False,
        "count": 1200,
        "error": 30,
        "clients": 3,
        "last_seen": "2026-11-28T13:18:15.1Z",
        "api": "petstore/1.0",
        "reason": "origin-refused",
        "observed": True,
        "preflight": True,
        "method": "GET",
        "headers": ["x-one"],
        "origin": f"https://{'a' * 200}.evil.example\x1b[31m",
    }
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, no_color=True, width=60, soft_wrap=True)
    print_refusals(console, [group], [])
    known = "petstore/1.0, origin-refused (observed), preflight for GET with x-one"
    assert _plain(written) == [
        f"https://{'a' * 200}.evil.example\\x1b[31m",
        f"  06707b5348ac4000 open  {known}  1,200 ± 30 from 3 clients, last 2026-11-28T13:18:15Z",
    ]
    print_refusals(console, [group | {"method": "", "headers": [], "reason": "origin-missing"}], [])
    assert "origin-missing (observed), OPTIONS, no preflight" in _plain(written)[3]


def test_a_suggested_change_shows_what_the_linter_finds() -> None:
    finding = HOSTILE.as_json() | {"path": "$.apis['a/1'].cors.allowed_origins[1]"}
    change = {
        "number": 1,
        "sentence": "Add https://a.example to allowed_origins of a/1",
        "verdict": "Only this origin",
        "caution": "",
        "findings": [finding],
        "refused": [],
        "turned": 1,
        "turns": [{"id": "5f"}],
        "patch": "",
    }
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, no_color=True, width=200, soft_wrap=True)
    print_change(console, {"id": "5f"}, change)
    place = "$.apis['a/1'].cors.allowed_origins[1]"
    found = f"   {place}: warning: bad \\x1b[2J (found [red]\\u202e). fix\\x07 it [code]"
    assert _plain(written)[2] == found


def test_a_reopened_group_says_which_revision_refuses_it_and_who_decided_before() -> None:
    decision = {"kind": "allowed", "revision": 3, "reason": None}
    group = {"state": "reopened", "revision": 4, "decision": decision, "still_refused": False}
    assert state_of(group) == "reopened: refused since revision 4, allowed by revision 3"
    assert state_of(group, short=True) == "reopened"


def test_readiness_counts_one_request() -> None:
    console, written = _terminal()
    found = {
        "api": "a/1",
        "ready": False,
        "missing": ["1 group"],
        "requests": 1,
        "days_with_traffic": 1,
        "refused": 1,
    }
    print_readiness(console, found)
    assert _plain(written)[1:3] == [
        "a/1 is not ready to enforce: 1 request on 1 day, 1 of them would be refused",
        "- 1 group",
    ]


def test_wide_cells_of_a_table_go_on_in_the_next_line() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, no_color=True, width=20)
    print_rows(console, ("name", "value"), [("x" * 15, "y" * 15)])
    letters = "".join(_plain(written))
    assert (letters.count("x"), letters.count("y")) == (15, 15)


def test_steps_as_a_table() -> None:
    console, written = _terminal()
    policy = EffectivePolicy.of(build_policy(allowed_origins=["https://a.example"]))
    request = Request("GET", "https://\x1b[31mb.example")
    print_explanation(console, "a/1", request, explain(policy, request))
    lines = _plain(written)
    assert lines[0] == "REFUSED the gateway answers 403 Specified Origin is not allowed"
    assert lines[1] == "GET from https://\\x1b[31mb.example to a/1 (origin-refused)"
    assert lines[3:5] == [
        "  ✓  What kind of request is GET?  it has an Origin: a CORS request",
        "  ✗  Is the origin allowed?        https://\\x1b[31mb.example",
    ]


def test_counts_by_severity() -> None:
    error, info = Diagnostic("e", "e", "e"), Diagnostic("i", "i", "i", severity=Severity.INFO)
    assert count_by_severity([error, HOSTILE, error, info]) == "2 errors, 1 warning, 1 info"
    assert count_by_severity([]) == ""


def test_printable_characters_are_kept() -> None:
    assert printable("Grüße ✓ 日本") == "Grüße ✓ 日本"


def _plain(written: io.StringIO) -> list[str]:
    """The lines without rich's own bold and dim."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in written.getvalue().splitlines()]
