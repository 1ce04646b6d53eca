"""Filters of refusals as strings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.refusals import group_key
from tests.telemetry import NOON

from crossgate.diagnostics import InvalidInput
from crossgate.service.refusal_filter import RefusalFilter, parse_refusal_filter
from crossgate.service.refusal_query import RefusalOrder, RefusalQuery
from crossgate.service.refusal_states import GroupState


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RefusalQuery()),
        ("api:petstore", RefusalQuery(api="petstore")),
        ("api:petstore/1.0 reason:origin", RefusalQuery(api="petstore/1.0", reason="origin-refused")),
        ("reason:origin-missing", RefusalQuery(reason="origin-missing")),
        ("is:open is:dismissed", RefusalQuery(states=frozenset({GroupState.OPEN, GroupState.DISMISSED}))),
        ("observed:no METHOD:put", RefusalQuery(observed=False, method="put")),
        ("origin:shop since:24h", RefusalQuery(origin="shop", since=NOON - timedelta(days=1))),
        ("since:30m", RefusalQuery(since=NOON - timedelta(minutes=30))),
        ("shop https://a.example:8443", RefusalQuery(words=("shop", "https://a.example:8443"))),
        ("[::1] 127.0.0.1:80", RefusalQuery(words=("[::1]", "127.0.0.1:80"))),
    ],
)
def test_a_filter_is_a_query(text: str, expected: RefusalQuery) -> None:
    assert parse_refusal_filter(text, NOON) == RefusalFilter(expected)


def test_the_order_is_part_of_it() -> None:
    assert parse_refusal_filter("sort:recent", NOON).order is RefusalOrder.RECENT


def test_it_adds_to_what_is_asked_for_besides() -> None:
    base = RefusalQuery(states=frozenset({GroupState.OPEN}), origin="a")
    found = parse_refusal_filter("method:PUT b", NOON, base).query
    assert found == RefusalQuery(states=base.states, origin="a", method="PUT", words=("b",))


@pytest.mark.parametrize(
    ("text", "remedies"),
    [
        ("petstore:1.0", ["Did you mean api:petstore?"]),
        ("orgin:a is:opn", ["Did you mean origin:?", "Did you mean is:open?"]),
        ("sort:client", ["Did you mean sort:clients?"]),
        ("since:yesterday", ["Use 30m, 24h or 7d"]),
        ("observed:perhaps", ["Use one of yes, no"]),
        ("a " * 21, ["Use at most 20"]),
    ],
)
def test_all_errors_come_at_once_with_what_was_probably_meant(text: str, remedies: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_refusal_filter(text, NOON, apis={"petstore/1.0"})
    assert [one.remedy for one in refused.value.diagnostics] == remedies
    assert {one.code for one in refused.value.diagnostics} == {"filter-invalid"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (RefusalQuery(api="pets"), True),
        (RefusalQuery(api="pet"), False),
        (RefusalQuery(api="pets/2.0"), False),
        (RefusalQuery(method="get"), True),
        (RefusalQuery(words=("SHOP", "pets")), True),
        (RefusalQuery(words=("x-tr",)), True),
        (RefusalQuery(words=("shop", "none")), False),
    ],
)
def test_what_a_query_finds(query: RefusalQuery, found: bool) -> None:
    assert query.matches(group_key(headers=("x-trace",))) is found
