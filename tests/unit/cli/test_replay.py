"""What `plan` prints of recorded requests."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from crossgate.cli.output.changes import print_plan


def record(origin: str, **values: Any) -> dict[str, Any]:
    return {
        "id": "0123456789ab",
        "api": "petstore/1.0",
        "origin": origin,
        "preflight": False,
        "method": "GET",
        "headers": [],
        "count": 1200,
        "error": 0,
        "before": "refused",
        "after": "allowed",
        "reason": "",
        **values,
    }


def replay(**values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "gained": [],
        "lost": [],
        "gained_requests": 0,
        "lost_requests": 0,
        "unknown": 0,
        "unknown_requests": 0,
    }
    return {**empty, **values}


def printed(found: dict[str, Any] | None) -> list[str]:
    """The lines about recorded requests in a plan."""
    output = StringIO()
    change: dict[str, Any] = {
        "kind": "api",
        "key": "petstore/1.0",
        "action": "add",
        "before": None,
        "after": {},
    }
    plan = {"base": 7, "changes": [change], "access": [], "findings": [], "confirmation": [], "replay": found}
    print_plan(Console(file=output, soft_wrap=True, markup=False), plan)
    lines = output.getvalue().split("\n")
    return lines[lines.index("Recorded requests") + 1 : -3] if "Recorded requests" in lines else []


def test_gains_and_losses_are_printed_with_their_counts() -> None:
    lost = record("https://old.example.com", before="allowed", after="refused", reason="method-refused")
    preflight = record("https://new.example.com", preflight=True, method="PUT", headers=["a", "b"], error=30)
    estimate = {**lost, "error": None, "count": 300, "after": "not-served", "reason": ""}
    assert printed(replay(gained=[record("https://new.example.com"), preflight], lost=[lost, estimate])) == [
        "    + petstore/1.0: https://new.example.com, GET: 1,200 refused, would be allowed",
        (
            "    + petstore/1.0: https://new.example.com, preflight for PUT with a, b: 1,200 ± 30 refused, "
            "would be allowed"
        ),
        "    - petstore/1.0: https://old.example.com, GET: 1,200 allowed, would be refused (method-refused)",
        "    - petstore/1.0: https://old.example.com, GET: about 300 allowed, would not be served",
    ]


def test_what_is_unknown_is_said() -> None:
    assert printed(replay(unknown=2, unknown_requests=1234)) == [
        "    ? 1,234 requests: the records have too little of them to tell"
    ]


def test_many_records_are_summed() -> None:
    lines = printed(replay(gained=[record(f"https://{number}.example.com") for number in range(25)]))
    assert len(lines) == 21
    assert lines[-1] == "    + 5 more, 6,000 requests: --json lists them"


def test_without_records_nothing_is_printed() -> None:
    assert printed(None) == []
    assert printed(replay()) == []


def test_hostile_values_are_escaped() -> None:
    (line,) = printed(replay(gained=[record("\x1b[2J\u202e", method="G\x07", api="a\n/1")]))
    assert line.isprintable()
