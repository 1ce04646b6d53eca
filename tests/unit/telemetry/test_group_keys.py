"""Keys of groups: one spelling for what is the same, bounded whatever a client sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.telemetry import allowed_key, refusal_key
from tests.unit.telemetry.samples import REFUSED, sample

from crossgate.policy.names import is_token
from crossgate.policy.responses import API_RESPONSES, SERVER_RESPONSES
from crossgate.service.refusals import CUT
from crossgate.telemetry.group_keys import (
    ALLOWED,
    MAX_METHOD,
    MAX_NAME,
    MAX_NAMES,
    MAX_ORIGIN,
    REFUSALS,
    cut_origin,
    has_allowed_origin,
    header_names,
    others_of,
)


def test_refusals_are_the_outcomes_that_nodes_report() -> None:
    responses = {**API_RESPONSES, **SERVER_RESPONSES}
    refused = {outcome.reason for outcome, template in responses.items() if template.status in (403, 405)}
    assert refused == REFUSALS
    assert not {outcome.reason for outcome, template in responses.items() if template.status} & ALLOWED - {
        "preflight-allowed"
    }


def test_a_preflight_is_grouped_by_what_it_requests() -> None:
    key = refusal_key(
        sample(method="OPTIONS", request_method="PATCH", request_headers="X-B, x-a,,x-b ,\tAuthorization")
    )
    assert (key.preflight, key.method, key.headers) == (True, "PATCH", ("authorization", "x-a", "x-b"))
    assert key.complete


def test_a_request_is_grouped_by_its_method_alone() -> None:
    key = refusal_key(sample(method="PUT", request_method="PATCH", request_headers="x-a"))
    assert (key.preflight, key.method, key.headers) == (False, "PUT", ())


def test_an_observed_refusal_has_a_group_of_its_own() -> None:
    observed = sample(
        series=type(REFUSED)(REFUSED.api, REFUSED.endpoint, "preflight", "origin-refused", observed=True)
    )
    assert refusal_key(observed).observed
    assert refusal_key(observed).id != refusal_key(sample()).id


@pytest.mark.parametrize("order", ["x-a,x-b", "x-b,x-a", "X-A , X-B", "x-b,,x-a,x-a"])
def test_spellings_of_a_list_are_one_group(order: str) -> None:
    assert header_names(order) == ("x-a", "x-b")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("x-a,é", ("x-a", CUT)),
        ("x-a,\N{KELVIN SIGN}", ("x-a", CUT)),
        ("x-a,a b", ("x-a", CUT)),
        ("x-a,", ("x-a",)),
        (",x-a", ("x-a",)),
        ("x-a,\n", ("x-a", CUT)),
        (CUT, (CUT,)),
        ("x" * 64, ("x" * 64,)),
        ("x" * 65, (CUT,)),
        (" , ,,", ()),
    ],
)
def test_names_that_are_not_kept_are_marked(value: str, names: tuple[str, ...]) -> None:
    assert header_names(value) == names


def test_a_long_list_is_cut_with_a_mark() -> None:
    assert len(header_names(",".join(f"x-{number:02}" for number in range(32)))) == 32
    cut = header_names(",".join(f"x-{number:02}" for number in range(33)))
    assert (len(cut), cut[0], cut[-2], cut[-1]) == (32, "x-00", "x-30", CUT)


def test_a_list_of_long_names_is_cut_with_a_mark() -> None:
    names = header_names(",".join(f"x-{number:062}" for number in range(20)))
    assert (len(names), sum(map(len, names[:-1])), names[-1]) == (17, 1024, CUT)


@pytest.mark.parametrize("origin", ["https://" + "a" * 247, "null", "", "https://a.example"])
def test_an_origin_is_kept_as_sent(origin: str) -> None:
    assert cut_origin(origin) == origin


def test_an_origin_of_256_characters_is_cut_with_a_mark() -> None:
    cut = cut_origin("https://" + "a" * 248)
    assert cut == "https://" + "a" * 246 + CUT
    assert not refusal_key(sample(origin="https://" + "a" * 248)).complete


def test_the_mark_cannot_be_sent() -> None:
    sent = refusal_key(sample(origin="https://a.example…", method="…"))
    assert (sent.origin, sent.method) == (r"https://a.example\u2026", CUT)
    assert refusal_key(sample(origin=CUT)).origin != others_of("a/1", "origin-refused", observed=False)[1]


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=3000))
def test_keys_are_bounded_and_hold_tokens_only(origin: str, method: str, headers: str) -> None:
    request = sample(method="OPTIONS", origin=origin, request_method=method, request_headers=headers)
    for key in (refusal_key(request), allowed_key(request)):
        assert len(key.origin) <= MAX_ORIGIN
        assert not key.method or key.method == CUT or (is_token(key.method) and len(key.method) <= MAX_METHOD)
        assert len(key.headers) <= MAX_NAMES
        assert all(name == CUT or (is_token(name) and len(name) <= MAX_NAME) for name in key.headers)
        assert len(set(key.headers)) == len(key.headers)
        assert key.complete == (CUT not in (key.method, *key.headers) and not key.origin.endswith(CUT))


@given(st.lists(st.from_regex(r"[A-Za-z-]{1,10}", fullmatch=True), max_size=40), st.randoms())
def test_the_order_of_names_does_not_matter(names: list[str], random: object) -> None:
    shuffled = sorted(names, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert header_names(",".join(names)) == header_names(" , ".join(shuffled))


@pytest.mark.parametrize(
    ("reason", "site", "counts"),
    [
        ("origin-allowed", "cross-site", True),
        ("origin-allowed", "same-origin", True),
        ("no-policy", "cross-site", True),
        ("no-policy", "", True),
        ("no-policy", "same-origin", False),
        ("no-origin", "same-origin", False),
    ],
)
def test_an_own_page_is_no_allowed_origin_where_no_policy_judges_it(
    reason: str, site: str, counts: bool
) -> None:
    series = REFUSED._replace(reason=reason)
    assert has_allowed_origin(sample(series=series, fetch_site=site)) is counts
    assert not has_allowed_origin(sample(series=series, fetch_site=site, origin=""))
