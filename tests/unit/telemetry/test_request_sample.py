"""The sample of recent requests: enough to replay a decision, bounded, without address and whole path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.telemetry.samples import NOON, REFUSED, sample

from crossgate.telemetry.request_sample import MAX_REQUEST, RecentRequests


def test_a_request_can_be_replayed() -> None:
    requests = RecentRequests()
    requests.add(
        sample(
            request_id="a",
            method="OPTIONS",
            origin="https://a.example",
            request_method="PUT",
            request_headers="x-a",
            fetch_site="cross-site",
        ),
        NOON,
    )
    found = requests.find("a", NOON)
    assert found is not None
    assert (found.series, found.node, found.status) == (REFUSED, "node-1", 403)
    assert (found.method, found.origin) == ("OPTIONS", "https://a.example")
    assert (found.request_method, found.request_headers) == ("PUT", "x-a")
    assert found.seen_in.fetch_sites == ("cross-site",)
    assert found.at.isoformat() == "2027-01-15T12:00:00+00:00"


def test_address_path_and_user_agent_are_not_kept() -> None:
    requests = RecentRequests()
    private = sample(
        request_id="a",
        address="192.0.2.77",
        path="/gateway/pets/1.0/dogs/7/owners/ann",
        user_agent="curl/8 secret",
    )
    requests.add(private, NOON)
    kept = repr(vars(requests))
    for value in ("192.0.2.77", "owners", "ann", "secret"):
        assert value not in kept
    found = requests.find("a", NOON)
    assert found is not None
    assert found.seen_in.path == "/gateway/pets/1.0/dogs/7/*/*"


def test_requests_are_forgotten_after_ten_minutes() -> None:
    requests = RecentRequests()
    requests.add(sample(request_id="a"), NOON)
    assert requests.find("a", NOON + 600)
    assert requests.find("a", NOON + 601) is None
    assert len(requests) == 0


def test_the_oldest_are_dropped() -> None:
    requests = RecentRequests(max_requests=2)
    for name in "abc":
        requests.add(sample(request_id=name), NOON)
    assert [bool(requests.find(name, NOON)) for name in "abc"] == [False, True, True]


def test_an_id_that_comes_again_names_the_newest_request() -> None:
    requests = RecentRequests()
    requests.add(sample(request_id="a", method="GET"), NOON)
    requests.add(sample(request_id="a", method="PUT"), NOON)
    found = requests.find("a", NOON)
    assert found is not None
    assert (found.method, len(requests)) == ("PUT", 1)


@pytest.mark.parametrize("value", [{"request_id": ""}, {"origin": "a" * MAX_REQUEST}])
def test_what_cannot_be_found_or_is_too_long_is_not_kept(value: dict[str, str]) -> None:
    requests = RecentRequests()
    requests.add(sample(**value), NOON)
    assert len(requests) == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5000), st.floats(0, 2000)), max_size=60))
def test_the_sample_is_bounded(requests: list[tuple[int, int, float]]) -> None:
    recent = RecentRequests(max_requests=10, max_characters=20_000)
    for number, length, time in requests:
        recent.add(sample(request_id=str(number), origin="a" * length), NOON + time)
        assert len(recent) <= 10
        assert recent._characters == sum(kept.size for kept in recent._requests.values()) <= 20_000


@pytest.mark.parametrize("time", [-1.0, 1e300, 2.0**40])
def test_a_wrong_clock_of_a_node_is_harmless(time: float) -> None:
    requests = RecentRequests()
    requests.add(sample(request_id="a", time=time), NOON)
    assert requests.find("a", NOON)
