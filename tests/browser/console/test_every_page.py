"""Every page of the console without scripts: what it has to say is there."""

from __future__ import annotations

from playwright.sync_api import Browser
from tests.console_pages import every_page
from tests.console_site import Site
from tests.reported_nodes import ReportedNodes

from crossgate.service.permission import Role


def test_every_page_can_be_read_without_scripts(
    browser: Browser, live_site: Site, nodes: ReportedNodes
) -> None:
    assert nodes.now
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([live_site.cookie(Role.VIEWER)])  # type: ignore[list-item]
    page = context.new_page()
    missing = []
    for one in every_page(live_site):
        if one.role is Role.VIEWER:
            page.goto(live_site.url + one.url)
            text = page.locator("main").inner_text()
            missing += [f"{one.url}: {words}" for words in one.words if words not in text]
    context.close()
    assert missing == []
