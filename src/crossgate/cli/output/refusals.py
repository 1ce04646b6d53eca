"""Groups of refused requests for people: a list, one group, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.admin_client import parse_diagnostic
from crossgate.cli.output.console import print_rows, printable
from crossgate.cli.output.findings import print_findings

_STYLES: Final = {"+": "green", "-": "red", "@": "dim"}
_FEW: Final = 10
_Group = Mapping[str, Any]


def print_refusals(console: Console, groups: Sequence[_Group], others: Sequence[_Group]) -> None:
    """Print a list of groups: in a terminal two lines for each, so that no origin is cut."""
    if console.is_terminal:
        for one in groups:
            _print_lines(console, one)
    else:
        print_rows(console, (), map(_row, groups))
    if console.is_terminal and not groups and not others:
        console.print("No refused requests")
    for one in others:
        observed = " (observed)" if one["observed"] else ""
        what = f"{count_of(one)} more of {one['api']}, {one['reason']}{observed}"
        console.print(printable(f"{what}: too many to keep their groups"))


def _row(group: _Group) -> tuple[str, ...]:
    return (
        group["id"],
        state_of(group, short=True),
        count_of(group),
        str(group["clients"]),
        _time(group["last_seen"]),
        group["api"],
        _reason(group),
        _requested(group),
        group["origin"] or "-",
    )


def _print_lines(console: Console, group: _Group) -> None:
    console.print(Text(printable(group["origin"] or "no Origin"), "bold"))
    state = state_of(group, short=True)
    known = f"{group['api']}, {_reason(group)}, {_requested(group)}"
    seen = f"{count_of(group)} from {_clients(group)}, last {_time(group['last_seen'])}"
    console.print(
        Text.assemble(
            f"  {printable(group['id'])} ",
            (state, "bold yellow" if state in ("open", "reopened") else "green"),
            printable(f"  {known}  {seen}"),
        )
    )


def _reason(group: _Group) -> str:
    return str(group["reason"]) + (" (observed)" if group["observed"] else "")


def _clients(group: _Group) -> str:
    clients = group["clients"]
    return f"{clients} client{'' if clients == 1 else 's'}"


def print_group(console: Console, group: _Group) -> None:
    """Print all that is known about one group."""
    console.print(Text(printable(group["origin"] or "no Origin"), "bold"))
    console.print(printable(group["sentence"]))
    console.print()
    for name, value in _facts(group):
        console.print(Text.assemble((f"{name:<10}", "dim"), printable(value)))
    if group["nearest"] is not None:
        console.print()
        _print_nearest(console, group)
    if group["signs"]:
        console.print()
        for one in group["signs"]:
            console.print(Text(printable(f"- {one['sentence']}"), "yellow" if one["hostile"] else ""))
    for change in group["changes"]:
        console.print()
        print_change(console, group, change)
    if not group["changes"] and group["state"] in ("open", "reopened"):
        console.print()
        console.print("No change is suggested: nothing safe would allow it")


def print_change(console: Console, group: _Group, change: _Group) -> None:
    """Print a suggested change, with what it would let in besides."""
    refused = " Would be refused:" if change["refused"] else ""
    console.print(Text.assemble((f"{change['number']}. ", "bold"), (printable(change["sentence"]), "bold")))
    console.print(printable(f"   {change['verdict']}. {_effect(change)}.{refused}"))
    if change["caution"]:
        console.print(Text(printable(f"   {change['caution']}"), "yellow"))
    for one in change["refused"]:
        console.print(Text(printable(f"   {parse_diagnostic(one)}"), "red"))
    for one in change["findings"]:
        if one not in change["refused"]:
            console.print(Text(printable(f"   {parse_diagnostic(one)}"), "yellow"))
    others = [one for one in change["turns"] if one["id"] != group["id"]]
    for one in others[:_FEW]:
        console.print(
            printable(f"     and {one['count']:>8,}  {one['origin'] or '-'}  {one['reason']}  {one['id']}")
        )
    if len(others) > _FEW:
        console.print(f"     and {len(others) - _FEW} more groups")
    print_patch(console, change["patch"], "   ")
    if not change["refused"]:
        console.print(
            Text(f"   crossgate refusals allow {printable(group['id'])} --change {change['number']}", "dim")
        )


def print_patch(console: Console, patch: str, indent: str = "") -> None:
    """Print a unified diff."""
    for line in patch.splitlines():
        console.print(Text(printable(f"{indent}{line}"), _STYLES.get(line[:1], "")))


def print_allowed(console: Console, allowed: _Group) -> None:
    """Print the revision that allows a group."""
    change = allowed["change"]
    made = (
        f"Revision {allowed['revision']}"
        if allowed["changed"]
        else f"No changes: revision {allowed['revision']} already matches"
    )
    console.print(printable(f"{made}: {change['sentence']}" if allowed["changed"] else made))
    print_state(console, allowed["refusal"])
    findings = [parse_diagnostic(one) for one in allowed["findings"]]
    if findings:
        console.print()
        print_findings(console, findings)


def print_state(console: Console, group: _Group) -> None:
    """Print the state of a group after a decision."""
    console.print(
        printable(f"{group['id']} {state_of(group)}: {group['origin'] or 'no Origin'} to {group['api']}")
    )


def print_readiness(console: Console, found: _Group) -> None:
    """Print whether an API in observe mode can be enforced."""
    console.print()
    days = found["days_with_traffic"]
    requests = found["requests"]
    evidence = (
        f"{requests:,} request{'' if requests == 1 else 's'} on {days} day{'' if days == 1 else 's'}, "
        f"{found['refused']:,} of them would be refused"
    )
    if found["ready"]:
        console.print(Text(printable(f"{found['api']} is ready to enforce: {evidence}"), "green"))
        return
    console.print(Text(printable(f"{found['api']} is not ready to enforce: {evidence}"), "yellow"))
    for one in found["missing"]:
        console.print(printable(f"- {one}"))


def state_of(group: _Group, *, short: bool = False) -> str:
    """The state in words."""
    state, revision, decision = group["state"], group["revision"], group["decision"]
    words = str(state)
    if state == "allowed":
        words = f"allowed since revision {revision}"
        if group["still_refused"]:
            words += ", still refused"
    elif state == "dismissed" and decision is not None:
        words = f"dismissed ({decision['reason']})"
    elif state == "reopened" and not short and decision is not None:
        decided = "allowed by" if decision["kind"] == "allowed" else f"dismissed ({decision['reason']}) at"
        words = f"reopened: refused since revision {revision}, {decided} revision {decision['revision']}"
    return words


def count_of(group: _Group) -> str:
    """The count with its error."""
    return f"{group['count']:,}" + (f" ± {group['error']:,}" if group["error"] else "")


def _facts(group: _Group) -> Iterator[tuple[str, str]]:
    decision = group["decision"]
    yield "API", group["api"]
    state = state_of(group)
    if decision is not None:
        state += f", by {decision['author']} at {_time(decision['at'])}"
        state += f": {decision['note']}" if decision["note"] else ""
    yield "state", state
    period = f"{_time(group['first_seen'])} to {_time(group['last_seen'])}"
    yield "requests", f"{count_of(group)} from {_clients(group)}, {period}"
    yield "reason", group["reason"] + (" (observed: they were forwarded)" if group["observed"] else "")
    yield "request", _requested(group)
    if group["step"] is not None:
        yield "step", f"{group['step']['question']} {group['step']['answer']}"
    if group["path"]:
        yield "path", group["path"]
    seen = [*group["user_agents"]]
    for name, key in (("Site", "fetch_sites"), ("Mode", "fetch_modes"), ("Dest", "fetch_dests")):
        if group[key]:
            seen.append(f"Sec-Fetch-{name}: {', '.join(group[key])}")
    if seen:
        yield "sent by", "; ".join(seen)


def _requested(group: _Group) -> str:
    method = group["method"]
    if group["preflight"] and not method:
        return "OPTIONS, no preflight"
    words = f"preflight for {method}" if group["preflight"] else method
    return words + (f" with {', '.join(group['headers'])}" if group["headers"] else "")


def _effect(change: _Group) -> str:
    groups = len(change["turns"])
    return (
        f"Would have allowed {change['turned']:,} recorded refusal{'' if change['turned'] == 1 else 's'}"
        f" in {groups} group{'' if groups == 1 else 's'}"
    )


def _print_nearest(console: Console, group: _Group) -> None:
    """Print both origins aligned, with a mark below each character in which they differ."""
    origin, nearest = printable(group["origin"]), printable(group["nearest"])
    console.print(printable(f"The nearest allowed origin differs: {group['difference']}"))
    above, below, marks = _aligned(nearest, origin)
    console.print(f"  allowed  {above}")
    console.print(f"  refused  {below}")
    if marks.strip():
        console.print(Text(f"           {marks.rstrip()}", "bold yellow"))


def _aligned(above: str, below: str) -> tuple[str, str, str]:
    first, second, marks = "", "", ""
    for kind, i, j, k, m in SequenceMatcher(None, above, below, autojunk=False).get_opcodes():
        width = max(j - i, m - k)
        first += above[i:j].ljust(width, " " if kind == "equal" else "·")
        second += below[k:m].ljust(width, " " if kind == "equal" else "·")
        marks += (" " if kind == "equal" else "^") * width
    return first, second, marks


def _time(time: str) -> str:
    return time[:19] + "Z"
