"""The first page and the nodes' page in Chromium: texts within cards, current, readable without scripts."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.console.conftest import Visit
from tests.console_site import Site
from tests.reported_nodes import ReportedNodes, enforcing


def test_chart_text_stays_inside_its_card_and_nodes_tick(
    live_site: Site, visit: Visit, nodes: ReportedNodes
) -> None:
    page = visit(live_site, "/?period=24h", viewport={"width": 1280, "height": 900})
    card = page.locator(".signals").bounding_box()
    assert card is not None
    for text in page.locator(".signals svg text").all():
        box = text.bounding_box()
        assert box is not None
        assert card["x"] <= box["x"]
        assert box["x"] + box["width"] <= card["x"] + card["width"]
    nodes.set(enforcing("fra-1"))
    expect(page.get_by_text("1 of 1 enforce all of 1")).to_be_visible()
    expect(page.locator("[data-live=notes]")).to_have_text("")
    expect(page.locator("#frame-foot")).to_contain_text("Enforced by 1 node")


def test_reading_needs_no_script(live_site: Site, visit: Visit, nodes: ReportedNodes) -> None:
    assert nodes.now
    page = visit(live_site, "/", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.locator("[data-live-label]")).to_contain_text("As of")
    page.get_by_role("link", name="See nodes").click()
    expect(page.get_by_role("heading", name="Nodes", exact=True)).to_be_visible()
    expect(page.get_by_text("RE2 program size of 143")).to_be_visible()
