"""The sentence, the step and the nearest origin of a group."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api, catalogue, policy, server_policy
from tests.refusal_groups import group

from crossgate.catalogue.model import Catalogue
from crossgate.policy import Mode, Reason, build_policy
from crossgate.policy.explain import Step
from crossgate.policy.nearest import NearestOrigin
from crossgate.service.refusal_advice import advise, shown
from crossgate.service.refusal_signs import SignKind
from crossgate.service.refusals import CUT, RefusalGroup
from crossgate.service.replay import FateKind

POLICY = build_policy(
    allowed_origins=["https://app.example.com"], allowed_methods=["GET"], allow_headers=["x-one"]
)
PETSTORE = catalogue([api("petstore", POLICY)])
APP = "https://app.example.com"


def sentence(record: RefusalGroup, found: Catalogue = PETSTORE) -> str:
    return advise(found, record, [record]).sentence


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            group("https://new.example.com"),
            "Refused: petstore/1.0 does not allow the origin https://new.example.com",
        ),
        (group("null"), "Refused: petstore/1.0 does not allow the origin null"),
        (
            group("https://new.example.com/path"),
            "Refused: https://new.example.com/path is not a well-formed origin that petstore/1.0 allows",
        ),
        (
            group(APP, preflight=True, method="PUT", reason=Reason.METHOD_REFUSED),
            f"Refused: petstore/1.0 allows the origin {APP}, but not the method PUT",
        ),
        (
            group(APP, preflight=True, headers=("x-one", "x-two"), reason=Reason.HEADER_REFUSED),
            f"Refused: petstore/1.0 allows the origin {APP} and the method GET, but not the header x-two",
        ),
        (
            group(APP, preflight=True, headers=("a", "b"), reason=Reason.HEADER_REFUSED),
            f"Refused: petstore/1.0 allows the origin {APP} and the method GET, but not the headers a, b",
        ),
        (
            group(APP, preflight=True, method="", reason=Reason.METHOD_MISSING),
            "Refused: an OPTIONS request without Access-Control-Request-Method is not a preflight",
        ),
        (
            group("", preflight=True, reason=Reason.ORIGIN_MISSING),
            "Refused: an OPTIONS request without Origin is not a preflight",
        ),
        (
            group(APP, method="TRACE", reason=Reason.METHOD_FORBIDDEN),
            "Refused: the method TRACE is refused everywhere: its response repeats the request",
        ),
        (
            group("", api="", method="TRACE", reason=Reason.METHOD_FORBIDDEN),
            "Refused: the method TRACE is refused everywhere: its response repeats the request",
        ),
        (group(APP), "It was refused (origin-refused); petstore/1.0 allows it now"),
        (
            group(APP, api="gone/1.0"),
            "It was refused (origin-refused); the catalogue does not have gone/1.0 now",
        ),
        (
            group(f"https://{'a' * 246}{CUT}"),
            "It was refused (origin-refused); the record has too little of the requests to tell more",
        ),
    ],
)
def test_one_sentence_says_which_step_refused(record: RefusalGroup, expected: str) -> None:
    assert sentence(record) == expected


def test_the_sentence_is_about_the_step_that_refuses_now() -> None:
    record = group(APP, preflight=True, method="PUT")  # recorded before the origin was allowed
    assert sentence(record) == f"Refused: petstore/1.0 allows the origin {APP}, but not the method PUT"


def test_what_observe_mode_forwards_is_observed() -> None:
    observing = catalogue([api("petstore", replace(POLICY, mode=Mode.OBSERVE))])
    record = group("https://new.example.com", observed=True)
    expected = "Observed: petstore/1.0 does not allow the origin https://new.example.com"
    assert sentence(record, observing) == expected


def test_server_level_cors_is_named() -> None:
    server = catalogue([api("petstore", POLICY)], server_policy=server_policy(APP, host="a.example"))
    preflight = group("https://new.example.com", api="server-level", preflight=True)
    expected = "Refused: server-level CORS does not allow the origin https://new.example.com"
    assert sentence(preflight, server) == expected
    foreign = group(APP, api="server-level", preflight=True, reason=Reason.HOST_REFUSED)
    assert sentence(foreign, server) == "Refused: the Host is not the one that server-level CORS expects"
    typed = group(APP, api="server-level", reason=Reason.HEADER_REFUSED)
    assert sentence(typed, server).endswith("but not the Content-Type of the requests")


def test_the_step_is_that_of_the_explanation() -> None:
    record = group(APP, preflight=True, method="PUT")
    expected = Step("Is the requested method allowed?", "PUT", passed=False)
    assert advise(PETSTORE, record, [record]).step == expected
    assert advise(PETSTORE, group(APP), []).step is None


@pytest.mark.parametrize(
    ("origin", "difference"),
    [
        ("http://app.example.com", "scheme https, not http"),
        ("https://app.example.com:8443", "port 443, not 8443"),
        ("https://app.example.com.", "host without a trailing dot"),
        ("https://www.app.example.com", "host app.example.com without its subdomains"),
        ("https://app.exmple.com", "host label example, not exmple"),
        ("https://xn--pp-6kc.example.com", "host app.example.com, which xn--pp-6kc.example.com looks like"),
        ("https://app.exarnple.com", "host app.example.com, which app.exarnple.com looks like"),
    ],
)
def test_the_nearest_origin_comes_with_the_difference(origin: str, difference: str) -> None:
    record = group(origin)
    assert advise(PETSTORE, record, [record]).nearest == NearestOrigin(APP, difference)


def test_a_refused_method_has_no_nearest_origin() -> None:
    record = group(APP, preflight=True, method="PUT")
    assert advise(PETSTORE, record, [record]).nearest is None


def test_a_retired_name_is_found_in_earlier_revisions() -> None:
    old = "https://old.example.com"
    with_old = catalogue([api("petstore", policy(APP, old))])
    record = group(old)
    earlier = [(9, PETSTORE), (7, with_old), (5, PETSTORE)]
    (sign,) = advise(PETSTORE, record, [record], earlier).signs
    assert (sign.kind, sign.sentence) == (SignKind.RETIRED, "It was allowed until revision 8")
    assert advise(PETSTORE, record, [record], [(9, PETSTORE)]).signs == ()


def test_what_is_allowed_now_needs_no_change() -> None:
    advice = advise(PETSTORE, group(APP), [group(APP)])
    assert advice.fate is not None
    assert advice.fate.kind is FateKind.ALLOWED
    assert (advice.changes, advice.nearest) == ((), None)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.com\x1b[2J\n",
        "\u202emoc.live//:sptth",
        "\ud800",
        "<script>",
        "=cmd()",
        "https://" + "a." * 120 + "com",
    ],
)
def test_hostile_values_are_printable_in_every_sentence(origin: str) -> None:
    hostile = ("\x1b[31mX", origin)
    for record in (
        group(origin),
        group(APP, preflight=True, method="PUT\x07", headers=hostile),
        group(APP, preflight=True, headers=hostile),
        group(origin, api=f"gone{origin}"),
    ):
        advice = advise(PETSTORE, record, [record])
        texts = [advice.sentence, *(sign.sentence for sign in advice.signs)]
        texts += [one.sentence for one in advice.changes]
        assert [text for text in texts if not text.isprintable()] == []


def test_a_long_value_loses_its_middle() -> None:
    value = f"https://{'a' * 200}.example.com"
    assert shown(value) == f"https://{'a' * 39}…{'a' * 35}.example.com"
