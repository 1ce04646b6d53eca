"""Which groups are dropped, and from which APIs."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.telemetry import DAY, HOUR, NOON

from crossgate.service.telemetry_rules import Droppable, apis_over, choose_dropped


@given(
    st.dictionaries(st.integers().map(str), st.integers(1, 50), max_size=12),
    st.integers(1, 20),
    st.integers(1, 60),
)
def test_largest_apis_give_way_first(sizes: dict[str, int], of_api: int, altogether: int) -> None:
    over = apis_over(sizes, of_api, altogether)
    left = {api: min(size, over.get(api, size)) for api, size in sizes.items()}
    assert all(size <= of_api for size in left.values())
    assert sum(left.values()) <= altogether
    if over:
        (cap,) = set(over.values())
        assert all(size > cap for api, size in sizes.items() if api in over)
        assert all(size <= cap for api, size in sizes.items() if api not in over)
        # One more for each would be too many.
        more = sum(min(size, cap + 1) for size in sizes.values())
        assert cap == of_api or more > altogether


candidates = st.lists(
    st.builds(
        Droppable,
        st.uuids().map(str),
        st.floats(0.25, 1e6),
        st.integers(0, 500).map(lambda hours: NOON + hours * HOUR),
        st.integers(500, 900).map(lambda hours: NOON + hours * HOUR),
        st.integers(0, 1_000),
        st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.id,
)


@given(candidates, st.integers(0, 30))
def test_as_many_as_allowed_are_kept(given_: list[Droppable], kept: int) -> None:
    dropped = set(choose_dropped(given_, kept))
    assert len(given_) - len(dropped) == min(kept, len(given_))
    if any(one.disposed for one in given_ if one.id in dropped):
        assert all(one.disposed for one in given_ if one.id not in dropped)


@given(candidates, st.integers(8, 30))
def test_newest_and_widest_quarters_stay(given_: list[Droppable], kept: int) -> None:
    free = [one for one in given_ if not one.disposed]
    dropped = set(choose_dropped(free, kept))
    newest = sorted(free, key=lambda one: (one.first_seen, one.id))[-(kept // 4) :]
    widest = sorted(free, key=lambda one: (one.clients, one.count, one.id))[-(kept // 4) :]
    assert not dropped.intersection(one.id for one in (*newest, *widest))


def test_old_and_rare_go_first() -> None:
    now = NOON + 10 * DAY

    def one(name: str, count: float, age: timedelta) -> Droppable:
        return Droppable(name, count, NOON, now - age)

    # After five days, 100 weigh as much as 3 now.
    given_ = [one("old", 100, 5 * DAY), one("rare", 2, HOUR), one("new", 4, HOUR), one("last", 50, HOUR * 0)]
    assert choose_dropped(given_, 2) == ["rare", "old"]
