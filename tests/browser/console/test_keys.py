"""Keys of all pages, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.console.axe import violations
from tests.browser.console.conftest import Visit
from tests.console_site import Site


@pytest.fixture
def page(live_site: Site, visit: Visit) -> Page:
    return visit(live_site, "/changes")


def test_g_and_a_letter_go(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/nodes")


def test_the_help_opens_closes_and_turns_keys_off(page: Page) -> None:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Turn off keys of a single letter").check()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Turn off keys of a single letter").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_no_key_acts_while_somebody_types(page: Page) -> None:
    field = page.get_by_role("searchbox").or_(page.locator("input[name=q]")).first
    field.focus()
    page.keyboard.type("gn?")
    expect(field).to_have_value("gn?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/changes")
