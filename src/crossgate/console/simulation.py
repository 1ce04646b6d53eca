"""What the simulator shows of an explanation: pure functions from the API's JSON."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crossgate.console.flow_chart import FlowChart, draw_flow, step_count
from crossgate.console.render import sentence
from crossgate.console.shown import plain

_NARROW: Final = 8
FIELDS: Final = (
    "api",
    "origin",
    "method",
    "path",
    "request_headers",
    "content_type",
    "sec_fetch_site",
    "host",
    "revision",
    "compare",
    "draft",
)
"""The fields of the form, as the URL names them."""


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """What happened, in a word, with its icon and its class."""

    word: str
    icon: str
    classes: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownStage:
    """One request that the browser sends, or would."""

    title: str
    method: str
    words: str
    state: str
    """`selected`, `off`, or empty."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A request, explained."""

    outcome: ShownOutcome
    stages: tuple[ShownStage, ...]
    charts: tuple[FlowChart, ...]
    headers: tuple[tuple[str, str], ...]
    headers_note: str
    command: str
    compared: tuple[str, str, str, str]
    """Icon, class, what it does, and where; empty if nothing is compared."""
    reason: str
    method: str

    @property
    def has_short_headers(self) -> bool:
        """Whether the headers fit in a narrow column."""
        return all(len(name) <= _NARROW for name, _ in self.headers)


def simulation(
    explained: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    path: str,
    document: str = "gateway.yaml",
    other: str = "",
) -> Simulation:
    """What to show; ``path`` is the request's whole path, ``other`` names what it is compared with."""
    stages = explained["stages"]
    decisive = deciding_stage(stages)
    enforced = decisive["decision"].get("would") or decisive["decision"]
    headers = [(one["name"], one["value"]) for one in decisive["decision"]["headers"]]
    if decisive["decision"].get("adds_vary_origin"):
        headers.append(("Vary", "Origin"))
    return Simulation(
        outcome=_outcome(decisive, explained.get("hint")),
        stages=tuple(_shown_stage(stage, number, decisive) for number, stage in enumerate(stages, 1)),
        charts=tuple(
            draw_flow(stage["flow"], f"{stage['method']} {path}".rstrip()) for stage in _drawn(stages)
        ),
        headers=tuple(headers),
        headers_note=_headers_note(decisive["decision"]),
        command=command_line(body, decisive, document),
        compared=_compared(explained.get("compared"), decisive, other),
        reason=enforced["reason"],
        method=str(body["method"]),
    )


def deciding_stage(stages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The last stage that is sent, or may be."""
    return [stage for stage in stages if stage["sent"] is not False][-1]


def _drawn(stages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The stages that are drawn: those that are sent; without a policy, one of them is enough."""
    if stages[0]["flow"]["flow"] == "pass-through":
        return [stages[0]]
    return [stage for stage in stages if stage["sent"] is not False]


def _outcome(stage: Mapping[str, Any], hint: Mapping[str, Any] | None) -> ShownOutcome:
    decision, flow = stage["decision"], stage["flow"]
    would = decision.get("would")
    refused = would or decision
    step = f" at step {flow['failed']} of {step_count(flow)}" if flow["failed"] is not None else ""
    sentence = _sentence(stage, refused["reason"], hint)
    if decision["action"] == "answer" and decision["status"] >= 400:
        title = f"{decision['status']} {decision['body']}{step}"
        return ShownOutcome("Refused", "refused", "is-bad", title, sentence)
    if would is not None and would.get("status", 200) >= 400:
        title = f"Forwarded; enforced, it would be {would['status']} {would['body']}{step}"
        return ShownOutcome("Observed", "observed", "is-watched", title, sentence)
    match decision["reason"]:
        case "no-policy":
            return ShownOutcome(
                "No policy",
                "pass-through",
                "",
                "Everything passes to the native service",
                "This API has no CORS policy. The native service's own CORS headers decide.",
            )
        case "no-origin":
            return ShownOutcome("Allowed", "ok", "is-ok", "Forwarded: not a CORS request", sentence)
        case "plain-options":
            return ShownOutcome("Allowed", "ok", "is-ok", "Forwarded: not a preflight", sentence)
        case "preflight-allowed":
            return ShownOutcome("Allowed", "ok", "is-ok", "200, and the browser sends the request", sentence)
        case _:
            title = "The request reaches the native service, and the page reads the answer"
            return ShownOutcome("Allowed", "ok", "is-ok", title, sentence)


def _sentence(stage: Mapping[str, Any], reason: str, hint: Mapping[str, Any] | None) -> str:
    """What the browser says, and what is wrong in truth."""
    advice = ""
    if hint is not None:
        advice = f" {sentence(hint['message'])} {hint['remedy']}."
    match reason:
        case "method-refused" if stage["stage"] == "preflight":
            return (
                "The browser blames the origin. The origin is allowed; "
                f"{plain(stage['request_method'])} is not among the methods.{advice}"
            )
        case "method-refused":
            return f"The origin is allowed; the method is not.{advice}"
        case "header-refused" if stage["stage"] == "preflight":
            return (
                "The browser blames the origin. The origin and the method are allowed; a header is not among "
                f"the headers.{advice}"
            )
        case "origin-refused":
            return f"The origin is not among the allowed origins.{advice}"
        case "origin-missing" | "no-origin":
            return f"The request counts as one without an origin.{advice}"
        case "origin-allowed":
            return "The gateway adds the CORS headers to whatever answer comes back, errors too."
        case _:
            return advice.strip()


def _shown_stage(stage: Mapping[str, Any], number: int, decisive: Mapping[str, Any]) -> ShownStage:
    title = f"{number} {'Preflight' if stage['stage'] == 'preflight' else 'Request'}"
    decision = stage["decision"]
    if stage["sent"] is False:
        words, state = "never sent", "off"
    elif stage["sent"] is None:
        words, state = "sent if the native service's answer allows it", "off"
    elif decision["action"] == "answer":
        words, state = "answered by the gateway", ""
    else:
        words, state = "forwarded to the native service", ""
    return ShownStage(title, stage["method"], words, "selected" if stage is decisive and not state else state)


def _headers_note(decision: Mapping[str, Any]) -> str:
    if decision["action"] == "answer":
        return ""
    if decision["strips_cors_headers"]:
        return "The native service's own CORS headers are removed, and these are added."
    return "The native service's answer comes back unchanged."


def command_line(body: Mapping[str, Any], stage: Mapping[str, Any], document: str) -> str:
    """The same on the command line, quoted for a POSIX shell."""
    options = [("--api", body["api"]), ("--origin", stage["origin"])]
    if stage["request_method"]:
        options += [
            ("--request-method", stage["request_method"]),
            ("--request-headers", stage["request_headers"]),
        ]
    else:
        options.append(("--method", stage["method"]))
    options += [
        ("--path", body.get("path", "")),
        ("--sec-fetch-site", body.get("sec_fetch_site", "")),
        ("--host", body.get("host", "")),
    ]
    words = [f"{name} {shlex.quote(value)}" for name, value in options if value]
    return " \\\n  ".join([f"crossgate explain {shlex.quote(document)}", *words])


def _compared(
    compared: Mapping[str, Any] | None, decisive: Mapping[str, Any], other: str
) -> tuple[str, str, str, str]:
    if compared is None:
        return ("", "", "", "")
    outcome = _outcome(deciding_stage(compared["stages"]), None)
    verb = {"Refused": "refuses", "Observed": "observes", "Allowed": "allows"}.get(outcome.word, "passes")
    where = f" at step {compared['step']}" if compared["step"] is not None else ""
    if not compared["differs"]:
        same = ", at the same step." if decisive["flow"]["failed"] is not None else "."
        return (outcome.icon, outcome.classes, f"{other} {verb} it too", same)
    return (outcome.icon, outcome.classes, f"{other} {verb} it", f": the two differ{where}.")
