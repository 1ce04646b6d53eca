"""The policy editor in Chromium: verdicts that follow typing, rows, tokens, and drafts that are not lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect
from tests.browser.console.axe import violations
from tests.browser.console.conftest import Visit
from tests.console_site import Site, running_site

PETS = "/apis/petstore/1.0"
POLICY = "/v1/apis/petstore/1.0/policy"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


@pytest.fixture
def page(site: Site, visit: Visit) -> Page:
    return visit(site, PETS)


def test_a_verdict_follows_typing_and_a_reload_keeps_the_draft(page: Page) -> None:
    entry = page.get_by_label("Origin 4", exact=True)
    entry.fill(r"https://.*example\.com")
    expect(page.locator("#v-row-3")).to_contain_text("Unsafe: evilexample.com passes")
    expect(page.locator("#save-state")).to_contain_text("1 unsaved change")
    save = page.locator("#save-button button")
    expect(save).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#why-not")).to_contain_text("to fix first")
    entry.press("Tab")
    questions: list[str] = []

    def accept(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    assert questions == ["beforeunload"]
    expect(page.get_by_text("Your unsaved changes were kept")).to_be_visible()
    expect(page.get_by_label("Origin 4", exact=True)).to_have_value(r"https://.*example\.com")
    assert violations(page) == []
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_label("Origin 4", exact=True)).to_have_value(r"https://pr-[0-9]+\.example\.com")
    expect(page.locator("#save")).to_be_hidden()


def test_rows_and_tokens_by_the_keyboard_and_then_saved(site: Site, page: Page) -> None:
    page.get_by_role("button", name="Remove http://kiosk.example.com").click()
    expect(page.get_by_role("button", name="Keep http://kiosk.example.com")).to_be_visible()
    page.get_by_label("New origin", exact=True).fill("https://a.example.net")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Origin 6", exact=True)).to_have_value("https://a.example.net")
    expect(page.get_by_label("New origin", exact=True)).to_be_focused()
    header = page.get_by_label("Add a request header")
    header.press_sequentially("X-One,")
    expect(page.get_by_role("button", name="Remove X-One")).to_be_visible()
    expect(header).to_be_focused()
    header.press("Backspace")
    expect(page.get_by_role("button", name="Remove X-One")).to_have_count(0)
    page.get_by_role("button", name="Allow PATCH").click()
    expect(page.get_by_label("PATCH", exact=True)).to_be_checked()
    page.get_by_text("Show difference").click()
    expect(page.locator("#save-details")).to_contain_text("https://a.example.net")
    page.get_by_placeholder("Reason, kept with the revision").fill("For the new page")
    page.get_by_role("button", name="Save as revision 2").click()
    expect(page.locator("[data-toast]")).to_contain_text("revision 2")
    policy = site.api.viewer.get(POLICY).json()
    assert policy["allowed_origins"][-1] == "https://a.example.net"
    assert "PATCH" in policy["allowed_methods"]
    drafts = page.evaluate("Object.keys(sessionStorage).filter(key => /^(draft|saving) /.test(key))")
    assert drafts == [], "a saved draft does not come back"
    expect(page.locator("#save")).to_be_hidden()


def test_somebody_else_saves_first(site: Site, page: Page) -> None:
    page.get_by_label("Max age").fill("600")
    expect(page.locator("#v-max_age")).to_contain_text("was 86,400")
    read = site.api.viewer.get(POLICY)
    theirs = {**read.json(), "max_age": 7200}
    etag = {"If-Match": read.headers["ETag"]}
    assert site.api.admin.put(POLICY, json=theirs, headers=etag).status_code == 200
    page.get_by_role("button", name="Save as revision 2").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "test-admin saved revision 2 first, and changed max age"
    )
    page.get_by_role("button", name="Keep 7200").click()
    expect(page.get_by_role("region", name="Conflict: max age")).to_have_count(0)
    expect(page.get_by_label("Max age")).to_have_value("7200")
