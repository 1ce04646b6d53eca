"""What a plan would have made of recorded requests, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from crossgate.diagnostics import printable

_MOST: Final = 20
"""Records of each kind that are printed."""
_BECOMES: Final = {
    "allowed": "would be allowed",
    "observed": "would be observed",
    "refused": "would be refused",
    "not-served": "would not be served",
}


def print_replay(console: Console, replay: Mapping[str, Any] | None) -> None:
    """Print which recorded requests would be treated otherwise; nothing if none would."""
    if replay is None or not (replay["gained"] or replay["lost"] or replay["unknown"]):
        return
    console.print()
    console.print(Text("Recorded requests", "bold"))
    _print_records(console, replay["gained"], "+", "green")
    _print_records(console, replay["lost"], "-", "red")
    if replay["unknown"]:
        requests = f"{replay['unknown_requests']:,}"
        console.print(f"    ? {requests} requests: the records have too little of them to tell")


def _print_records(console: Console, records: Sequence[Mapping[str, Any]], sign: str, style: str) -> None:
    for one in records[:_MOST]:
        console.print(Text(printable(f"    {sign} {_line(one)}"), style))
    rest = records[_MOST:]
    if rest:
        requests = sum(one["count"] for one in rest)
        console.print(f"    {sign} {len(rest)} more, {requests:,} requests: --json lists them")


def _line(one: Mapping[str, Any]) -> str:
    count = f"{one['count']:,}"
    if one["error"] is None:
        count = f"about {count}"
    elif one["error"]:
        count = f"{count} ± {one['error']:,}"
    reason = f" ({one['reason']})" if one["after"] in ("refused", "observed") and one["reason"] else ""
    what = f"{one['before']}, {_BECOMES[one['after']]}{reason}"
    return f"{one['api']}: {one['origin'] or 'no origin'}, {_request(one)}: {count} {what}"


def _request(one: Mapping[str, Any]) -> str:
    if not one["preflight"]:
        return str(one["method"])
    if not one["method"]:
        return "OPTIONS, no preflight"
    headers = f" with {', '.join(one['headers'])}" if one["headers"] else ""
    return f"preflight for {one['method']}{headers}"
