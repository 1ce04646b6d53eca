"""A decision and its steps, for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, assert_never

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossgate.cli.output.console import printable
from crossgate.policy import Answer, Decision, Explanation, Forward, Header, Reason, Request, Step


def print_explanation(console: Console, api: str, request: Request, explanation: Explanation) -> None:
    """Print the verdict, the steps that led to it, and the headers of the response."""
    decision = explanation.decision
    word, style, sentence = _verdict(decision)
    console.print(Text.assemble((word, f"bold {style}"), f" {printable(sentence)}"))
    origin = f" from {request.origin}" if request.origin else ""
    console.print(Text(printable(f"{request.method}{origin} to {api} ({decision.reason.value})"), "dim"))
    console.print()
    if console.is_terminal:
        console.print(_table(explanation.steps))
    else:
        for step in explanation.steps:
            console.print(printable(f"  {_sign(step)} {step.question} {step.answer}"))
    if explanation.hint is not None:
        hint = printable(f"{explanation.hint.message}. {explanation.hint.remedy}")
        console.print()
        console.print(Text.assemble(("Hint: ", "bold"), hint))
    title, headers = _headers(decision)
    console.print()
    console.print(title)
    for name, value in headers:
        console.print(Text.assemble(f"  {name}: ", (printable(value), "bold")))


def print_recorded_request(console: Console, record: Mapping[str, Any], explained: Mapping[str, Any]) -> None:
    """Print what was decided about a recorded request, and the steps under the policy of now."""
    origin = f" from {record['origin']}" if record["origin"] else ""
    observed = " (observed)" if record["observed"] else ""
    where = record["api"] or "no API"
    console.print(Text(printable(f"{record['method']} {record['path']}{origin}: {record['status']}"), "bold"))
    console.print(
        printable(
            f"At {record['at'][:19]}Z, {where} decided {record['flow']} {record['reason']}{observed}"
            f" on node {record['node']}"
        )
    )
    for name, key in (("method", "request_method"), ("headers", "request_headers")):
        if record[key]:
            console.print(printable(f"Requested {name}: {record[key]}"))
    decision = explained["decision"]
    would = decision.get("would")
    now = f"{decision['reason']}, {'forwarded' if decision['action'] == 'forward' else decision['status']}"
    console.print()
    console.print(
        printable(
            f"Under revision {explained['revision']}: {now}"
            + (f"; enforced, it would be {would['reason']}" if would else "")
        )
    )
    for step in explained["steps"]:
        console.print(printable(f"  {'✓' if step['passed'] else '✗'} {step['question']} {step['answer']}"))
    if explained["hint"] is not None:
        console.print(printable(f"Hint: {explained['hint']['message']}. {explained['hint']['remedy']}"))


def explanation_as_json(api: str | None, request: Request, explanation: Explanation) -> dict[str, object]:
    """The explanation as JSON-ready values."""
    return {
        "api": api,
        "request": {
            "method": request.method,
            "origin": request.origin or None,
            "request_method": request.request_method or None,
            "request_headers": request.request_headers or None,
            "sec_fetch_site": request.sec_fetch_site or None,
            "path": request.path or None,
        },
        "decision": _decision_as_json(explanation.decision),
        "steps": [
            {"question": step.question, "answer": step.answer, "passed": step.passed}
            for step in explanation.steps
        ],
        "hint": None if explanation.hint is None else asdict(explanation.hint),
    }


def _verdict(decision: Decision) -> tuple[str, str, str]:
    match decision:
        case Answer(status=200):
            return "ALLOWED", "green", "the gateway answers this preflight with 200"
        case Answer():
            return "REFUSED", "red", f"the gateway answers {decision.status} {decision.body}"
        case Forward(would=Answer() as would):
            enforced = f"enforced, the answer would be {would.status} {would.body}".rstrip()
            return "FORWARDED", "yellow", f"to the native service, in observe mode; {enforced}"
        case Forward():
            return "FORWARDED", "green", f"to the native service: {_why(decision.reason)}"
        case _ as never:
            assert_never(never)


def _why(reason: Reason) -> str:
    match reason:
        case Reason.NO_POLICY:
            return "the API has no policy"
        case Reason.NO_ORIGIN:
            return "not a CORS request"
        case Reason.PLAIN_OPTIONS:
            return "an OPTIONS request, but not a preflight"
        case _:
            return "the origin is allowed"


def _headers(decision: Decision) -> tuple[str, tuple[Header, ...]]:
    match decision:
        case Answer():
            return "Response headers:", decision.headers
        case Forward(strip=False):
            return "The native service's response is returned unchanged.", ()
        case Forward():
            vary: tuple[Header, ...] = (("Vary", "Origin"),) if decision.vary else ()
            headers = (*decision.headers, *vary)
            ending = ", and these are added:" if headers else "."
            title = f"The native service's response is returned without its Access-Control-* headers{ending}"
            return title, headers
        case _ as never:
            assert_never(never)


def _sign(step: Step) -> str:
    return "✓" if step.passed else "✗"


def _table(steps: tuple[Step, ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column()
    table.add_column()
    for step in steps:
        style = "green" if step.passed else "bold red"
        table.add_row(Text(_sign(step), style), Text(step.question), Text(printable(step.answer), style))
    return table


def _decision_as_json(decision: Decision) -> dict[str, object]:
    common: dict[str, object] = {
        "flow": decision.flow.value,
        "reason": decision.reason.value,
        "headers": [{"name": name, "value": value} for name, value in decision.headers],
    }
    match decision:
        case Answer():
            return {"action": "answer", **common, "status": decision.status, "body": decision.body}
        case Forward():
            return {
                "action": "forward",
                **common,
                "strips_cors_headers": decision.strip,
                "adds_vary_origin": decision.vary,
                "would": None if decision.would is None else _decision_as_json(decision.would),
            }
        case _ as never:
            assert_never(never)
