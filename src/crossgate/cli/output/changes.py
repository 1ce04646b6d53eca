"""Plans, changes and their results for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.admin_client import parse_diagnostic
from crossgate.cli.output.console import printable
from crossgate.cli.output.findings import print_findings
from crossgate.cli.output.replay import print_replay

_SIGNS: Final = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_MOST_REMOVED: Final = 30
"""Removed objects that a question lists; the plan has all."""
_REGIMES: Final = {
    "absent": "not served",
    "native": "pass-through: the native service decides",
    "observed": "observe mode: nothing is refused",
    "policy": "enforced policy",
    "server": "server-level CORS",
}


def print_plan(console: Console, plan: Mapping[str, Any], *, confirmed: bool = False) -> None:
    """Print each object that would change, its differences, and who gains or loses access."""
    if not plan["changes"]:
        console.print(f"No changes: revision {plan['base']} already matches")
        return
    print_changes(console, plan["changes"])
    for access in plan["access"]:
        console.print()
        console.print(Text(printable(f"Access to {access['api']}"), "bold"))
        if access["before"] != access["after"]:
            before, after = _REGIMES[access["before"]], _REGIMES[access["after"]]
            console.print(f"    {before} -> {after}")
        for sign, style, origins in (("+", "green", access["gains"]), ("-", "red", access["loses"])):
            for origin in origins:
                console.print(Text(printable(f"    {sign} {origin}"), style))
    print_replay(console, plan.get("replay"))
    print_lint(console, plan)
    counts = [sum(one["action"] == action for one in plan["changes"]) for action in _SIGNS]
    console.print()
    console.print(f"Compared with revision {plan['base']}: {_counted(*counts)}")
    # A control plane of version 0.1 sends none.
    if plan.get("confirmation"):
        console.print()
        _print_reasons(console, plan)
        if not confirmed:
            console.print("Would need --yes")
    refusing = sum(one["refuses"] for one in plan["findings"])
    if refusing:
        errors = "lint error" if refusing == 1 else "lint errors"
        console.print(f"Would be refused: {refusing} {errors}")


def print_confirmation(console: Console, plan: Mapping[str, Any]) -> None:
    """Print why a change must be confirmed, and what it removes."""
    removed = [one for one in plan["changes"] if one["action"] == "remove"]
    for one in removed[:_MOST_REMOVED]:
        console.print(Text(printable(f"- {_name(one)}"), "bold red"))
    if rest := removed[_MOST_REMOVED:]:
        console.print(f"- {len(rest)} more")
    _print_reasons(console, plan)


def _print_reasons(console: Console, plan: Mapping[str, Any]) -> None:
    for reason in plan["confirmation"]:
        to = f": {reason['found']}" if reason["code"] == "listener-changed" and reason["found"] else ""
        message = str(reason["message"])
        console.print(Text(printable(f"{message[:1].upper()}{message[1:]}{to}"), "bold yellow"))


def print_lint(console: Console, answer: Mapping[str, Any]) -> None:
    """Print the lint findings for what changes."""
    findings = [parse_diagnostic(one) for one in answer["findings"]]
    if findings:
        console.print()
        print_findings(console, findings)


def print_changes(console: Console, changes: Iterable[Mapping[str, Any]]) -> None:
    """Print each object that changes, and its differences."""
    for change in changes:
        sign, style = _SIGNS[change["action"]]
        console.print(Text(printable(f"{sign} {_name(change)}"), f"bold {style}"))
        if change["action"] == "change":
            for line in _differences(change["before"], change["after"]):
                console.print(printable(f"    {line}"))


def print_applied(console: Console, applied: Mapping[str, Any]) -> None:
    """Print the revision that a change led to."""
    if applied["changed"]:
        counts = _counted(applied["added"], applied["modified"], applied["removed"])
        console.print(f"Revision {applied['revision']}: {counts}")
    else:
        console.print(f"No changes: revision {applied['revision']} already matches")


def _counted(added: int, changed: int, removed: int) -> str:
    return f"{added} added, {changed} changed, {removed} removed"


def _name(change: Mapping[str, Any]) -> str:
    kind, key = change["kind"], change["key"]
    return str(kind) if kind == key else f"{kind} {key}"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The members that differ, with those of nested objects each on a line of its own."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {_shown(old)} -> {_shown(new)}"


def _shown(value: object) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
