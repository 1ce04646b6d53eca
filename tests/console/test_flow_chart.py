"""The flow chart: what is taken, where it stops, and that every text is in its box."""

from __future__ import annotations

from typing import Any

import pytest
from tests.console_site import Site

from crossgate.console.flow_chart import FlowChart, draw_flow, fit, listed_steps
from crossgate.console.render import environment

REFUSED = {
    "api": "petstore/1.0",
    "method": "OPTIONS",
    "origin": "https://app.example.com",
    "request_method": "PATCH",
    "request_headers": "content-type",
}


def explained(site: Site, **changed: Any) -> dict[str, Any]:
    answer = site.api.admin.post("/v1/explain", json={**REFUSED, **changed})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def chart(site: Site, *, compact: bool = False, **changed: Any) -> FlowChart:
    return draw_flow(
        explained(site, **changed)["flow"], "OPTIONS /gateway/petstore/1.0/pets", compact=compact
    )


def rendered(drawn: FlowChart) -> str:
    macros: Any = environment().get_template("parts/flow.html").module
    return str(macros.flow_box(drawn))


def test_the_path_is_taken_up_to_the_step_that_fails(site: Site) -> None:
    drawn = chart(site)
    assert [box.kind for box in drawn.boxes if not box.answer] == [
        *["n-pass"] * 3,
        "n-fail",
        "n-skip",
        "n-skip",
    ]
    assert [box.kind for box in drawn.boxes if box.answer] == [*["n-skip"] * 3, "n-fail", "n-skip"]
    assert [arrow.kind for arrow in drawn.arrows if arrow.x == arrow.to_x] == [*["taken"] * 4, "", ""]
    assert drawn.label == "Preflight: stops at step 4 of 6. The steps follow as a list."


def test_the_compact_chart_is_tall_where_it_fails(site: Site) -> None:
    drawn = chart(site, compact=True)
    assert [box.height for box in drawn.boxes if not box.answer] == [32, 32, 32, 48, 32, 32]
    assert [box.title for box in drawn.boxes if box.answer] == ["405"]


def test_rules_are_linked_to_the_policy(site: Site) -> None:
    rules = [step.rule for step in listed_steps(explained(site)["flow"])]
    assert [rule and (rule.text, rule.url) for rule in rules] == [
        None,
        ("allowed_origins[0]", "/apis/petstore/1.0#allowed-origins"),
        None,
        ("allowed_methods", "/apis/petstore/1.0#allowed-methods"),
        ("allow_headers", "/apis/petstore/1.0#allow-headers"),
    ]


def test_an_origin_of_an_application_is_linked_to_it(site: Site) -> None:
    flow = explained(site, origin="https://m.example.net")["flow"]
    assert flow["steps"][1]["rule"]["kind"] == "application"
    assert flow["steps"][1]["rule"]["key"] == "storefront"


@pytest.mark.parametrize(
    ("changed", "ends"),
    [
        ({"request_method": "PUT"}, "n-ok"),
        ({"api": "reports/1.0"}, "n-watch"),
        ({"api": "parcels/1.0"}, "n-left"),
        ({"method": "GET", "origin": "", "request_method": ""}, "n-left"),
        ({"method": "GET", "request_method": ""}, "n-ok"),
    ],
)
def test_other_ends(site: Site, changed: dict[str, Any], ends: str) -> None:
    assert ends in [box.kind for box in chart(site, **changed).boxes]


def test_both_flows_can_be_drawn_before_any_request(site: Site) -> None:
    flows = site.api.viewer.get("/v1/explain").json()
    for name, count in (("preflight", 6), ("request", 3)):
        drawn = draw_flow(flows[name], "")
        assert {box.kind for box in drawn.boxes} == {"n-skip"}
        assert {arrow.kind for arrow in drawn.arrows} == {""}
        assert len([box for box in drawn.boxes if not box.answer]) == count


@pytest.mark.parametrize("value", ["x" * 8192, "\u202e<b>\t\ufdfd" * 99, "https://a.example", ""])
def test_a_text_is_no_wider_than_its_box(value: str) -> None:
    fitted = fit(value, 300, 12)
    assert len(fitted) * 12 * 0.6025 <= 300
    assert fitted.replace("…", "").isascii()


def test_hostile_values_stay_text(site: Site) -> None:
    drawn = chart(site, origin="https://\u202e<img src=x onerror=alert(1)>\x00")
    page = rendered(drawn)
    assert "<img" not in page
    assert "\u202e" not in page


def test_it_is_drawn_as_svg_and_as_a_list(site: Site) -> None:
    page = rendered(chart(site))
    assert page.count("<li") == 5
    assert 'role="group"' in page
    assert "answered <b>405 Method Not Allowed</b>" in page
    assert " style=" not in page
