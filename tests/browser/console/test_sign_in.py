"""Signing in, and a session that ends in the middle of an edit, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.console.axe import violations
from tests.console_site import Site

COOKIE = "crossgate-session"


@pytest.fixture
def fresh(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def test_a_link_signs_in_and_leaves_the_address(live_site: Site, fresh: BrowserContext) -> None:
    secret, _ = live_site.sessions.create_link()
    page, urls = fresh.new_page(), list[str]()
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{live_site.url}/sign-in?next=/nodes#once={secret}")
    expect(page).to_have_url(f"{live_site.url}/nodes")
    expect(page.locator("#frame-foot")).to_contain_text("console link")
    assert not any(secret in url for url in urls)
    (cookie,) = [one for one in fresh.cookies() if one.get("name") == COOKIE]
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("domain")) == (
        True,
        "Strict",
        "localhost",
    )
    assert secret not in page.content()
    page.go_back()
    assert secret not in page.url
    page.goto(f"{live_site.url}/sign-in#once={secret}")
    page.get_by_role("button", name="Sign in with the link").click()
    expect(page.get_by_role("alert")).to_contain_text("This link does not sign in")


def test_a_link_pasted_over_the_open_sign_in_page_signs_in(live_site: Site, fresh: BrowserContext) -> None:
    secret, _ = live_site.sessions.create_link()
    page = fresh.new_page()
    page.goto(f"{live_site.url}/sign-in")
    page.evaluate("window.before = true")
    page.goto(f"{live_site.url}/sign-in#once={secret}")  # only the fragment differs: nothing is loaded
    page.wait_for_function("!window.before")
    page.wait_for_load_state()
    if page.url.partition("?")[0].endswith("/sign-in"):
        page.get_by_role("button", name="Sign in with the link").click()
    expect(page).to_have_url(f"{live_site.url}/")
    assert secret not in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(live_site: Site, browser: Browser, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{live_site.url}/sign-in")
    assert violations(page) == []
    page.get_by_label("Access token").fill("cgt_wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Access token")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Access token")).to_be_focused()
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


def test_an_ended_session_keeps_the_page_and_goes_on(live_site: Site, fresh: BrowserContext) -> None:
    secret, _ = live_site.sessions.create_link()
    page = fresh.new_page()
    page.goto(f"{live_site.url}/sign-in?next=/settings#once={secret}")
    field = page.locator('[name="watt.server.cors.allowedOrigins"]')
    field.fill("https://typed.example")
    live_site.sessions.end_all()
    page.locator("main form").evaluate("form => form.requestSubmit()")
    panel = page.get_by_role("alertdialog")
    expect(panel).to_contain_text("Your session has ended")
    expect(panel.get_by_role("link", name="Sign in")).to_be_focused()
    expect(field).to_have_value("https://typed.example")
    assert violations(page) == []
    with fresh.expect_page() as opened:
        panel.get_by_role("link", name="Sign in").click()
    token, _ = live_site.api.tokens.create("ann", live_site.api.tokens.all()[-1].role)
    other: Page = opened.value
    other.get_by_label("Access token").fill(token)
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("heading")).to_have_text("Signed in as ann")
    other.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(panel).to_contain_text("Signed in as ann")
    panel.get_by_role("button", name="Continue").click()
    expect(panel).to_be_hidden()
    expect(field).to_have_value("https://typed.example")
    with page.expect_response(lambda one: one.request.method == "POST") as sent:
        page.locator("main form").evaluate("form => form.requestSubmit()")
    assert sent.value.status not in (401, 403)
