"""Every page of the console: accessible, quiet, whole on a phone, and readable without scripts."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.console.axe import violations
from tests.console_pages import Shown, every_page
from tests.console_site import Site
from tests.reported_nodes import ReportedNodes

from crossgate.service.permission import Role

_NARROWEST = 320
_VIOLATION = (
    "window.violations = [];"
    "addEventListener('securitypolicyviolation', "
    "e => violations.push(`${e.violatedDirective} ${e.blockedURI}`))"
)


@pytest.fixture
def shown(live_site: Site, nodes: ReportedNodes) -> list[Shown]:
    """Nodes of all states are connected."""
    assert nodes.now
    return every_page(live_site)


def watched(page: Page, site: Site) -> list[str]:
    """What no page may do, as it happens: other origins, messages of the browser, failed requests."""
    found: list[str] = []
    host = urlsplit(site.url).netloc
    page.on("request", lambda one: None if urlsplit(one.url).netloc == host else found.append(one.url))
    page.on("response", lambda one: found.append(f"{one.status} {one.url}") if one.status >= 500 else None)
    page.on("pageerror", lambda one: found.append(f"{page.url}: {one}"))
    page.on(
        "console",
        lambda one: found.append(f"{page.url}: {one.text}") if one.type in ("error", "warning") else None,
    )
    return found


@pytest.mark.parametrize(
    ("scheme", "width", "lowest"),
    [("light", 1280, Role.ADMIN), ("dark", 390, Role.VIEWER)],
    ids=["desktop, light, as admin", "phone, dark, as the lowest role"],
)
def test_every_page_is_accessible_and_quiet(
    browser: Browser,
    live_site: Site,
    shown: list[Shown],
    scheme: Literal["light", "dark"],
    width: int,
    lowest: Role,
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    context.add_init_script(_VIOLATION)
    cookies = {role: live_site.cookie(role) for role in Role}
    page = context.new_page()
    unwanted = watched(page, live_site)
    for one in shown:
        role = lowest if lowest.includes(one.role) else one.role
        context.add_cookies([cookies[role]])  # type: ignore[list-item]
        page.goto(live_site.url + one.url)
        expect(page.locator("h1").first).to_be_attached()
        unwanted += [f"{one.url}: {found}" for found in violations(page)]
        unwanted += [f"{one.url}: {found}" for found in page.evaluate("window.violations")]
        if width < 1000:
            page.set_viewport_size({"width": _NARROWEST, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            unwanted += [f"{one.url}: {wide} pixels wide"] if wide > _NARROWEST else []
            page.set_viewport_size({"width": width, "height": 900})
    context.close()
    assert unwanted == []


def test_every_page_can_be_read_without_scripts(
    browser: Browser, live_site: Site, shown: list[Shown]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([live_site.cookie(Role.VIEWER)])  # type: ignore[list-item]
    page = context.new_page()
    missing = []
    for one in shown:
        if one.role is Role.VIEWER:
            page.goto(live_site.url + one.url)
            text = page.locator("main").inner_text()
            missing += [f"{one.url}: {words}" for words in one.words if words not in text]
    context.close()
    assert missing == []


def test_reload_back_and_forward_keep_the_state_of_a_page(
    browser: Browser, live_site: Site, shown: list[Shown]
) -> None:
    context = browser.new_context()
    context.add_cookies([live_site.cookie(Role.VIEWER)])  # type: ignore[list-item]
    page = context.new_page()
    walk = [one for one in shown if "?" in one.url]

    def expect_page(one: Shown) -> None:
        expect(page).to_have_url(live_site.url + one.url)
        expect(page.locator("main")).to_contain_text(one.words[-1])

    for one in walk:
        page.goto(live_site.url + one.url)
    for one in reversed(walk[:-1]):
        page.go_back()
        expect_page(one)
    page.reload()
    expect_page(walk[0])
    page.go_forward()
    expect_page(walk[1])
    context.close()
