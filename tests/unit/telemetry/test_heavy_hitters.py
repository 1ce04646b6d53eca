"""The table of groups: bounded, fair between families, and what comes often stays."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from crossgate.telemetry.heavy_hitters import FairTable, Ranked

_Table = FairTable[str, Ranked[str]]


def _see(table: _Table, family: str, key: str) -> Ranked[str] | None:
    entry = table.get((family, key))
    displaced = None
    if entry is None:
        entry = Ranked(family, (family, key))
        displaced = table.insert(entry)
    entry.rank += 1
    return displaced


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("0123456789")), max_size=300))
def test_what_comes_often_stays(stream: list[tuple[str, str]]) -> None:
    table: _Table = FairTable(9)
    for family, key in stream:
        displaced = _see(table, family, key)
        assert displaced is None or displaced.evicted
        assert len(table) <= 9
        assert table.get((family, key)) is not None, "the newest entry is never the one to go"
    families = {family for family, _ in stream}
    seen = Counter(stream)
    for (family, key), times in seen.items():
        # Each family has a third of the places, or more.
        if times > sum(number for (name, _), number in seen.items() if name == family) / (9 // len(families)):
            assert table.get((family, key)) is not None
    sizes = {family: sum(entry.family == family for entry in table) for family in families}
    assert sizes == {family: table.size(family) for family in families}
    ranks = Counter(entry.family for entry in table for _ in range(entry.rank))
    assert all(ranks[family] <= sum(n for (f, _), n in seen.items() if f == family) for family in families)


def test_a_crowded_family_takes_no_place_of_another() -> None:
    table: _Table = FairTable(100)
    for number in range(10):
        _see(table, "quiet", str(number))
    for number in range(10_000):
        _see(table, "flooded", str(number))
    assert (table.size("quiet"), table.size("flooded")) == (10, 90)


def test_two_crowded_families_share_the_places() -> None:
    table: _Table = FairTable(100)
    for number in range(1000):
        _see(table, "first", str(number))
    for number in range(1000):
        _see(table, "second", str(number))
    assert abs(table.size("first") - table.size("second")) <= 1


def test_old_entries_can_be_dropped() -> None:
    table: _Table = FairTable(10)
    for number in range(5):
        for _ in range(number + 1):
            _see(table, "a", str(number))
        _see(table, "b", str(number))
    dropped = table.drop(lambda entry: entry.family == "b" or entry.rank < 3)
    assert (len(dropped), len(table), table.size("a"), table.size("b")) == (7, 3, 3, 0)
    for number in range(100):
        _see(table, "c", str(number))
    assert (len(table), table.size("a"), table.size("c")) == (10, 3, 7)
