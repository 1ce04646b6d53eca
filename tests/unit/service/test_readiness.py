"""Whether an API in observe mode can be enforced, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.catalogues import api, catalogue, policy, server_policy
from tests.refusal_groups import NOON, group

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.policy import Mode, Reason
from crossgate.service.readiness import Readiness, ready_to_enforce
from crossgate.service.refusals import (
    CUT,
    DismissalReason,
    Disposition,
    DispositionKind,
    OtherRefusals,
    RefusalGroup,
)

KEY = "petstore/1.0"
APP = "https://app.example.com"
NEW = "https://new.example.com"
OBSERVING = catalogue([api("petstore", replace(policy(APP), mode=Mode.OBSERVE))])
DISMISSED = Disposition(DispositionKind.DISMISSED, NOON, "ann", 1, DismissalReason.BOT)
ALLOWED = Disposition(DispositionKind.ALLOWED, NOON, "ann", 1)


def decisions(
    *days_ago: float, observed: bool = True, key: str = KEY
) -> dict[tuple[datetime, DecisionSeries], int]:
    series = DecisionSeries(key, "/gateway/petstore/1.0", "cors-request", "origin-allowed", observed)
    return {(NOON - timedelta(days=days), series): 100 for days in days_ago}


def readiness(
    *groups: RefusalGroup,
    found: Catalogue = OBSERVING,
    seen: dict[tuple[datetime, DecisionSeries], int] | None = None,
    others: tuple[OtherRefusals, ...] = (),
) -> Readiness:
    seen = decisions(8, 7, 3, 0.5) if seen is None else seen
    return ready_to_enforce(found, KEY, seen, groups, NOON, others=others)


def observed(origin: str, disposition: Disposition | None = None, count: float = 10) -> RefusalGroup:
    return replace(group(origin, observed=True, count=count), disposition=disposition)


def test_seven_days_without_refusals_are_ready() -> None:
    found = readiness()
    assert (found.ready, found.missing) == (True, ())
    assert found.first_seen == NOON - timedelta(days=8)
    assert (found.days_with_traffic, found.requests, found.refused) == (4, 400, 0)


def test_dismissed_groups_and_those_allowed_now_are_ready() -> None:
    groups = (observed(NEW, DISMISSED, 30), observed(APP), observed("https://third.org", DISMISSED))
    found = readiness(*groups)
    assert found.ready
    assert (found.open, found.dismissed, found.resolved) == ((), (groups[0], groups[2]), (groups[1],))
    assert found.refused == 40


def test_an_open_group_is_missing_with_its_requests() -> None:
    groups = (observed(NEW, count=1200), observed("https://third.org"))
    found = readiness(*groups)
    assert found.missing == ("2 groups neither allowed nor dismissed: 1,210 requests",)
    assert found.open == groups


def test_a_group_that_was_allowed_and_is_not_any_more_is_open() -> None:
    assert readiness(observed(NEW, ALLOWED)).missing == (
        "1 group neither allowed nor dismissed: 10 requests",
    )


def test_a_group_that_was_cut_is_open_until_it_is_dismissed() -> None:
    cut = observed(f"{NEW}{CUT}")
    assert readiness(cut).open == (cut,)
    assert readiness(replace(cut, disposition=DISMISSED)).ready


def test_refusals_without_a_group_are_missing() -> None:
    other = OtherRefusals(KEY, Reason.ORIGIN_REFUSED, True, 50, 1000.0, 400.0, NOON)
    found = readiness(others=(other, replace(other, api="orders/1.0"), replace(other, observed=False)))
    assert found.missing == (
        "1,000 requests would be refused that are in no group, because there were too many groups",
    )
    assert (found.refused, round(found.error, 1)) == (1000, 39.2)


def test_only_what_observe_mode_forwarded_counts() -> None:
    enforced = replace(observed(NEW), key=replace(observed(NEW).key, observed=False))
    other_api = replace(observed(NEW), key=replace(observed(NEW).key, api="orders/1.0"))
    assert readiness(enforced, other_api).ready
    seen = {**decisions(8, observed=False), **decisions(8, key="orders/1.0")}
    assert readiness(seen=seen).missing == ("No request was seen in observe mode",)


@pytest.mark.parametrize(
    ("days_ago", "missing"),
    [
        ((), "No request was seen in observe mode"),
        ((0.1,), "Traffic began 0 days ago: 7 days must pass"),
        ((1.5, 0.1), "Traffic began 1 day ago: 7 days must pass"),
        ((6.9, 0.1), "Traffic began 6 days ago: 7 days must pass"),
        ((20, 8), "No request was seen in the last 7 days"),
    ],
)
def test_too_little_traffic_is_missing(days_ago: tuple[float, ...], missing: str) -> None:
    assert readiness(seen=decisions(*days_ago)).missing == (missing,)


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (catalogue([api("petstore", policy(APP))]), "The policy is enforced already"),
        (catalogue([api("petstore", None)]), "The API has no policy"),
        (catalogue([]), "The API does not exist"),
        (
            replace(OBSERVING, settings=catalogue([], server_policy=server_policy(APP)).settings),
            "Server-level CORS is enabled: no policy of an API is in force",
        ),
    ],
)
def test_only_a_policy_in_observe_mode_can_be_ready(found: Catalogue, missing: str) -> None:
    assert readiness(found=found).missing == (missing,)
