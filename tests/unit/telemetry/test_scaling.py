"""Counts of groups when token buckets deny reports, against a simulated node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tests.unit.telemetry.samples import ALLOWED, PETS, REFUSED, sample
from tests.unit.telemetry.simulated_node import Node, Source, rates, request

from crossgate.compiler.token_buckets import DRAWN_REFUSALS
from crossgate.service.refusals import AllowedKey, GroupKey

OTHER = REFUSED._replace(api="other/1")
FLOOD = request(REFUSED, "https://flood.example")
PLANTED = [request(REFUSED, f"https://planted-{number}.example") for number in range(10)]


def _node(sources: Sequence[Source], seed: int, **options: Any) -> Node:
    return Node(list(sources), Random(seed), **options)  # noqa: S311 -- no secret


def _group(node: Node, origin: str) -> GroupKey:
    (key,) = node.of_origin(origin)
    return key


def _error(node: Node, origin: str) -> tuple[float, float]:
    """How far the count is from the truth, and the error that is shown with it."""
    key = _group(node, origin)
    return node.counted[key] - node.true[REFUSED, origin], 1.96 * node.variance[key] ** 0.5


def test_without_denials_counts_are_exact() -> None:
    sources = [Source(PLANTED[number], 3 * number + 1) for number in range(5)]
    node = _node(sources, 1).run(22).finish()
    for planted in PLANTED[:5]:
        assert _error(node, planted.origin) == (0, 0)


def test_a_group_that_floods_alone_is_exact() -> None:
    node = _node([Source(FLOOD, 3000, start=4, end=17)], 2).run(30).finish()
    key = _group(node, FLOOD.origin)
    assert node.sampled[key] < 0.2 * node.true[REFUSED, FLOOD.origin]
    assert node.counted[key] == pytest.approx(node.true[REFUSED, FLOOD.origin], abs=1)
    assert node.variance[key] == 0


@pytest.mark.parametrize("seed", range(3))
def test_beside_a_flood_of_another_api_a_group_alone_is_exact(seed: int) -> None:
    alone = request(OTHER, "https://alone.example")
    sources = [Source(FLOOD, 3000, start=6, random_origins=True), Source(alone, 15)]
    node = _node(sources, seed).run(31).finish()
    key = _group(node, alone.origin)
    assert node.sampled[key] < 0.5 * node.true[OTHER, alone.origin]
    assert node.counted[key] == pytest.approx(node.true[OTHER, alone.origin], rel=0.01)


def test_browsers_are_not_crowded_out_by_scripts() -> None:
    browser = request(REFUSED, "https://browser.example", browser=True)
    few = request(REFUSED, "https://few.example", browser=True)
    flood = Source(FLOOD, 4000, random_origins=True)
    node = _node([flood, Source(browser, 20), Source(few, 0.3)], 3).run(20).finish()
    for origin in (browser.origin, few.origin):
        assert _error(node, origin) == (0, 0)


def test_the_sum_of_groups_and_others_is_that_of_the_counters() -> None:
    sources = [Source(FLOOD, 3000, 5, 12, random_origins=True), *(Source(one, 4) for one in PLANTED)]
    node = _node(sources, 4).run(20).finish()
    assert node.total(PETS, "origin-refused") == pytest.approx(node.decisions(PETS, "origin-refused"), abs=1)


@pytest.mark.parametrize("batch", [1, 64])
def test_ten_planted_groups_are_found_and_within_their_error(batch: int) -> None:
    """Each sends about 500 requests into a flood of random origins, in batches or as a Poisson process does.

    In batches, the bucket fills until the next one, and planted requests are admitted four times as often as
    those of the flood. Over all seeds and groups, the counts are right on average, and those of 93 % are
    within the error.
    """
    within = admitted = true = 0
    errors: list[float] = []
    for seed in range(3):
        random = Random(seed)  # noqa: S311 -- no secret
        sources = [Source(FLOOD, 2500, random_origins=True, batch=batch)]
        sources += [Source(planted, random.uniform(15, 25)) for planted in PLANTED]
        node = _node(sources, seed, rates=rates(500)).run(25).finish()
        for planted in PLANTED:
            error, shown = _error(node, planted.origin)
            within += abs(error) <= shown
            errors.append(error / node.true[REFUSED, planted.origin])
            admitted += node.sampled[_group(node, planted.origin)]
            true += node.true[REFUSED, planted.origin]
    assert (admitted > 0.7 * true) == (batch > 1)
    assert within >= 0.93 * len(errors)
    assert abs(sum(errors) / len(errors)) < 0.1


@pytest.mark.parametrize(("start", "end"), [(11.3, 13.1), (13.0, 22.0)])
def test_a_burst_does_not_fool_the_error(start: float, end: float) -> None:
    within = 0
    for seed in range(3):
        sources = [Source(FLOOD, 5000, start, end, random_origins=True)]
        sources += [Source(planted, 6) for planted in PLANTED]
        node = _node(sources, seed, rates=rates(250)).run(30).finish()
        within += sum(
            abs(error) <= shown + 1e-6 for error, shown in (_error(node, p.origin) for p in PLANTED)
        )
    assert within >= 0.93 * 30


def test_a_group_that_was_not_drawn_is_not_sure() -> None:
    """Its requests find tokens, as they come between batches. Others are not reported."""
    sources = [Source(FLOOD, 2000, random_origins=True, batch=200), Source(PLANTED[0], 0.3)]
    node = _node(sources, 1).run(20).finish()
    error, shown = _error(node, PLANTED[0].origin)
    assert shown > 0
    assert abs(error) <= shown


def test_draws_of_an_empty_bucket_show_a_larger_error() -> None:
    """Batches empty the bucket of draws too, and planted requests find tokens in it."""
    sources = [Source(FLOOD, 6000, random_origins=True, batch=1000), Source(PLANTED[0], 60)]
    few = {**rates(300), DRAWN_REFUSALS: 60}
    for seed in range(2):
        node = _node(sources, seed, rates=few).run(20).finish()
        error, shown = _error(node, PLANTED[0].origin)
        assert abs(error) <= shown
        total = node.total(PETS, "origin-refused")
        assert total == pytest.approx(node.decisions(PETS, "origin-refused"), abs=1)


def test_allowed_origins_are_scaled_by_the_counters() -> None:
    sources = [
        Source(replace(sample(series=ALLOWED, status=200), origin="https://a.example"), 60),
        Source(replace(sample(series=ALLOWED, status=200), origin="https://b.example"), 20),
    ]
    node = _node(sources, 5).run(30).finish()
    counts = {key.origin: value for key, value in node.counted.items() if isinstance(key, AllowedKey)}
    assert sum(counts.values()) == pytest.approx(node.decisions(PETS, "origin-allowed"), abs=1)
    assert 2 < counts["https://a.example"] / counts["https://b.example"] < 4.5


def test_decisions_whose_reports_are_lost_are_counted_as_others() -> None:
    node = _node([Source(PLANTED[0], 60)], 6)
    add = node.groups.add
    node.groups.add = lambda sample: None  # type: ignore[method-assign]  # noqa: ARG005
    node.run(10)
    node.groups.add = add  # type: ignore[method-assign]
    node.run(10).finish()
    assert 400 < node.others[PETS, "origin-refused"] < 800
    assert node.total(PETS, "origin-refused") == pytest.approx(node.decisions(PETS, "origin-refused"), abs=1)
