"""Which reports may be a part only, from their times and the rate of the bucket."""

from __future__ import annotations

from random import Random

import pytest

from crossgate.telemetry.buckets import CELLS_PER_SECOND, MAX_CELLS, NodeBucket

RATE = 1000


def _passed(bucket: NodeBucket, time: float, number: int) -> None:
    for _ in range(number):
        bucket.cell(time).passed += 1


def _judged(bucket: NodeBucket, until: float = 1e6) -> list[bool]:
    return [empty for _, empty in bucket.judge(until, RATE)]


@pytest.mark.parametrize("per_cell", [1, 50, 120])
def test_a_bucket_that_fills_faster_denies_nothing(per_cell: int) -> None:
    bucket = NodeBucket()
    _passed(bucket, 0, 1)
    for cell in range(1, 41):
        _passed(bucket, cell / CELLS_PER_SECOND, per_cell)
    assert not any(_judged(bucket)[4:])


def test_a_bucket_that_passes_all_it_is_filled_with_may_deny() -> None:
    bucket = NodeBucket()
    for cell in range(40):
        _passed(bucket, cell / CELLS_PER_SECOND, RATE // CELLS_PER_SECOND)
    assert all(_judged(bucket))


def test_after_a_flood_only_the_next_cell_is_in_doubt() -> None:
    bucket = NodeBucket()
    for cell in range(20):
        _passed(bucket, cell / CELLS_PER_SECOND, RATE // CELLS_PER_SECOND)
    for cell in range(20, 30):
        _passed(bucket, cell / CELLS_PER_SECOND, 20)
    assert _judged(bucket) == [True] * 21 + [False] * 9


@pytest.mark.parametrize("seed", range(10))
def test_every_denial_is_in_a_cell_that_may_deny(seed: int) -> None:
    random = Random(seed)  # noqa: S311 -- no secret
    bucket = NodeBucket()
    tokens, denied = float(RATE), set()
    rate = 1.0
    _passed(bucket, 0, RATE)
    tokens = 0.0
    for tick in range(1, 4000):
        tokens = min(tokens + RATE / 100, RATE)
        if tick % 50 == 0:
            rate = random.choice([0.1, 2, 9, 9.9, 11, 30, 300])
        for _ in range(int(rate) + (random.random() < rate % 1)):
            if tokens >= 1:
                tokens -= 1
                _passed(bucket, tick / 100, 1)
            else:
                denied.add(tick * CELLS_PER_SECOND // 100)
        if tick % 400 == 0:
            numbers = sorted(bucket._cells)
            doubtful = {n for n, empty in zip(numbers, _judged(bucket), strict=True) if empty}
            assert denied <= doubtful | {n for n in denied if n not in numbers}
            denied.clear()


def test_cells_are_bounded_whatever_a_clock_says() -> None:
    bucket = NodeBucket()
    for hour in range(1000):
        bucket.cell(hour * 3600.0).passed += 1
    assert len(bucket._cells) == MAX_CELLS
    assert sum(cell.passed for cell, _ in bucket.judge(1e9, RATE)) == 1000


def test_a_late_report_is_in_the_first_cell_that_is_not_judged() -> None:
    bucket = NodeBucket()
    _passed(bucket, 10, 1)
    assert _judged(bucket, 20) == [False]
    late = bucket.cell(5)
    assert late is bucket.cell(10 + 1 / CELLS_PER_SECOND)
