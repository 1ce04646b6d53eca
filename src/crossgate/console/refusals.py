"""Refusals as their pages show them: rows, one group, the chart of its hours, and the filter's tabs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from crossgate.console.charts import (
    NOW_DISTANCE,
    Flag,
    Label,
    Plot,
    flags,
    place_of,
    stacked_plot,
    time_labels,
)
from crossgate.console.flow_chart import FlowChart, answer_text, draw_flow, state_of, step_count
from crossgate.console.render import api_label, as_time, figures
from crossgate.console.shown import LONGEST, code_line, shown, shown_row

Json = Mapping[str, Any]
DEFAULT_FILTER: Final = "is:open sort:clients"
PAGE_SIZE: Final = 25
REASONS: Final = {
    "origin-refused": ("origin", "Origin"),
    "method-refused": ("method", "Method"),
    "method-missing": ("method", "Method"),
    "origin-missing": ("method", "Method"),
    "header-refused": ("header", "Header"),
}
"""By reason: the class of its swatch, and its name."""
_CHIPS: Final = {
    "look-alike": "Look-alike",
    "scanner": "Scanner",
    "extension": "Extension",
    "app": "App",
    "own-page": "Own page",
    "local-page": "Local page",
}
_TABS: Final = (("open", "Open"), ("allowed", "Allowed"), ("dismissed", "Dismissed"))
_LEAST_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Chip:
    """A property of a group; hostile ones have a warning sign."""

    text: str
    hostile: bool


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One row. What the requests sent is hostile: the template escapes it."""

    id: str
    origin: Markup
    sent: str
    swatch: str
    reason: str
    api: str
    wanted: str
    headers: tuple[str, ...]
    since: int | None
    chips: tuple[Chip, ...]
    clients: int
    observed: bool
    last_seen: str


def refusal_row(one: Json) -> RefusalRow:
    """The row of a group of the API's list."""
    swatch, reason = reason_of(one["reason"])
    by_header = one["reason"] == "header-refused"
    return RefusalRow(
        id=one["id"],
        origin=_row_origin(one),
        sent=one["origin"],
        swatch=swatch,
        reason=reason,
        api=api_label(one["api"]) if one["api"] else "no API",
        wanted="" if by_header else one["method"],
        headers=tuple(one["headers"][:3]) if by_header else (),
        since=one["since_revision"],
        chips=chips(one),
        clients=one["clients"],
        observed=one["observed"],
        last_seen=one["last_seen"],
    )


def reason_of(code: str) -> tuple[str, str]:
    """The class of a reason's swatch, and its name."""
    return REASONS.get(code, ("origin", code.replace("-", " ").capitalize()))


def chips(one: Json) -> tuple[Chip, ...]:
    """What a group looks like, in a word each."""
    found = [Chip(_CHIPS[sign["kind"]], sign["hostile"]) for sign in one["signs"] if sign["kind"] in _CHIPS]
    if one["origin"] == "null":
        found.append(Chip("Sandboxed page", hostile=True))
    return tuple(dict.fromkeys(found))


def _row_origin(one: Json) -> Markup:
    """The origin; marked are the characters that make it look like another, or another scheme or port."""
    origin = one["origin"]
    if not origin:
        return Markup('<span class="muted">no Origin</span>')
    parts = (one["difference"] or "").split("; ")
    only_scheme_or_port = all(part.startswith(("scheme ", "port ")) for part in parts)
    alike = any(sign["kind"] == "look-alike" for sign in one["signs"])
    if len(origin) > LONGEST or not (alike or only_scheme_or_port):
        return shown_row(origin)
    return shown(origin, extra=tuple(sent_spans(one["comparison"])))


def sent_spans(pieces: Iterable[Json]) -> Iterable[tuple[int, int]]:
    """Where the characters are that only the refused origin has."""
    at = 0
    for piece in pieces:
        if piece["side"] != "allowed":
            if piece["side"] == "sent":
                yield at, at + len(piece["text"])
            at += len(piece["text"])


@dataclass(frozen=True, slots=True)
class Tab:
    """A state, how many groups are in it, and the filter that finds them."""

    label: str
    count: int
    filter: str
    current: bool


def tabs(filter_text: str, states: Mapping[str, int]) -> list[Tab]:
    """The tabs above the list; `open` has the reopened groups too."""
    rest = [word for word in filter_text.split() if not word.startswith("is:")]
    wanted = {word.removeprefix("is:") for word in filter_text.split() if word.startswith("is:")}
    found = []
    for state, label in _TABS:
        count = states.get(state, 0) + (states.get("reopened", 0) if state == "open" else 0)
        found.append(Tab(label, count, " ".join([f"is:{state}", *rest]), wanted == {state}))
    return found


@dataclass(frozen=True, slots=True)
class HoursChart:
    """Refusals an hour; ``sentence`` is its accessible name."""

    plot: Plot
    flags: tuple[Flag, ...]
    labels: tuple[Label, ...]
    sentence: str

    @property
    def ends_in_flag(self) -> bool:
        """Whether the label of a flag takes the place of "now"."""
        return any(place_of(one.x) > 100 - NOW_DISTANCE for one in self.flags)


def hours_chart(found: Json, now: datetime) -> HoursChart | None:
    """The chart of a group's hours, with the flag of the revision that caused it; None without hours."""
    counts = {as_time(one["hour"]).astimezone(UTC): one["count"] for one in found["hours"]}
    if not counts:
        return None
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begin = min(*counts, this_hour - timedelta(hours=_LEAST_HOURS - 1))
    length = this_hour + timedelta(hours=1) - begin
    hours = [begin + timedelta(hours=number) for number in range(int(length / timedelta(hours=1)))]
    steps = [[counts.get(hour, 0)] for hour in hours]
    swatch = "observed" if found["observed"] else reason_of(found["reason"])[0]
    cause = found["cause"]
    causes = [(cause["revision"], as_time(cause["at"]))] if cause and cause["at"] else []
    most = max(counts.values())
    return HoursChart(
        stacked_plot(44, steps, (f"bar-{swatch}",), 1),
        flags([one for one in causes if one[1] >= begin], begin, length),
        time_labels(begin, length),
        f"Refusals an hour in the last {len(hours)} hours: {figures(sum(counts.values()))} altogether, "
        f"at most {figures(most)}",
    )


@dataclass(frozen=True, slots=True)
class RefusalView:
    """One group as its page shows it."""

    group: Json
    swatch: str
    reason: str
    api: str
    api_url: str
    chips: tuple[Chip, ...]
    chart: FlowChart | None
    failed: int | None
    steps: int
    answer: str
    """What the requests got, or would have got."""
    observed: bool
    sent: Markup
    allowed: Markup
    differ: str
    """How much differs: characters, or only the port."""
    hours: HoursChart | None
    error: int


def refusal_view(found: Json, now: datetime) -> RefusalView:
    """One group of `GET /v1/refusals/{group}`."""
    swatch, reason = reason_of(found["reason"])
    flow = found["flow"]
    failed = None if flow is None else flow["failed"]
    step = None if failed is None else flow["steps"][failed - 1]
    comparison = found["comparison"]
    name, _, version = found["api"].partition("/")
    return RefusalView(
        group=found,
        swatch=swatch,
        reason=reason,
        api=api_label(found["api"]) if found["api"] else "No API",
        api_url=f"/apis/{name}/{version}" if version else "",
        chips=chips(found),
        chart=None if flow is None else draw_flow(flow, _start(found), compact=True),
        failed=failed,
        steps=0 if flow is None else step_count(flow),
        answer="" if step is None else answer_text(step["fails"]["would"] or step["fails"]),
        observed=found["observed"] or (step is not None and state_of(step) == "observed"),
        sent=compared_line(comparison, "sent"),
        allowed=compared_line(comparison, "allowed"),
        differ=difference_words(found),
        hours=hours_chart(found, now),
        error=found["error"],
    )


def difference_words(found: Json) -> str:
    """How much the two origins differ. Of a port, no characters are counted."""
    if _only_port(found):
        return "Only the port differs"
    count = sum(len(one["text"]) for one in found["comparison"] if one["side"] != "both")
    return f"{count} {'character differs' if count == 1 else 'characters differ'}"


def _only_port(found: Json) -> bool:
    return str(found["difference"] or "").startswith("port ") and ";" not in found["difference"]


def compared_line(pieces: Sequence[Json], side: str) -> Markup:
    """The origin of one side; what only the other has is a gap, so that both lines are aligned."""
    if not pieces:
        return Markup()
    shown_pieces = (
        code_line(one["text"])
        if one["side"] == "both"
        else Markup("<mark>{}</mark>").format(code_line(one["text"]))
        if one["side"] == side
        else Markup('<mark class="miss" aria-hidden="true">{}</mark>').format(code_line(one["text"]))
        for one in pieces
    )
    return Markup('<bdi class="origin" dir="ltr">{}</bdi>').format(Markup().join(shown_pieces))


def _start(found: Json) -> str:
    method = "OPTIONS" if found["preflight"] else found["method"]
    return f"{method} {found['path']}".strip()


def place_in_list(items: Sequence[Json], group: str) -> tuple[int | None, str, str]:
    """The index of a group in a part of the list, and the ids before and after it."""
    ids = [one["id"] for one in items]
    if group not in ids:
        return None, "", ids[0] if ids else ""
    at = ids.index(group)
    return at, ids[at - 1] if at else "", ids[at + 1] if at + 1 < len(ids) else ""
