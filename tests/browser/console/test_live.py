"""Pages that stay current, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.console.conftest import Visit
from tests.console_site import Site
from tests.reported_nodes import ReportedNodes, enforcing, lagging

LABEL = "[data-live-label]"


@pytest.fixture
def page(live_site: Site, visit: Visit) -> Page:
    found = visit(live_site, "/nodes")
    expect(found.locator(LABEL)).to_contain_text("Live, updated")
    return found


def names(page: Page) -> list[str]:
    rows = page.locator("[data-live-rows=nodes] > [data-row]")
    return [row.get_attribute("data-row") or "" for row in rows.all()]


def test_rows_change_in_place_and_new_ones_wait(page: Page, nodes: ReportedNodes) -> None:
    before = names(page)
    nodes.set(enforcing("ams-1"), lagging("fra-1"), *nodes.now[1:])
    show = page.get_by_role("button", name="Show 1 new")
    expect(show).to_be_visible()
    assert names(page) == before
    expect(page.locator("[data-row=fra-1]")).to_contain_text("1 revision behind")
    expect(page.locator("#frame-foot")).to_contain_text("Enforced by 1 of 4 nodes")
    show.click()
    assert names(page) == ["ams-1", *before]
    expect(show).to_be_hidden()


def test_what_the_pointer_is_over_is_held(page: Page, nodes: ReportedNodes) -> None:
    row = page.locator("[data-row=fra-1]")
    row.hover()
    shown = row.inner_text()
    nodes.set(lagging("fra-1", None), *nodes.now[1:])
    expect(page.locator(LABEL)).to_have_text("Held while you point here")
    assert row.inner_text() == shown
    page.mouse.move(0, 0)
    expect(row).not_to_have_text(shown)
    expect(page.locator(LABEL)).to_contain_text("Live")


def test_a_lost_connection_is_named_and_found_again(page: Page) -> None:
    page.context.set_offline(True)
    page.evaluate("() => fetch('/frame').catch(() => 0)")
    page.route("**/*", lambda route: route.abort())
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(LABEL)).to_contain_text("Connection lost, data is")
    expect(page.locator(LABEL)).to_have_class("live stale")
    page.unroute("**/*")
    page.context.set_offline(False)
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.locator(LABEL)).to_contain_text("Live, updated")
    expect(page.get_by_role("button", name="Retry", exact=True)).to_be_hidden()


def test_an_ended_session_asks_to_sign_in_again(page: Page, live_site: Site) -> None:
    (session,) = live_site.sessions.all()
    live_site.sessions.end(session.id)
    expect(page.locator(LABEL)).to_contain_text("Signed out, data is")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
