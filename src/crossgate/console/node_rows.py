"""Nodes as their page shows them: the place of each on the line of revisions, and what it rejected. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from crossgate.console.render import api_label, as_time, counted, duration

Json = Mapping[str, Any]
_SHOWN: Final = 4
"""Revisions on the line."""
_RIGHT, _STEP = 95, 21
"""Percent."""
_LOW, _HIGH = 24, 36
"""Pixels of a track without and with a sentence below it."""
_KNOWN_LEFT: Final = 20


@dataclass(frozen=True, slots=True)
class RevisionTick:
    """One revision of the line."""

    x: str
    revision: int


@dataclass(frozen=True, slots=True)
class Track:
    """Where one node stands; places are in percent."""

    height: int
    first: str
    ticks: tuple[RevisionTick, ...]
    applied: str
    """Of the revision that it has decided on; empty if there is none."""
    rejected: tuple[str, ...]
    pending: str
    """Of the newest revision, if the node has not decided on it."""
    below: str
    below_x: str
    below_kind: str
    """`rejected` or `pending`."""
    sentence: str


@dataclass(frozen=True, slots=True)
class RejectedResource:
    """A resource that a node rejected, with Envoy's whole message."""

    id: str
    """For the element with the message."""
    at: str
    revision: int | None
    apis: tuple[str, ...]
    more: int
    """APIs that are not listed."""
    name: str
    """Kind and name of the resource, if it serves the whole gateway."""
    message: str
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node."""

    id: str
    """Also of a second connection with the same name."""
    name: str
    kind: str
    words: str
    track: Track
    apis: str
    answered: str
    connected: str
    rejections: tuple[RejectedResource, ...]
    certificates: tuple[CertificateRow, ...]


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate of a node, in a line below it."""

    kind: str
    file: str
    names: str
    words: str


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """What is wrong with a node, in a sentence that begins with its name."""

    node: str
    severity: str
    """`bad` or `warn`."""
    headline: str
    details: str


def revision_ticks(head: int) -> tuple[RevisionTick, ...]:
    """The newest revisions, each at its place."""
    return tuple(
        RevisionTick(f"{_place(number, head)}%", number)
        for number in range(max(0, head - _SHOWN + 1), head + 1)
    )


def node_rows(nodes: Json, now: datetime | None = None) -> list[NodeRow]:
    """The rows of the table, in the order of connection."""
    now = now or datetime.now(UTC)
    seen = Counter[str]()
    rejecting = Counter(
        (one["kind"], one["resource"]) for node in nodes["items"] for one in node["rejections"]
    )
    rows = []
    for number, node in enumerate(nodes["items"]):
        seen[node["node"]] += 1
        again = seen[node["node"]]
        kind, words = _state(node)
        rejections = [
            _rejected(one, f"rejection-{number}-{place}", _is_alone(one, rejecting, nodes["items"]))
            for place, one in enumerate(node["rejections"])
        ]
        rows.append(
            NodeRow(
                id=node["node"] if again == 1 else f"{node['node']} {again}",
                name=node["node"],
                kind=kind,
                words=words,
                track=node_track(node, nodes["head"], now),
                apis=f"{node['apis_applied']:,} of {nodes['apis']:,}",
                answered=_ago(node["acknowledged_at"], now),
                connected=duration((now - as_time(node["connected_at"])).total_seconds()),
                rejections=tuple(rejections),
                certificates=tuple(_certificate(one) for one in node["certificates"]),
            )
        )
    return rows


def node_track(node: Json, head: int, now: datetime) -> Track:
    """Where a node stands on the line of revisions."""
    ticks = revision_ticks(head)
    revision = node["revision"]
    kept = sorted({one["keeps"] for one in node["rejections"] if one["keeps"] is not None})
    pending = node["state"] == "behind" and (revision is None or revision < head)
    below, below_x, below_kind = "", "", ""
    parts = [f"Revision {revision}" if revision is not None else "No revision confirmed"]
    if kept:
        below, below_x, below_kind = _kept_words(node, kept), f"{_place(kept[0], head)}%", "rejected"
        parts.append(below)
    elif pending and node["behind_since"] is not None:
        below = f"{head} sent {_ago(node['behind_since'], now)}"
        below_x, below_kind = "100%", "pending"
        parts.append(below)
    return Track(
        height=_HIGH if below else _LOW,
        first=ticks[0].x,
        ticks=ticks,
        applied="" if revision is None else f"{_place(revision, head)}%",
        rejected=tuple(f"{_place(one, head)}%" for one in kept),
        pending=f"{_RIGHT}%" if pending else "",
        below=below,
        below_x=below_x,
        below_kind=below_kind,
        sentence=", ".join(parts),
    )


def _kept_words(node: Json, kept: Sequence[int]) -> str:
    apis = sorted({api for one in node["rejections"] for api in one["apis"]})
    what = api_label(apis[0]) if len(apis) == 1 else counted(len(apis), "API") if apis else "A part"
    return f"{what} at {', '.join(map(str, kept))}"


def _place(revision: int, head: int) -> int:
    """Percent; a revision before the line is left of it."""
    behind = head - revision
    return _RIGHT - _STEP * behind if behind < _SHOWN else _KNOWN_LEFT


def _state(node: Json) -> tuple[str, str]:
    if node["state"] == "enforced":
        return "ok", "Enforced"
    if node["state"] == "partly":
        apis = {api for one in node["rejections"] for api in one["apis"]}
        return "bad", f"{counted(len(apis), 'API')} rejected" if apis else "Partly rejected"
    if node["revision"] is None:
        return "warn", "Nothing confirmed yet"
    behind = node["behind"]
    return "warn", f"{counted(behind, 'revision')} behind" if behind else "Pending"


def _certificate(state: Json) -> CertificateRow:
    expires = "" if state["not_after"] is None else f"expires {as_time(state['not_after']):%Y-%m-%d}"
    problems = [one["message"] for one in state["problems"]]
    if not state["current"]:
        kind, kept = "bad", "the last good one serves" if expires else "none serves"
        words = "; ".join([*problems, kept])
    else:
        expired = any(one["code"] == "tls-certificate-expired" for one in state["problems"])
        kind = "bad" if expired else "warn" if problems else "ok"
        words = "; ".join(problems)
    return CertificateRow(
        kind=kind,
        file=state["certificate"],
        names=", ".join(state["names"]),
        words="; ".join(one for one in (expires, words) if one),
    )


def _is_alone(rejection: Json, rejecting: Mapping[tuple[str, str], int], nodes: Sequence[Json]) -> bool:
    return len(nodes) > 1 and rejecting[rejection["kind"], rejection["resource"]] == 1


def _rejected(one: Json, id_: str, alone: bool) -> RejectedResource:  # noqa: FBT001 - one of two sentences
    advice = [f"{one[part]}." for part in ("cause", "remedy") if one[part]]
    if not advice:
        advice = ["The node keeps its last good version. Change what the message names, then retry."]
    if alone:
        advice.insert(0, "Only this node rejects it.")
    apis = one["apis"]
    return RejectedResource(
        id=id_,
        at=f"{as_time(one['at']).astimezone(UTC):%H:%M:%S}",
        revision=one["revision"],
        apis=tuple(apis[:3]),
        more=max(0, len(apis) - 3),
        name="" if apis else f"{one['kind']} {one['resource']}",
        message=one["message"],
        advice=tuple(advice),
    )


def node_problems(nodes: Json, now: datetime | None = None) -> list[NodeProblem]:
    """What to know before the table: rejections first."""
    now = now or datetime.now(UTC)
    found = [_problem(one, nodes, now) for one in nodes["items"] if one["state"] != "enforced"]
    twice = [name for name, count in Counter(one["node"] for one in nodes["items"]).items() if count > 1]
    found += [
        NodeProblem(
            name,
            "warn",
            "is connected more than once.",
            "Two Envoys have the same name, or one has just connected again. Give each its own: --id.",
        )
        for name in twice
    ]
    return sorted(found, key=lambda one: one.severity != "bad")


def _problem(node: Json, nodes: Json, now: datetime) -> NodeProblem:
    head, revision = nodes["head"], node["revision"]
    if node["state"] == "partly":
        apis = sorted({api for one in node["rejections"] for api in one["apis"]})
        what = api_label(apis[0]) if apis else "a part of the configuration"
        what += f" and {counted(len(apis) - 1, 'other API')}" if len(apis) > 1 else ""
        kept = {one["keeps"] for one in node["rejections"]}
        there = kept.pop() if len(kept) == 1 else None
        rest = nodes["apis"] - len(apis)
        keeps = "its last good version" if there is None else f"revision {there}"
        others = f", and {revision} on the {counted(rest, 'other API')}" if rest > 0 and revision else ""
        details = f"It enforces {keeps} there{others}. Later changes of it do not hold on this node."
        return NodeProblem(node["node"], "bad", f"rejected {what}.", details)
    if revision is None:
        return NodeProblem(
            node["node"],
            "warn",
            "has confirmed nothing yet.",
            f"It connected {_ago(node['connected_at'], now)}. What it enforces is not known.",
        )
    since = (
        f" for {duration((now - as_time(node['behind_since'])).total_seconds())}"
        if node["behind_since"]
        else ""
    )
    return NodeProblem(
        node["node"], "warn", f"has not answered revision {head}{since}.", f"It keeps enforcing {revision}."
    )


def next_name(names: Iterable[str]) -> str:
    """A name for one more node, in the manner of the others: `fra-3` after `fra-1` and `fra-2`."""
    numbered = [found for name in names if (found := re.fullmatch(r"([a-z][a-z0-9-]*?)(\d{1,4})", name))]
    if not numbered:
        return "node-2"
    prefix = numbered[0][1]
    highest = max(int(one[2]) for one in numbered if one[1] == prefix)
    return f"{prefix}{highest + 1}"


def _ago(value: str | None, now: datetime) -> str:
    return "never" if value is None else f"{duration((now - as_time(value)).total_seconds())} ago"
