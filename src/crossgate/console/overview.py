"""The overview as its page shows it: rows of a chart, sentences about nodes, open refusals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from crossgate.console.charts import Flag, Label, Plot, flags, stacked_plot, time_labels
from crossgate.console.refusals import reason_of
from crossgate.console.render import api_label, as_time, counted, duration, figures

Json = Mapping[str, Any]
PERIODS: Final = (("1h", "Last hour"), ("24h", "24 hours"), ("7d", "7 days"))
REFUSED: Final = ("origin", "method", "header")
_ROWS_OF_TABLE: Final = {"1h": 5, "24h": 1, "7d": 24}
"""Steps that one row of the table sums."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the chart; ``sentence`` is its accessible name."""

    plot: Plot
    sentence: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """Some steps of time as numbers, for screen readers."""

    at: datetime
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TrafficChart:
    """The decisions over time."""

    unit: str
    """`a minute` or `an hour`."""
    allowed: Signal
    refused: Signal
    observed: Signal
    flags: tuple[Flag, ...]
    labels: tuple[Label, ...]
    totals: Mapping[str, int]
    refused_total: int
    allowed_share: str
    """Of all requests, such as `99.4 %`; empty if there was none."""
    table: tuple[TableRow, ...]


def traffic_chart(overview: Json) -> TrafficChart:
    """The chart of `GET /v1/overview`."""
    traffic, period = overview["traffic"], overview["period"]
    steps, totals = traffic["steps"], traffic["totals"]
    since = as_time(traffic["since"]).astimezone(UTC)
    step = timedelta(seconds=traffic["step_seconds"])
    length = step * len(steps)
    unit = "minute" if step < timedelta(hours=1) else "hour"
    article = "a" if unit == "minute" else "an"
    words = f"{article} {unit}, {'last two hours' if len(steps) == 2 else dict(PERIODS)[period].lower()}"
    revisions = [(one["number"], as_time(one["at"])) for one in overview["revisions"]]
    refused_total = sum(totals[kind] for kind in REFUSED)
    return TrafficChart(
        unit=f"{article} {unit}",
        allowed=_signal("Allowed", words, steps, ("allowed",), 56, 1),
        refused=_signal("Refused", words, steps, REFUSED, 112, 2),
        observed=_signal("Observed", words, steps, ("observed",), 30, 1),
        flags=flags(revisions, since, length),
        labels=time_labels(since, length),
        totals=totals,
        refused_total=refused_total,
        allowed_share=share(totals["allowed"], sum(totals.values())),
        table=tuple(_table(steps, _ROWS_OF_TABLE[period] if len(steps) > 2 else 1)),
    )


def share(part: int, whole: int) -> str:
    """A percentage that is 0 or 100 only if it is exactly so; empty of nothing."""
    if not whole:
        return ""
    if part in (0, whole):
        return f"{part / whole * 100:.0f} %"
    return f"{min(99.9, max(0.1, part / whole * 100)):.1f} %"


def _signal(
    name: str, words: str, steps: Sequence[Json], kinds: Sequence[str], height: int, lines: int
) -> Signal:
    values = [[one[kind] for kind in kinds] for one in steps]
    # The last step is not over yet.
    whole = [sum(one) for one in values[:-1]] or [0]
    between = (
        f"{figures(whole[0])}"
        if min(whole) == max(whole)
        else f"between {figures(min(whole))} and {figures(max(whole))}"
    )
    sums = [f"{kind} {figures(sum(one[kind] for one in steps))}" for kind in kinds]
    total = figures(sum(map(sum, values)))
    details = f"{total} altogether" + (f": {', '.join(sums)}" if len(kinds) > 1 else "")
    classes = [f"bar-{kind}" for kind in kinds]
    return Signal(stacked_plot(height, values, classes, lines), f"{name} {words}: {between}; {details}")


def _table(steps: Sequence[Json], size: int) -> Iterable[TableRow]:
    kinds = ("allowed", *REFUSED, "observed", "other")
    for start in range(0, len(steps), size):
        some = steps[start : start + size]
        counts = tuple(sum(one[kind] for one in some) for kind in kinds)
        yield TableRow(as_time(some[0]["at"]), counts)


@dataclass(frozen=True, slots=True)
class NodeNote:
    """What is wrong with one node, in words around the names."""

    node: str
    words: str
    api: str
    """The first API concerned; empty if there is none."""
    more: str


def node_notes(nodes: Json) -> list[NodeNote]:
    """A note on each node that does not enforce all of the newest revision."""
    return [_node_note(one, nodes["head"]) for one in nodes["items"] if one["state"] != "enforced"]


def _node_note(node: Json, head: int) -> NodeNote:
    if node["state"] == "partly":
        rejections = node["rejections"]
        apis = sorted({api for one in rejections for api in one["apis"]})
        kept = {one["keeps"] for one in rejections}
        keeps = kept.pop() if len(kept) == 1 else None
        more = f" and {counted(len(apis) - 1, 'other API')}" if len(apis) > 1 else ""
        more += f" and keeps {keeps} there" if keeps is not None else " and keeps its last good version"
        return NodeNote(
            node["node"], "rejected" if apis else "rejected a part", apis[0] if apis else "", more
        )
    since = node["behind_since"]
    silent = f" for {duration(_seconds_since(since))}" if since else ""
    return NodeNote(node["node"], f"has not answered {head}{silent}", "", "")


def node_state(node: Json) -> tuple[str, str]:
    """The verdict's kind and words: `ok` Enforced, `bad` 1 API rejected, `warn` 6 min behind."""
    if node["state"] == "enforced":
        return "ok", "Enforced"
    if node["state"] == "partly":
        apis = {api for one in node["rejections"] for api in one["apis"]}
        return "bad", f"{counted(len(apis), 'API')} rejected" if apis else "Partly rejected"
    if node["revision"] is None:
        return "warn", "Connecting"
    since = node["behind_since"]
    return "warn", f"{duration(_seconds_since(since))} behind" if since else "Pending"


@dataclass(frozen=True, slots=True)
class OpenRefusal:
    """One open group. What the requests sent is hostile: the template escapes it."""

    id: str
    origin: str
    kind: str
    """`origin`, `method` or `header`."""
    reason: str
    api: str
    asks: str
    headers: tuple[str, ...]
    difference: str
    clients: int
    observed: bool
    last_seen: str


def open_refusals(items: Iterable[Json]) -> list[OpenRefusal]:
    """The rows of the list."""
    return [_open_refusal(one) for one in items]


def _open_refusal(one: Json) -> OpenRefusal:
    kind, reason = reason_of(one["reason"])
    return OpenRefusal(
        id=one["id"],
        origin=one["origin"] or "no Origin",
        kind=kind,
        reason=reason,
        api=api_label(one["api"]),
        asks=one["method"],
        headers=tuple(islice(one["headers"], 3)) if kind == "header" else (),
        difference=_difference(one["difference"] or ""),
        clients=one["clients"],
        observed=one["observed"],
        last_seen=one["last_seen"],
    )


def _difference(found: str) -> str:
    """Where the nearest allowed origin differs, if one word says it."""
    part = found.partition(" ")[0]
    return f"differs by {part}" if part in ("scheme", "port") else ""


def _seconds_since(value: object) -> float:
    return (datetime.now(UTC) - as_time(value)).total_seconds()
