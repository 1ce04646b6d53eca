"""The geometry of charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crossgate.console.charts import flags, grid_values, short_number, stacked_plot, time_labels

SINCE = datetime(2026, 3, 10, 13, 58, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("maximum", "most", "expected"),
    [
        (0, 2, []),
        (1, 1, [1]),
        (3, 2, [2]),
        (21, 1, [20]),
        (99, 1, [50]),
        (215, 2, [100, 200]),
        (450, 2, [200, 400]),
        (999, 2, [500]),
        (21_813, 1, [20_000]),
        (1_000_000, 2, [500_000, 1_000_000]),
    ],
)
def test_grid_lines_are_round_and_few(maximum: int, most: int, expected: list[int]) -> None:
    assert grid_values(maximum, most) == expected


def test_numbers_of_an_axis_are_short() -> None:
    assert [short_number(one) for one in (0, 100, 20_000, 1_500_000, 2_000_000_000)] == [
        "0",
        "100",
        "20k",
        "1.5M",
        "2G",
    ]


def test_bars_share_the_width_and_stand_on_each_other() -> None:
    plot = stacked_plot(108, [[50, 50], [0, 0], [10, 0], [0, 25]], ["low", "high"], 2)
    assert [(bar.kind, bar.x, bar.width, bar.y, bar.height) for bar in plot.bars] == [
        ("low", "3.500%", "18.000%", "58.0", "50.0"),
        ("high", "3.500%", "18.000%", "8.0", "50.0"),
        ("low", "53.500%", "18.000%", "98.0", "10.0"),
        ("high", "78.500%", "18.000%", "83.0", "25.0"),
    ]
    assert [(line.y, line.text) for line in plot.grid] == [("58.0", "50"), ("8.0", "100")]


def test_one_request_among_millions_is_seen_and_nothing_leaves_the_plot() -> None:
    plot = stacked_plot(56, [[5_000_000], [1]], ["allowed"], 1)
    assert plot.bars[1].height == "1.0"
    assert all(float(bar.y) >= 0 and float(bar.y) + float(bar.height) <= 56 for bar in plot.bars)


def test_a_plot_without_requests_has_no_bars_and_no_grid() -> None:
    plot = stacked_plot(56, [[0], [0]], ["allowed"], 1)
    assert (plot.bars, plot.grid) == ((), ())
    assert stacked_plot(56, [], ["allowed"], 1).bars == ()


def test_flags_stand_at_their_time_and_near_ones_are_one() -> None:
    at = [
        (number, SINCE + minutes * timedelta(minutes=1))
        for number, minutes in ((145, -3), (146, 6), (147, 31), (148, 33), (149, 37), (150, 54))
    ]
    found = flags(at, SINCE, HOUR)
    assert [(one.x, one.text) for one in found] == [
        ("10.000%", "146"),
        ("51.667%", "147\u2013149"),
        ("90.000%", "150"),
    ]
    assert found[1].at == SINCE + timedelta(minutes=37)
    assert found[1].half_width > found[0].half_width


@pytest.mark.parametrize(
    ("since", "length", "expected"),
    [
        (SINCE, HOUR, ["14:00", "14:15", "14:30", "14:45"]),
        (SINCE.replace(minute=0), DAY, ["18:00", "00:00", "06:00"]),
        (SINCE.replace(minute=0), 7 * DAY, ["11 Mar", "12 Mar", "13 Mar", "14 Mar", "15 Mar", "16 Mar"]),
    ],
)
def test_labels_are_round_times_and_leave_room_for_now(
    since: datetime, length: timedelta, expected: list[str]
) -> None:
    labels = time_labels(since, length)
    assert [one.text for one in labels] == expected
    assert all(2 <= float(one.x[:-1]) < 85 for one in labels)
