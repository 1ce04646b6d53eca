"""Plans and their results for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.admin_client import diagnostic_of
from crossgate.cli.output.console import printable
from crossgate.cli.output.findings import print_findings

_SIGNS: Final = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_REGIMES: Final = {
    "absent": "not served",
    "native": "its native service decides",
    "observed": "observed only",
    "policy": "its policy decides",
    "server": "server-level CORS decides",
}


def print_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """Every object that changes, what of it, and which origins gain or lose access."""
    if not plan["changes"]:
        console.print(f"Nothing would change: revision {plan['base']} is what the document says")
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
    print_stated(console, plan)
    counts = [sum(one["action"] == action for one in plan["changes"]) for action in _SIGNS]
    console.print()
    console.print(f"On revision {plan['base']}: {_counted(*counts)}")
    refusing = sum(one["refuses"] for one in plan["findings"])
    if refusing:
        console.print(
            f"It would be refused: {refusing} of the linter's findings {_stand(refusing)} in the way"
        )


def print_stated(console: Console, answer: Mapping[str, Any]) -> None:
    """What the linter says of what changes."""
    findings = [diagnostic_of(one) for one in answer["findings"]]
    if findings:
        console.print()
        print_findings(console, findings)


def print_changes(console: Console, changes: Iterable[Mapping[str, Any]]) -> None:
    """Every object that changes, and what of it."""
    for change in changes:
        sign, style = _SIGNS[change["action"]]
        console.print(Text(printable(f"{sign} {_name(change)}"), f"bold {style}"))
        for line in _members(change):
            console.print(printable(f"    {line}"))


def print_applied(console: Console, applied: Mapping[str, Any]) -> None:
    """Which revision came of it."""
    if applied["changed"]:
        counts = _counted(applied["added"], applied["modified"], applied["removed"])
        console.print(f"Revision {applied['revision']}: {counts}")
    else:
        console.print(f"Nothing changed: everything was so already at revision {applied['revision']}")


def _stand(number: int) -> str:
    return "stands" if number == 1 else "stand"


def _counted(added: int, changed: int, removed: int) -> str:
    return f"{added} added, {changed} changed, {removed} removed"


def _name(change: Mapping[str, Any]) -> str:
    kind, key = change["kind"], change["key"]
    return str(kind) if kind == key else f"{kind} {key}"


def _members(change: Mapping[str, Any]) -> Iterator[str]:
    """The members that differ, policies member by member."""
    if change["action"] != "change":
        return
    yield from _differences(change["before"], change["after"], "")


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> Iterator[str]:
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
