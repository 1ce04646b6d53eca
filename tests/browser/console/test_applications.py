"""The matrix and the form of an application, in Chromium, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.console.axe import violations
from tests.browser.console.conftest import Visit
from tests.console_site import Site, running_site

from crossgate.service.permission import Role

MATRIX = "/applications?view=matrix"
WORKER = 30_000
"""Milliseconds in which the first worker of a site answers, on a machine that does much else."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A console to write."""
    with running_site(tmp_path) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cells_are_registered_by_keyboard_and_survive_a_filter(site: Site, visit: Visit, scheme: str) -> None:
    page = visit(site, MATRIX, color_scheme=scheme)
    first = page.get_by_role("button", name="kiosk, orders 2.1: not registered")
    first.focus()
    page.keyboard.press("ArrowDown")
    portal = page.get_by_role("button", name="partner-portal, orders 2.1")
    expect(portal).to_be_focused()
    page.keyboard.press("Space")
    expect(portal).to_have_attribute("aria-pressed", "true")
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar).to_contain_text("1 origin gains access to orders 2.1", timeout=WORKER)
    expect(portal).to_be_focused()
    assert violations(page) == []

    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    petstore = page.get_by_role("button", name="partner-portal, petstore 1.0")
    expect(petstore).to_be_focused()
    page.keyboard.press("Space")
    expect(bar).to_contain_text("2 unsaved changes", timeout=WORKER)
    page.keyboard.press("Escape")
    expect(bar).to_contain_text("1 unsaved change", timeout=WORKER)
    expect(petstore).to_have_attribute("aria-pressed", "true")

    page.goto(f"{site.url}{MATRIX}&q=kiosk")
    expect(bar).to_contain_text("1 unsaved change", timeout=WORKER)
    page.get_by_label("Reason, kept with the revision").fill("portal reads orders")
    page.get_by_role("button", name="Save as revision 2").click()
    page.wait_for_url("**done=2*")
    page.goto(site.url + MATRIX)
    expect(page.get_by_role("button", name="partner-portal, orders 2.1: registered")).to_be_visible()
    expect(bar).to_have_count(0)


def test_second_editor_sees_both_versions(site: Site, visit: Visit) -> None:
    page = visit(site, MATRIX)
    page.get_by_role("button", name="partner-portal, orders 2.1").click()
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar).to_contain_text("Save as revision 2", timeout=WORKER)
    path = "/v1/applications/partner-portal/apis/payments/3.0"
    assert site.api.admin.put(path, headers={"If-Match": "*"}).status_code == 200
    page.get_by_role("button", name="Save as revision 2").click()
    expect(bar).to_contain_text("test-admin saved revision 2 first", timeout=WORKER)
    expect(bar).to_contain_text("Theirs, revision 2")
    page.get_by_role("button", name="Save as revision 3").click()
    page.wait_for_url("**done=3*")
    apis = site.api.viewer.get("/v1/applications/partner-portal").json()["apis"]
    assert apis == ["petstore/1.0", "payments/3.0", "orders/2.1"]


def test_origins_are_added_one_by_one_with_their_verdict(site: Site, visit: Visit) -> None:
    page = visit(site, "/applications/partner-portal/edit")
    page.get_by_role("button", name="Add origin").click()
    added = page.get_by_label("JavaScript origin").nth(1)
    expect(added).to_be_focused()
    added.press_sequentially("https://portal2.example.org")
    expect(page.locator("#origin-list li").nth(1)).to_contain_text("Only this origin")
    page.get_by_label("Find APIs to add").press_sequentially("orders")
    page.get_by_label("orders 2.1").check()
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar).to_contain_text("2 origins gain access to orders 2.1", timeout=WORKER)
    assert violations(page) == []
    page.get_by_role("button", name="Save as revision 2").click()
    page.wait_for_url("**done=2*")
    saved = site.api.viewer.get("/v1/applications/partner-portal").json()
    assert saved["javascript_origins"] == ["https://portal.example.org", "https://portal2.example.org"]
    assert saved["apis"] == ["petstore/1.0", "orders/2.1"]


def test_matrix_is_readable_without_scripts(live_site: Site, visit: Visit) -> None:
    page = visit(live_site, MATRIX, Role.VIEWER, java_script_enabled=False)
    row = page.get_by_role("row", name="storefront")
    expect(row.get_by_text("registered", exact=True)).to_have_count(3)
    expect(page.get_by_role("button", name="storefront")).to_have_count(0)
