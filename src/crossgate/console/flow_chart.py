"""The flow of a request as a chart: positions of boxes, arrows and texts, and the same as a list.

It draws a flow as `POST /v1/explain` returns it, and one that no request takes as `GET /v1/explain` does.
Widths are those of DejaVu Sans and DejaVu Sans Mono, the widest fonts of the console: what would be
wider than its box loses its middle, or has been measured (`tests/browser/console/test_flow_chart.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

_MONO: Final = 0.6025
"""Width of a character of DejaVu Sans Mono, in its size."""
_VALUE_SIZE, _RULE_SIZE = 12, 11
_START, _ANSWER, _TALL, _LOW = 30, 44, 48, 32
_INSET, _PADDING = 46, 12
_SPINE = 24


@dataclass(frozen=True, slots=True)
class RuleLink:
    """What decides at a step: `allowed_origins[0]`, or the line of the file."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Box:
    """One box: the question of a step, an answer, or the end of the flow."""

    kind: str
    """Class of the group: `n-pass`, `n-fail`, `n-skip`, `n-ok`, `n-watch`, `n-left`."""
    x: float
    y: float
    width: float
    height: float
    title: str
    text: str = ""
    sign: str = ""
    """In the badge: `pass`, `fail`, or a number."""
    rule: RuleLink | None = None
    answer: bool = False

    @property
    def middle(self) -> float:
        """Where arrows meet its side."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow down the spine, or to an answer."""

    kind: str
    """`taken`, `refused`, `watched`, or empty."""
    x: float
    y: float
    to_x: float
    to_y: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class ListedStep:
    """One line of the list."""

    number: int
    state: str
    """`passed`, `failed`, `observed`, `left`, `not-reached`, or `end`."""
    question: str
    found: str
    rule: RuleLink | None
    answer: str
    """What is answered if the request fails here."""


@dataclass(frozen=True, slots=True)
class FlowChart:
    """A drawn flow."""

    width: float
    height: float
    label: str
    start: str
    start_width: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    steps: tuple[ListedStep, ...]
    compact: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    box: float
    answer_x: float
    gap: float
    compact: bool


_FULL: Final = _Layout(410, 462, 22, compact=False)
_COMPACT: Final = _Layout(342, 386, 14, compact=True)
_ANSWER_WIDTH: Final = 206


def draw_flow(flow: Mapping[str, Any], start: str, *, compact: bool = False) -> FlowChart:
    """The chart of a flow of the API's JSON; ``start`` is the request, such as ``OPTIONS /pets``.

    Compact, only the step that fails has its value, its rule and its answer.
    """
    layout = _COMPACT if compact else _FULL
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    y = float(_START)
    reached = flow["reached_end"] or flow["failed"] is not None
    for step in flow["steps"]:
        state = state_of(step)
        tall = not compact or state in ("failed", "observed", "left")
        passed_here = reached and state != "not-reached"
        arrows.append(_down(y, layout.gap, taken=passed_here, label=_yes(layout, boxes)))
        y += layout.gap
        box = _step_box(step, state, y, layout, tall=tall)
        boxes.append(box)
        if tall:
            boxes.append(_answer_box(step["fails"], state, box, layout))
            arrows.append(_across(state, box, layout))
        y += box.height
    if flow["flow"] != "pass-through":
        end = flow["reached_end"]
        arrows.append(_down(y, layout.gap, taken=end, label=_yes(layout, boxes)))
        y += layout.gap
        number = str(len(flow["steps"]) + 1)
        kind, sign = ("n-ok", "pass") if end else ("n-skip", number)
        boxes.append(Box(kind, 0, y, layout.box, _LOW, end_text(flow), sign=sign))
        y += _LOW
    return FlowChart(
        width=layout.answer_x + _ANSWER_WIDTH,
        height=y,
        label=f"{flow_sentence(flow)} The steps follow as a list.",
        start=fit(start, layout.box - 32, _VALUE_SIZE),
        start_width=layout.box,
        boxes=tuple(boxes),
        arrows=tuple(arrows),
        steps=listed_steps(flow),
        compact=compact,
    )


def state_of(step: Mapping[str, Any]) -> str:
    """What became of the request at the step; `observed` and `left` are failures that are forwarded."""
    if step["state"] != "failed" or step["fails"]["action"] == "answer":
        return str(step["state"])
    return "left" if step["fails"]["would"] is None else "observed"


def step_count(flow: Mapping[str, Any]) -> int:
    """The steps of a flow with its end."""
    return len(flow["steps"]) + int(flow["flow"] != "pass-through")


def flow_sentence(flow: Mapping[str, Any]) -> str:
    """Where the request stops."""
    name = flow_name(flow)
    if flow["reached_end"]:
        return f"{name}: passes all steps."
    if flow["failed"] is None:
        return f"{name}: {step_count(flow)} steps, none taken."
    return f"{name}: stops at step {flow['failed']} of {step_count(flow)}."


def flow_name(flow: Mapping[str, Any]) -> str:
    """The flow in words."""
    names = {"preflight": "Preflight", "pass-through": "Request", "cors-request": "CORS request"}
    return names.get(flow["flow"], "Request")


def end_text(flow: Mapping[str, Any]) -> str:
    """What becomes of requests that pass all steps."""
    end = flow["passed"]
    if end["action"] == "answer":
        return f"{end['status']}, and the browser sends the request"
    if flow["flow"] == "preflight":
        return "Forwarded: the native service answers"
    return "Forwarded to the native service"


def answer_text(end: Mapping[str, Any]) -> str:
    """What a request gets that ends at a step: `405 Method Not Allowed`."""
    if end["action"] == "answer":
        return f"{end['status']} {end['body']}".rstrip()
    if end["would"] is not None:
        return f"forwarded; enforced, it would be {answer_text(end['would'])}"
    return "forwarded to the native service"


def listed_steps(flow: Mapping[str, Any]) -> tuple[ListedStep, ...]:
    """The steps in order."""
    return tuple(
        ListedStep(
            step["number"],
            state_of(step),
            step["question"],
            step["found"],
            rule_link(step["rule"]),
            answer_text(step["fails"]),
        )
        for step in flow["steps"]
    )


def rule_link(rule: Mapping[str, Any] | None) -> RuleLink | None:
    """The link to a rule; in file mode, its text is the file's line."""
    if rule is None:
        return None
    where = rule["path"].rpartition(".")[2] if rule["kind"] == "settings" else rule["path"]
    text = where if rule["line"] is None else f"{rule['file'].rpartition('/')[2]}:{rule['line']}"
    anchor = rule["path"].partition("[")[0].replace("_", "-")
    match rule["kind"]:
        case "api":
            url = f"/apis/{quote(rule['key'])}#{anchor}"
        case "application":
            url = f"/applications?q={quote(rule['key'], safe='')}"
        case _:
            url = "/settings"
    return RuleLink(text, url)


def fit(text: str, width: float, size: int) -> str:
    """Monospaced text in a box: characters beyond printable ASCII are named, the middle is left out."""
    shown = "".join(one if " " <= one <= "~" else f"[U+{ord(one):04X}]" for one in text[:4096])
    most = max(3, int(width / (size * _MONO)))
    if len(shown) <= most:
        return shown
    tail = most // 2
    return f"{shown[: most - tail - 1]}…{shown[-tail:]}"


def _step_box(step: Mapping[str, Any], state: str, y: float, layout: _Layout, *, tall: bool) -> Box:
    kind = {"passed": "n-pass", "failed": "n-fail", "observed": "n-watch", "left": "n-left"}.get(
        state, "n-skip"
    )
    sign = {"passed": "pass", "failed": "fail", "observed": "fail", "left": "fail"}.get(
        state, str(step["number"])
    )
    if not tall:
        return Box(kind, 0, y, layout.box, _LOW, step["question"], sign=sign)
    rule = rule_link(step["rule"])
    room = layout.box - _INSET - _PADDING
    if rule is not None:
        rule = RuleLink(fit(rule.text, room * 0.6, _RULE_SIZE), rule.url)
        room -= len(rule.text) * _RULE_SIZE * _MONO + _PADDING
    return Box(
        kind, 0, y, layout.box, _TALL, step["question"], fit(step["found"], room, _VALUE_SIZE), sign, rule
    )


def _answer_box(end: Mapping[str, Any], state: str, box: Box, layout: _Layout) -> Box:
    kind = {"failed": "n-fail", "observed": "n-watch", "left": "n-left"}.get(state, "n-skip")
    if end["action"] == "answer":
        title, text = str(end["status"]), end["body"]
    elif end["would"] is not None:
        title, text = f"Observed: {end['would']['status']}", "to the native service"
    else:
        title, text = "Forwarded", "to the native service"
    return Box(
        kind, layout.answer_x, box.middle - _ANSWER / 2, _ANSWER_WIDTH, _ANSWER, title, text, answer=True
    )


def _down(y: float, gap: float, *, taken: bool, label: str) -> Arrow:
    return Arrow("taken" if taken else "", _SPINE, y, _SPINE, y + gap, label)


def _across(state: str, box: Box, layout: _Layout) -> Arrow:
    kind = {"failed": "refused", "observed": "watched", "left": "taken"}.get(state, "")
    return Arrow(kind, box.x + box.width, box.middle, layout.answer_x, box.middle, "no")


def _yes(layout: _Layout, boxes: list[Box]) -> str:
    return "yes" if boxes and not layout.compact else ""
