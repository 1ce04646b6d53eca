"""Groups of refused requests: what is known of them, and that totals and memory hold whatever is sent."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.telemetry.samples import ALLOWED, NOON, PETS, REFUSED, sample

from crossgate.compiler.route_names import UNMATCHED, DecisionSeries
from crossgate.service import hyperloglog
from crossgate.service.refusals import CUT, GroupDelta
from crossgate.telemetry.groups import MAX_ALLOWED, MAX_BYTES, MAX_COMBINATIONS, MAX_GROUPS, RefusalGroups
from crossgate.telemetry.heavy_hitters import FairTable
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.settlement import MAX_REPORTS

KEY = b"0123456789abcdef"
NATIVE = ALLOWED._replace(reason="no-policy", flow="pass-through")


def _groups(*samples: SampledRequest) -> RefusalGroups:
    groups = RefusalGroups(lambda _: KEY)
    groups.take(NOON)
    for one in samples:
        groups.add(one)
    return groups


def _taken(groups: RefusalGroups, now: float = NOON + 1) -> Sequence[GroupDelta]:
    return groups.take(now)[0]


def _only(groups: RefusalGroups) -> GroupDelta:
    (delta,) = _taken(groups)
    return delta


def test_every_reported_request_is_counted_at_once() -> None:
    origins = ("https://a.example", "https://b.example", "https://a.example")
    deltas = _taken(_groups(*(sample(origin=origin) for origin in origins)))
    assert {(delta.key.origin, delta.sampled, delta.count, delta.variance) for delta in deltas} == {
        ("https://a.example", 2, 2.0, 0.0),
        ("https://b.example", 1, 1.0, 0.0),
    }


def test_nothing_is_taken_twice() -> None:
    groups = _groups(sample(), sample(series=ALLOWED, status=200))
    refused, allowed, _ = groups.take(NOON + 1)
    assert (len(refused), len(allowed)) == (1, 1)
    assert groups.take(NOON + 2) == ([], [], [])


def _settled(groups: RefusalGroups, decisions: int) -> list[GroupDelta]:
    """What is taken until the decisions and reports of `NOON` are settled."""
    deltas: list[GroupDelta] = []
    groups.counted({}, NOON - 1)
    groups.counted({REFUSED: decisions}, NOON + 5)
    for second in range(10, 60, 5):
        groups.counted({}, NOON + second)
        deltas += _taken(groups, NOON + second)
    return deltas


@pytest.mark.parametrize("drawn", [(True, False), (False, True), (False,)])
def test_a_request_that_is_drawn_and_reported_is_counted_once(drawn: Iterable[bool]) -> None:
    for request_id in ("an id", ""):
        groups = _groups(*(sample(request_id=request_id, drawn=one) for one in drawn))
        (delta,) = _settled(groups, 1)
        assert (delta.sampled, delta.count, delta.variance) == (1, 1, 0)


def test_a_group_is_known_from_a_drawn_request_alone() -> None:
    groups = _groups(sample(drawn=True, time=NOON + 2), sample(origin="https://b.example"))
    assert {delta.key.origin for delta in _taken(groups)} == {"https://b.example"}
    (delta,) = _settled(groups, 31)
    assert (delta.key.origin, delta.sampled, delta.count) == ("https://app.example", 1, 30)
    assert delta.variance > 0
    assert hyperloglog.estimate(delta.clients) == pytest.approx(1, rel=0.1)
    assert delta.seen_in.path == "/gateway/pets/1.0/dogs"
    assert delta.last_seen.timestamp() == NOON + 2


@pytest.mark.parametrize(("unreported", "others"), [(20, 0), (2000, 2000)])
def test_few_undrawn_requests_are_those_of_the_reported_group(unreported: int, others: int) -> None:
    groups = _groups(sample())
    deltas = _settled(groups, 1 + unreported)
    assert sum(delta.count for delta in deltas) == 1 + unreported - others
    assert all(delta.variance == 0 for delta in deltas)


def test_evidence() -> None:
    delta = _only(
        _groups(
            sample(
                path="/gateway/pets/1.0/dogs/7/secret",
                user_agent="Mozilla/5.0 Firefox/145.0",
                fetch_site="cross-site",
                fetch_mode="cors",
                fetch_dest="empty",
            ),
            sample(fetch_site="\x1b[31m", fetch_mode="no such mode", fetch_dest="<script>", time=NOON + 60),
        )
    )
    seen = delta.seen_in
    assert seen.path == "/gateway/pets/1.0/dogs/7/*"
    assert seen.user_agents == ("Firefox", "curl")
    assert (seen.fetch_sites, seen.fetch_modes, seen.fetch_dests) == (("cross-site",), ("cors",), ("empty",))
    assert delta.hour == delta.first_seen == datetime(2027, 1, 15, 12, tzinfo=UTC)
    assert (delta.last_seen - delta.first_seen).seconds == 60


@pytest.mark.parametrize(
    ("addresses", "clients"),
    [
        (["192.0.2.1", "192.0.2.1", "192.0.2.2"], 2),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1", "2001:db8:0:1::1"], 2),
        (["::ffff:192.0.2.1", "192.0.2.1", "::FFFF:192.0.2.1"], 1),
        (["fe80::1%eth0", "fe80::2"], 1),
        (["", ""], 0),
        (["not an address", ":", "\ud800"], 3),
        ([f"192.0.2.{number}" for number in range(200)], 200),
    ],
)
def test_distinct_clients(addresses: list[str], clients: int) -> None:
    delta = _only(_groups(*(sample(address=address) for address in addresses)))
    assert hyperloglog.estimate(delta.clients) == pytest.approx(clients, rel=0.1)


def test_clients_are_counted_under_the_key_of_the_day() -> None:
    days: list[datetime] = []

    def client_key(day: datetime) -> bytes:
        days.append(day)
        return day.isoformat().encode()[:16]

    groups = RefusalGroups(client_key)
    midnight = NOON + 12 * 3600
    groups.add(sample(time=midnight - 1))
    groups.add(sample(time=midnight - 1, address="192.0.2.2"))
    before = _only(groups)
    groups.take(midnight)
    groups.add(sample(time=midnight + 1))
    after = _only(groups)
    assert [day.day for day in days] == [15, 16]
    assert (hyperloglog.estimate(before.clients), hyperloglog.estimate(after.clients)) == (2, 1)
    assert hyperloglog.estimate(hyperloglog.merge(before.clients, after.clients)) == 3


def test_without_a_key_clients_are_not_counted() -> None:
    groups = RefusalGroups(lambda _: None)
    groups.add(sample())
    assert _only(groups).clients == b""


def test_a_delta_is_within_one_hour() -> None:
    one = NOON + 3600
    deltas = _taken(_groups(*(sample(time=one + second) for second in (-2, -1, 0, 1, -1))), one + 2)
    assert [(delta.hour.hour, delta.sampled) for delta in deltas] == [(12, 2), (13, 3)]
    for delta in deltas:
        assert delta.hour <= delta.first_seen <= delta.last_seen
        assert (delta.last_seen - delta.hour).total_seconds() < 3600


@pytest.mark.parametrize("time", [-1.0, 0.0, 1e300])
def test_a_wrong_clock_of_a_node_moves_a_request_by_an_hour_at_most(time: float) -> None:
    assert abs(_only(_groups(sample(time=time))).hour.timestamp() - NOON) <= 3600


@pytest.mark.parametrize(
    "ignored",
    [
        {"series": UNMATCHED, "status": 404},
        {"series": REFUSED._replace(flow="malformed", reason="path-malformed"), "status": 400},
        {"series": ALLOWED._replace(reason="no-origin"), "status": 403},
        {"series": NATIVE, "origin": "", "status": 403},
    ],
)
def test_what_is_neither_refused_nor_an_allowed_origin_is_ignored(ignored: dict[str, object]) -> None:
    assert _groups(sample(**ignored)).take(NOON + 1) == ([], [], [])


def test_a_refusal_by_the_native_service_is_an_allowed_request() -> None:
    refused, allowed, _ = _groups(sample(series=ALLOWED, status=403)).take(NOON + 1)
    assert (len(refused), [delta.count for delta in allowed]) == (0, [1.0])


def test_origins_of_an_api_without_a_policy_are_kept() -> None:
    _, allowed, _ = _groups(sample(series=NATIVE, status=200)).take(NOON + 1)
    assert [(delta.key.api, delta.key.origin, delta.count) for delta in allowed] == [
        (PETS, "https://app.example", 1.0)
    ]


def test_an_origin_with_many_combinations_is_one_group_more() -> None:
    preflight = REFUSED._replace(flow="preflight", reason="header-refused")
    samples = [
        sample(series=preflight, method="OPTIONS", request_method="PUT", request_headers=f"x-{number}")
        for number in range(300)
    ]
    deltas = _taken(_groups(*samples))
    assert len(deltas) == MAX_COMBINATIONS + 1
    assert sum(delta.count for delta in deltas) == 300
    (folded,) = [delta for delta in deltas if not delta.key.complete]
    assert (folded.key.method, folded.key.headers, folded.count) == (CUT, (CUT,), 300 - MAX_COMBINATIONS)


def test_scripts_with_the_origin_of_a_page_do_not_fold_the_group_of_its_browsers() -> None:
    scripts = [
        sample(method="OPTIONS", request_method="GET", request_headers=f"x-{number}") for number in range(300)
    ]
    browser = sample(method="OPTIONS", request_method="PUT", fetch_mode="cors")
    groups = _groups(*scripts, browser)
    found = [delta for delta in _taken(groups) if delta.key.method == "PUT"]
    assert [(delta.key.complete, delta.count) for delta in found] == [(True, 1)]
    groups.take(NOON + 2000)
    assert groups.size == 0


def test_a_flood_hands_on_few_groups_and_counts_the_others() -> None:
    groups = _groups(*(sample(origin=f"https://{number}.example", time=NOON + 1) for number in range(2000)))
    deltas, _, others = groups.take(NOON + 1)
    assert (len(deltas), others) == (64, [])
    deltas, others = list(deltas), []
    for second in range(10, 90, 5):
        taken = groups.take(NOON + second)
        deltas += taken.groups
        others += taken.others
    assert len(deltas) <= 64 + 4
    assert sum(other.count for other in others) == 2000 - len(deltas)
    assert {(other.api, other.reason, other.observed, other.variance) for other in others} == {
        (PETS, "origin-refused", False, 0.0)
    }


def test_the_last_groups_add_up_to_the_counters() -> None:
    groups = _groups(*(sample(origin=f"https://{number}.example") for number in range(500)))
    groups.counted({REFUSED: 700}, NOON + 1)
    deltas, _, others = groups.take(NOON + 1, last=True)
    assert len(deltas) == 64
    assert sum(delta.count for delta in deltas) + sum(other.count for other in others) == 700


def test_groups_that_come_often_are_handed_on_beside_a_flood() -> None:
    flood = (sample(origin=f"https://{number}.example") for number in range(1000))
    often = (sample(origin=f"https://often-{number % 10}.example") for number in range(30))
    deltas = _taken(_groups(*flood, *often))
    assert {f"https://often-{number}.example" for number in range(10)} <= {d.key.origin for d in deltas}


def test_a_flood_of_one_api_does_not_displace_groups_of_another() -> None:
    other = REFUSED._replace(api="other/1")
    groups = _groups(sample(series=other), sample(origin="https://browser.example", fetch_mode="cors"))
    for number in range(MAX_GROUPS + 1000):
        groups.add(sample(origin=f"https://{number}.example"))
    origins = {(delta.key.api, delta.key.origin) for delta in _taken(groups)}
    assert ("other/1", "https://app.example") in origins
    assert (PETS, "https://browser.example") in origins
    assert len(groups._refused) == MAX_GROUPS


_SERIES = st.builds(
    DecisionSeries,
    st.sampled_from(["a/1", "b/1"]),
    st.just("/a"),
    st.sampled_from(["preflight", "cors-request"]),
    st.sampled_from(["origin-refused", "method-refused", "origin-allowed"]),
    st.booleans(),
)
_REQUEST = st.builds(
    sample,
    series=_SERIES,
    origin=st.sampled_from(["", "https://a.example", "https://b.example", "…", "x" * 300]),
    method=st.sampled_from(["OPTIONS", "GET", "a b"]),
    request_headers=st.sampled_from(["", "x-a", "X-A", "x-b,x-a", "x-a,x-b", "é"]),
    fetch_mode=st.sampled_from(["", "cors"]),
    status=st.sampled_from([200, 403, 405]),
    drawn=st.booleans(),
    time=st.floats(NOON, NOON + 4),
)


def _sums(groups: RefusalGroups) -> tuple[Counter[object], Counter[object]]:
    refused, allowed, _ = groups.take(NOON + 5)
    return (
        Counter({delta.key: delta.sampled for delta in refused}),
        Counter({delta.key: int(delta.count) for delta in allowed}),
    )


@given(st.lists(_REQUEST, max_size=40), st.randoms())
def test_the_order_of_reports_does_not_matter(requests: list[SampledRequest], random: object) -> None:
    shuffled = sorted(requests, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert _sums(_groups(*requests)) == _sums(_groups(*shuffled))


@given(
    st.lists(st.tuples(st.lists(_REQUEST, max_size=10), st.integers(0, 300)), min_size=1, max_size=8),
    st.booleans(),
)
@settings(deadline=None)
def test_the_sum_of_all_groups_is_that_of_the_counters(
    intervals: Iterable[tuple[list[SampledRequest], int]], stopped: bool
) -> None:
    """Reports are at most as many as decisions; what is not reported is in some group or in others."""
    groups = RefusalGroups(lambda _: KEY)
    decisions: Counter[tuple[str, str, bool]] = Counter()
    counted: Counter[tuple[str, str, bool]] = Counter()
    now = NOON

    def take(*, last: bool = False) -> None:
        taken = groups.take(now, last=last)
        for delta in taken.groups:
            counted[delta.key.api, delta.key.reason, delta.key.observed] += delta.count  # type: ignore[assignment]
            assert delta.variance >= 0
        for other in taken.others:
            counted[other.api, other.reason, other.observed] += other.count  # type: ignore[assignment]

    for requests, unreported in intervals:
        increments: Counter[DecisionSeries] = Counter()
        for request in requests:
            groups.add(replace(request, time=now + request.time - NOON))
            increments[request.series] += 1
        for series in list(increments):
            increments[series] += unreported
        for series, number in increments.items():
            if series.reason != "origin-allowed":
                decisions[series.api, series.reason, series.observed] += number
        now += 5
        groups.counted(increments, now)
        take()
    for _ in range(0 if stopped else 30):
        now += 5
        groups.counted({}, now)
        take()
    take(last=True)
    assert {key: round(value, 6) for key, value in counted.items()} == decisions


def test_memory_is_bounded() -> None:
    """A flood of the longest keys: other origins, header names, methods, paths and User-Agents each time."""
    groups = RefusalGroups(lambda _: KEY)
    groups._refused = FairTable(MAX_GROUPS // 8)
    groups.take(NOON)
    preflight = REFUSED._replace(flow="preflight")
    tracemalloc.start()
    try:
        for number in range(MAX_GROUPS // 4):
            names = ",".join(f"x-{number:06}-{name:02}-{'a' * 52}" for name in range(16))
            groups.add(
                sample(
                    series=preflight,
                    method="OPTIONS",
                    origin="https://" + f"{number:06}" + "\U0001f600" * 241,
                    request_method=f"M{number}",
                    request_headers=names,
                    path=f"/gateway/pets/1.0/{'x' * 2000}{number}",
                    user_agent=f"{number}" * 100,
                    address=f"192.0.{number % 256}.{number // 256}",
                    time=NOON + number / 1000,
                )
            )
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What allowed origins, 9 clients of each group and full cells would take besides.
    refused = 8 * kept
    allowed = refused * MAX_ALLOWED // MAX_GROUPS
    clients, cells = MAX_GROUPS * 1100, MAX_REPORTS * 340
    assert refused + allowed + clients + cells < MAX_BYTES
