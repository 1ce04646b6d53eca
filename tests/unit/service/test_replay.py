"""What a changed catalogue would have made of recorded requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.catalogues import api, application, catalogue, policy, server_policy
from tests.refusal_groups import allowed, group, replay

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.policy import CorsPolicy, Mode, Reason, SameOrigin, build_policy
from crossgate.service.refusals import CUT, AllowedOrigin, RefusalGroup
from crossgate.service.replay import Fate, FateKind, Replay, Replayer

NEW = "https://new.example.com"
OLD = "https://old.example.com"
OLD_ONLY = policy(OLD, methods=("GET", "PUT"))
BOTH = policy(OLD, NEW, methods=("GET", "PUT"))


def petstore(cors: CorsPolicy | None, gateway: Gateway | None = None) -> Catalogue:
    return catalogue([api("petstore", cors)], gateway=gateway)


def shown(found: Replay) -> tuple[list[str], list[str], list[str]]:
    """Origins that gain, that lose with what becomes of them, and that are unknown."""
    return (
        [one.record.key.origin for one in found.gained],
        [f"{one.record.key.origin} {one.after.kind} {one.after.reason}".strip() for one in found.lost],
        [one.key.origin for one in found.unknown],
    )


def replayed(
    before: Catalogue,
    after: Catalogue,
    groups: Sequence[RefusalGroup] = (),
    origins: Sequence[AllowedOrigin] = (),
) -> tuple[list[str], list[str], list[str]]:
    return shown(replay(before, after, groups, origins))


def test_a_new_entry_turns_refusals_of_its_origin() -> None:
    groups = [group(NEW, count=3), group("https://other.org", count=9)]
    found = replay(petstore(OLD_ONLY), petstore(BOTH), groups)
    assert shown(found) == ([NEW], [], [])
    assert found.groups_gained == (groups[0],)
    assert found.gained[0].before == Fate(FateKind.REFUSED, Reason.ORIGIN_REFUSED)
    assert found.gained[0].after == Fate(FateKind.ALLOWED)
    assert found.gained[0].error == 0


def test_the_records_with_most_requests_come_first() -> None:
    groups = [
        group(NEW, method=method, count=count) for method, count in (("GET", 1), ("HEAD", 7), ("PUT", 3))
    ]
    found = replay(petstore(OLD_ONLY), petstore(BOTH), groups)
    assert [one.record.count for one in found.gained] == [7, 3, 1]


def test_a_preflight_that_fails_at_a_later_step_stays_refused() -> None:
    groups = [
        group(NEW, preflight=True, method="DELETE"),
        group(NEW, preflight=True, method="PUT", headers=("x-one",)),
        group(NEW, preflight=True, method=""),
    ]
    assert replayed(petstore(OLD_ONLY), petstore(BOTH), groups) == ([], [], [])


def test_the_same_method_without_a_preflight_is_turned() -> None:
    assert replayed(petstore(OLD_ONLY), petstore(BOTH), [group(NEW, method="DELETE")]) == ([NEW], [], [])


def test_a_removed_entry_refuses_what_was_allowed() -> None:
    origins = [allowed(NEW, count=30), allowed(OLD)]
    assert replayed(petstore(BOTH), petstore(OLD_ONLY), (), origins) == (
        [],
        [f"{NEW} refused origin-refused"],
        [],
    )


def test_a_removed_method_refuses_preflights_only() -> None:
    after = petstore(policy(OLD))
    origins = [allowed(OLD, method="PUT"), allowed(OLD, preflight=True, method="PUT")]
    found = replay(petstore(OLD_ONLY), after, (), origins)
    assert [(one.record, one.after.reason, one.error) for one in found.lost] == [
        (origins[1], Reason.METHOD_REFUSED, None)
    ]


def test_refusals_that_the_head_allows_already_are_no_gain() -> None:
    more = policy(OLD, NEW, "https://third.example.com")
    assert replayed(petstore(BOTH), petstore(more), [group(NEW)]) == ([], [], [])


def test_only_apis_whose_decisions_change_are_replayed() -> None:
    before = catalogue([api("petstore", OLD_ONLY), api("orders", OLD_ONLY)])
    after = catalogue([api("petstore", BOTH), api("orders", OLD_ONLY)])
    cut = [group(f"{NEW}{CUT}", api=key) for key in ("petstore/1.0", "orders/1.0", "gone/1.0")]
    assert [one.key.api for one in replay(before, after, cut).unknown] == ["petstore/1.0"]


def test_what_no_decision_depends_on_makes_nothing_unknown() -> None:
    after = petstore(replace(OLD_ONLY, max_age=600, expose_headers=("X-Total",)))
    assert replayed(petstore(OLD_ONLY), after, [group(f"{NEW}{CUT}")]) == ([], [], [])


@pytest.mark.parametrize(
    "record",
    [
        group(f"{NEW}{CUT}"),
        group(NEW, method=CUT),
        group(NEW, preflight=True, method="GET", headers=("a", CUT)),
        allowed(f"{OLD}{CUT}"),
    ],
)
def test_a_cut_record_is_unknown(record: RefusalGroup | AllowedOrigin) -> None:
    groups = [record] if isinstance(record, RefusalGroup) else []
    origins = [] if isinstance(record, RefusalGroup) else [record]
    assert replayed(petstore(OLD_ONLY), petstore(BOTH), groups, origins) == ([], [], [record.key.origin])


def test_an_application_counts_and_a_suspended_one_does_not() -> None:
    shop = application("shop", NEW, apis=["petstore/1.0"])
    before = catalogue([api("petstore", OLD_ONLY)], [replace(shop, suspended=True)])
    after = catalogue([api("petstore", OLD_ONLY)], [shop])
    assert replayed(before, after, [group(NEW)]) == ([NEW], [], [])
    assert replayed(after, before, (), [allowed(NEW)])[1] == [f"{NEW} refused origin-refused"]


def test_a_public_origin_passes() -> None:
    after = petstore(OLD_ONLY, Gateway(public_origins=(NEW,)))
    assert replayed(petstore(OLD_ONLY), after, [group(NEW)]) == ([NEW], [], [])


def test_own_pages_pass_once_they_are_detected() -> None:
    listed = petstore(OLD_ONLY, Gateway(same_origin=SameOrigin.LISTED))
    groups = [
        group(NEW, fetch_sites=("same-origin",)),
        group("https://other.org", fetch_sites=("cross-site",)),
    ]
    # Of the first, some requests may have had no such header: nothing is guessed.
    assert replayed(listed, petstore(OLD_ONLY), groups) == ([], [], [NEW])


def test_a_policy_that_goes_turns_everything_and_one_that_comes_refuses() -> None:
    assert replayed(petstore(OLD_ONLY), petstore(None), [group(NEW)]) == ([NEW], [], [])
    lost = replayed(petstore(None), petstore(OLD_ONLY), (), [allowed(NEW), allowed(OLD)])[1]
    assert lost == [f"{NEW} refused origin-refused"]


def test_observe_mode_refuses_nothing() -> None:
    observing = petstore(replace(OLD_ONLY, mode=Mode.OBSERVE))
    found = replay(petstore(OLD_ONLY), observing, [group(NEW)])
    assert [one.after for one in found.gained] == [Fate(FateKind.OBSERVED, Reason.ORIGIN_REFUSED)]
    lost = replay(observing, petstore(OLD_ONLY), [group(NEW, observed=True)]).lost
    assert [one.after for one in lost] == [Fate(FateKind.REFUSED, Reason.ORIGIN_REFUSED)]


def test_in_observe_mode_an_entry_settles_what_was_observed() -> None:
    before, after = (petstore(replace(cors, mode=Mode.OBSERVE)) for cors in (OLD_ONLY, BOTH))
    assert replayed(before, after, [group(NEW, observed=True)]) == ([NEW], [], [])


def test_a_deleted_api_serves_nobody() -> None:
    after = catalogue([api("orders", OLD_ONLY)])
    assert replayed(petstore(OLD_ONLY), after, [group(NEW)], [allowed(OLD)]) == (
        [],
        [f"{OLD} not-served"],
        [],
    )


def test_an_api_with_another_endpoint_does_not_serve_the_old_one() -> None:
    after = catalogue([api("petstore", BOTH, endpoints=("/pets",))])
    assert replayed(petstore(OLD_ONLY), after, [group(NEW)], [allowed(OLD)])[1] == [f"{OLD} not-served"]


def test_one_of_two_endpoints_that_goes_is_unknown() -> None:
    before = catalogue([api("petstore", OLD_ONLY, endpoints=("/pets", "/animals"))])
    after = catalogue([api("petstore", OLD_ONLY, endpoints=("/pets",))])
    assert replayed(before, after, (), [allowed(OLD)]) == ([], [], [OLD])


def test_an_endpoint_that_another_api_takes_over_is_decided_by_that() -> None:
    after = catalogue([api("petstore", BOTH, version="2.0", endpoints=("/gateway/petstore/1.0",))])
    assert replayed(petstore(OLD_ONLY), after, [group(NEW)]) == ([NEW], [], [])
    above = catalogue([api("everything", BOTH, endpoints=("/gateway",))])
    assert replayed(petstore(OLD_ONLY), above, [group(NEW)]) == ([NEW], [], [])


def test_an_endpoint_that_is_split_is_unknown() -> None:
    after = catalogue(
        [
            api("pets", BOTH, endpoints=("/gateway/petstore/1.0/pets",)),
            api("orders", OLD_ONLY, endpoints=("/gateway/petstore/1.0/orders",)),
        ]
    )
    assert replayed(petstore(OLD_ONLY), after, [group(NEW)]) == ([], [], [NEW])


def test_server_level_cors_decides_for_every_api() -> None:
    server = catalogue([api("petstore", OLD_ONLY)], server_policy=server_policy(NEW))
    groups, origins = [group(NEW, preflight=True)], [allowed(OLD, preflight=True)]
    found = replayed(petstore(OLD_ONLY), server, groups, origins)
    assert found == ([NEW], [f"{OLD} refused origin-refused"], [])


def test_a_content_type_that_is_not_known_is_not_guessed() -> None:
    plain = catalogue([api("petstore", None)], server_policy=server_policy(OLD))
    more = catalogue([api("petstore", None)], server_policy=server_policy(f"{OLD} {NEW}"))
    with_type = catalogue(
        [api("petstore", None)],
        server_policy=server_policy(f"{OLD} {NEW}", supportedHeaders="Content-Type"),
    )
    record = group(NEW, api="server-level", method="POST")
    assert replayed(plain, more, [record]) == ([], [], [NEW])
    assert replayed(plain, with_type, [record]) == ([NEW], [], [])
    refused = group(OLD, api="server-level", method="POST", reason=Reason.HEADER_REFUSED)
    assert replayed(plain, with_type, [refused]) == ([OLD], [], [])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        # Requests that got past the step had that Host, and those that it refused had another.
        ("a.example", ([NEW], [], [])),
        ("", ([OLD, NEW], [], [])),
        ("b.example", ([], [], [OLD])),
    ],
)
def test_a_host_is_known_as_far_as_its_step_tells(host: str, expected: tuple[list[str], ...]) -> None:
    before = catalogue([], server_policy=server_policy(OLD, host="a.example"))
    after = catalogue([], server_policy=server_policy(f"{OLD} {NEW}", host=host))
    records = [
        group(NEW, api="server-level", preflight=True, count=2),
        group(OLD, api="server-level", preflight=True, reason=Reason.HOST_REFUSED),
    ]
    assert replayed(before, after, records) == expected


def test_what_server_level_cors_refused_is_unknown_once_apis_decide() -> None:
    server = catalogue([api("petstore", OLD_ONLY)], server_policy=server_policy(OLD))
    assert replayed(server, petstore(BOTH), [group(NEW, api="server-level")]) == ([], [], [NEW])


def test_a_method_that_is_refused_everywhere_stays_refused() -> None:
    record = group(NEW, method="TRACE", reason=Reason.METHOD_FORBIDDEN)
    assert replayed(petstore(OLD_ONLY), petstore(None), [record]) == ([], [], [])
    assert Replayer(petstore(None)).fate(record) == Fate(FateKind.REFUSED, Reason.METHOD_FORBIDDEN)


def test_the_fate_of_a_record_now() -> None:
    assert Replayer(petstore(BOTH)).fate(group(NEW)) == Fate(FateKind.ALLOWED)
    assert Replayer(petstore(OLD_ONLY)).fate(group(NEW)) == Fate(FateKind.REFUSED, Reason.ORIGIN_REFUSED)
    assert Replayer(petstore(OLD_ONLY)).fate(group(NEW, api="gone/1.0")) is None
    forwards = build_policy(allowed_origins=[OLD], plain_options="forward")
    assert Replayer(petstore(forwards)).fate(group(OLD, preflight=True, method="")) == Fate(FateKind.ALLOWED)
