"""Revisions as pages show them: rows by day, outcomes on nodes, effects in words, the plan of a rollback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby
from typing import Any, Final

from crossgate.console.difference import ObjectDifference, differences
from crossgate.console.render import api_label, as_time, clock

MOST_OBJECTS: Final = 50
"""Objects of a change whose difference is shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One revision in the list."""

    number: int
    message: str
    author: str
    time: str
    concerns: str
    """What it changed: `petstore 1.0 and 2 more`."""
    state: str
    """`rejected`, `pending`, `rollback`, or empty."""
    state_words: str


@dataclass(frozen=True, slots=True)
class Day:
    """The revisions of one day (UTC)."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """What one node made of a revision."""

    node: str
    state: str
    after: str
    """How long after the change; empty while it is pending."""
    detail: str


@dataclass(frozen=True, slots=True)
class AccessEffect:
    """Who gained and who lost access, in words."""

    severity: str
    """`lost`, `gained` or `neutral`."""
    sentence: str
    details: str


def list_days(items: Iterable[Mapping[str, Any]], today: date) -> list[Day]:
    """The revisions by day, in their order."""
    rows = [(as_time(one["at"]).astimezone(UTC), _row(one)) for one in items]
    return [
        Day(_day(day, today), tuple(row for _, row in found))
        for day, found in groupby(rows, key=lambda one: one[0].date())
    ]


def _row(revision: Mapping[str, Any]) -> Row:
    nodes = revision["nodes"]
    rejected = sum(one["outcome"] == "rejected" for one in nodes)
    pending = sum(one["outcome"] == "pending" for one in nodes)
    state, words = "", ""
    if rejected:
        state, words = "rejected", f"Rejected by {rejected} of {len(nodes)}"
    elif pending:
        state, words = "pending", f"{len(nodes) - pending} of {len(nodes)} nodes"
    elif revision["rolls_back_to"] is not None:
        state, words = "rollback", "Rollback"
    return Row(
        revision["number"],
        revision["message"] or _default_message(revision),
        revision["author"],
        f"{as_time(revision['at']).astimezone(UTC):%H:%M}",
        _concerns(revision),
        state,
        words,
    )


def _default_message(revision: Mapping[str, Any]) -> str:
    back = revision["rolls_back_to"]
    return f"Change {_concerns(revision)}" if back is None else f"Back to {back}"


def _concerns(revision: Mapping[str, Any]) -> str:
    named, count = revision["named"], revision["objects"]
    if not named:
        return f"{count:,} objects"
    rest = count - 1
    return api_label(named[0]["key"]) + (f" and {rest:,} more" if rest else "")


def _day(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def outcomes(revision: Mapping[str, Any]) -> list[NodeOutcome]:
    """What each node made of the revision."""
    began = as_time(revision["at"])
    return [
        NodeOutcome(
            one["node"],
            one["outcome"],
            "" if one["at"] is None else _after(as_time(one["at"]) - began),
            one["detail"] or "",
        )
        for one in revision["nodes"]
    ]


def _after(delay: timedelta) -> str:
    seconds = max(0.0, delay.total_seconds())
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:,.0f} s"


def effect_of(revision: Mapping[str, Any]) -> AccessEffect | None:
    """What the revision did to origins; None if this version cannot tell."""
    access, replay = revision["access"], revision["effect"]
    if access is None:
        return None
    gains = {origin for one in access for origin in one["gains"]}
    loses = {origin for one in access for origin in one["loses"]}
    details = ""
    if replay and replay["lost_requests"]:
        details = f"{replay['lost_requests']:,} of their requests were refused since."
    words = {one["api"]: _mode_words(one) for one in access if one["before"] != one["after"]}
    if words:
        details = " ".join(
            [*(f"{api_label(api)}: {found}." for api, found in words.items()), details]
        ).strip()
    if not gains and not loses and not words:
        return AccessEffect("neutral", "No origin gained or lost access.", details)
    severity = "lost" if loses else "gained"
    return AccessEffect(severity, f"{_gained_and_lost(len(gains), len(loses))}.", details)


def _gained_and_lost(gained: int, lost: int) -> str:
    if not gained and not lost:
        return "The way of deciding changed"
    if lost:
        other = f"{gained:,} gained it" if gained else "none gained it"
        return f"{_origins(lost)} lost access, {other}"
    return f"{_origins(gained)} gained access, none lost it"


def _origins(count: int) -> str:
    return f"{count:,} origin{'' if count == 1 else 's'} or pattern{'' if count == 1 else 's'}"


_MODES: Final = {
    "absent": "does not exist",
    "native": "has no policy: its native service decides",
    "observed": "only observes",
    "policy": "enforces its policy",
    "server": "is decided by server-level CORS",
}


def _mode_words(change: Mapping[str, str]) -> str:
    return f"{_MODES[change['after']]} (before: {_MODES[change['before']]})"


def _verb(subjects: Sequence[object], verb: str) -> str:
    return f"{verb}s" if len(subjects) == 1 else verb


def plan_effects(plan: Mapping[str, Any], chosen: int) -> Iterator[tuple[str, str, str]]:
    """What a rollback does, besides its difference: the kind of each effect, its main words, and the rest."""
    for one in plan["taken_back"]:
        if one["number"] == chosen:
            continue
        yield "warning", f"{one['number']} is taken back too:", f"“{_row(one).message}”, by {one['author']}"
    for one in plan["access"]:
        api = api_label(one["api"])
        if one["gains"]:
            yield "ok", f"{_origins(len(one['gains']))} {_verb(one['gains'], 'gain')} access", f"to {api}"
        if one["loses"]:
            yield (
                "refused",
                f"{_origins(len(one['loses']))} {_verb(one['loses'], 'lose')} access",
                f"to {api}",
            )
        if one["before"] != one["after"]:
            yield "info", api, _mode_words(one)
    replay = plan["replay"]
    if replay and replay["gained_requests"]:
        yield "ok", f"{replay['gained_requests']:,} recorded refusals", "would have passed"
    if replay and replay["lost_requests"]:
        yield "refused", f"{replay['lost_requests']:,} recorded requests that passed", "would be refused"
    count = len(plan["findings"])
    if count:
        yield "info", f"{count} lint finding{'' if count == 1 else 's'}", "on what would be restored"


def revision_detail(revision: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of one revision."""
    return {
        "number": revision["number"],
        "title": revision["message"] or _default_message(revision),
        "author": revision["author"],
        "at": clock(revision["at"]),
        "rolls_back_to": revision["rolls_back_to"],
        "effect": effect_of(revision),
        "effect_omitted": revision["access"] is None and revision["objects"] > len(revision["changes"]),
        "access": revision["access"] or [],
        "api": next((one["api"].partition("/")[0] for one in revision["access"] or [] if one["loses"]), ""),
        "difference": differences(revision["changes"][:MOST_OBJECTS]),
        "more": max(0, revision["objects"] - MOST_OBJECTS),
        "nodes": outcomes(revision),
    }


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """A rollback as it is shown before it is made."""

    to: int
    etag: str
    becomes: int
    effects: tuple[tuple[str, str, str], ...]
    difference: tuple[ObjectDifference, ...]
    more: int
    """Objects whose difference is not shown."""
    confirmation: tuple[Mapping[str, Any], ...]
    """What must be confirmed."""


def rollback_plan(plan: Mapping[str, Any], etag: str, to: int, chosen: int) -> RollbackPlan:
    """The plan of the API as it is shown beside the revision ``chosen``."""
    return RollbackPlan(
        to,
        etag,
        plan["base"] + 1,
        tuple(plan_effects(plan, chosen)),
        tuple(differences(plan["changes"][:MOST_OBJECTS])),
        max(0, len(plan["changes"]) - MOST_OBJECTS),
        tuple(plan["confirmation"]),
    )
