"""Pages that stay current, in Chromium."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.admin_api import running_admin_api
from tests.browser.console.conftest import QUICK, Visit
from tests.console_site import Site, serving
from tests.reported_nodes import ReportedNodes, enforcing, lagging

from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import SqliteDirectory, open_store

LABEL = "[data-live-label]"


@pytest.fixture
def page(live_site: Site, visit: Visit, nodes: ReportedNodes) -> Page:
    assert len(nodes.now) == 3
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
    live_site.sessions.end(live_site.sessions.all()[-1].id)
    expect(page.locator(LABEL)).to_contain_text("Signed out, data is")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_restarted_control_plane_is_found_again(tmp_path: Path, nodes: ReportedNodes, visit: Visit) -> None:
    with ExitStack() as stack:
        store = stack.enter_context(open_store(SqliteDirectory(tmp_path)))
        with serving(store, nodes=nodes, streams=QUICK) as site:
            page = visit(site, "/nodes")
            expect(page.locator(LABEL)).to_contain_text("Live, updated")
        expect(page.locator(LABEL)).to_contain_text("Connection lost, data is")
        nodes.set(lagging("fra-1"), *nodes.now[1:])
        again = running_admin_api(
            store.catalogue,
            InMemoryTokenStore(),
            sessions=site.sessions,
            telemetry=store.telemetry,
            nodes=nodes,
            streams=QUICK,
            port=int(site.url.rpartition(":")[2]),
        )
        stack.enter_context(again)
        expect(page.locator(LABEL)).to_contain_text("Live, updated")
        expect(page.locator("[data-row=fra-1]")).to_contain_text("Pending")


# A page is also read again when its stream opens. A test that needs an event waits for the stream first.
MARK_EVENTS = """
const Plain = EventSource;
window.EventSource = class extends Plain {
    constructor(url) {
        super(url);
        for (const type of ["open", "node"]) {
            this.addEventListener(type, () => { document.documentElement.dataset.heard = type; });
        }
    }
};
"""


def test_a_hidden_tab_holds_no_stream_and_goes_on_where_it_was(page: Page, nodes: ReportedNodes) -> None:
    row = page.locator("[data-row=fra-1]")
    page.add_init_script(MARK_EVENTS)
    page.reload()
    expect(page.locator("html[data-heard=open]")).to_have_count(1)
    nodes.set(lagging("fra-1"), *nodes.now[1:])
    expect(page.locator("html[data-heard=node]")).to_have_count(1)
    expect(row).to_contain_text("1 revision behind")
    with page.expect_event("requestfailed", lambda one: "/events" in one.url):
        _set_hidden(page, hidden=True)
    nodes.set(enforcing("fra-1"), *nodes.now[1:])
    with page.expect_request(lambda one: "last-event-id=" in one.url):
        _set_hidden(page, hidden=False)
    expect(row).to_contain_text("Enforced")


def _set_hidden(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
