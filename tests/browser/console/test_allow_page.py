"""The page on which a refusal is allowed, in Chromium."""

from __future__ import annotations

import pytest
from tests.browser.console.conftest import Visit
from tests.console_site import Site


@pytest.mark.parametrize("height", [700, 813])
def test_the_bar_of_buttons_does_not_hide_the_field_that_has_the_focus(
    live_site: Site, visit: Visit, height: int
) -> None:
    """WCAG 2.2, success criterion 2.4.11: https://www.w3.org/TR/WCAG22/#focus-not-obscured-minimum."""
    group = live_site.api.viewer.get("/v1/refusals", params={"sort": "clients"}).json()["items"][0]["id"]
    page = visit(live_site, f"/refusals/{group}/allow", viewport={"width": 1280, "height": height})
    page.evaluate("scrollTo(0, 0)")
    field = page.locator("#message")
    field.focus()
    bar = page.locator("#allow-foot").bounding_box()
    box = field.bounding_box()
    assert bar is not None
    assert box is not None
    assert box["y"] + box["height"] <= bar["y"]
