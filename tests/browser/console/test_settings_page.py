"""The settings in a browser: verdicts follow typing, and nothing is lost at the save."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.console.axe import violations
from tests.browser.console.conftest import Visit
from tests.console_site import Site

from crossgate.service.permission import Role

_PATIENCE = 30_000


def test_the_effect_follows_typing_and_becomes_a_revision(live_site: Site, visit: Visit) -> None:
    page = visit(live_site, "/settings", Role.ADMIN)
    assert violations(page) == []
    page.get_by_role("switch", name="Enabled").check()
    origins = page.get_by_role("textbox", name="Allowed origins")
    origins.fill("r:https://a.example.com")
    save = page.get_by_role("region", name="Unsaved changes")
    expect(save).to_contain_text("4 API policies not enforced", timeout=_PATIENCE)
    expect(page.locator("#v-watt-server-cors-allowedOrigins")).to_contain_text("axexample.com")
    expect(save).to_contain_text("1 error to fix first")
    expect(origins).to_be_focused()
    assert violations(page) == []
    origins.fill("https://shop.example.com")
    expect(save.get_by_role("button", name="Save as revision 2")).to_be_visible(timeout=_PATIENCE)
    save.get_by_role("textbox").fill("one policy for all")
    save.get_by_role("button", name="Save as revision 2").click(timeout=_PATIENCE)
    expect(page.get_by_text("no API policy is enforced")).to_be_visible()
    assert live_site.api.admin.get("/v1/revisions/2").json()["message"] == "one policy for all"


def test_the_theme_is_chosen_without_a_script(live_site: Site, visit: Visit) -> None:
    page = visit(live_site, "/settings/appearance", Role.VIEWER, java_script_enabled=False)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
