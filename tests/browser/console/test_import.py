"""The import page, in Chromium: a chosen file is planned and applied."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from tests.browser.console.axe import violations
from tests.browser.console.conftest import Visit
from tests.console_site import Site

TILL = "applications:\n  - name: till\n    javascript_origins: [https://till.example.com]\n"


def test_chosen_file_is_planned_and_applied(live_site: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit(live_site, "/import")
    large = tmp_path / "big.yaml"
    with large.open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    page.locator("#document-file").set_input_files(large)
    expect(page.get_by_text("big.yaml is larger than 16 MiB")).to_be_visible()
    expect(page.get_by_label("Document", exact=True)).to_have_value("")

    chosen = {"name": "till.yaml", "mimeType": "application/yaml", "buffer": TILL.encode()}
    page.locator("#document-file").set_input_files(chosen)  # type: ignore[arg-type]
    expect(page.get_by_label("Document", exact=True)).to_have_value(TILL)
    expect(page.get_by_text("Read till.yaml, 80 bytes.")).to_be_visible()
    page.get_by_role("button", name="Check and plan").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Plan on revision 1: 1 added")).to_be_visible(timeout=60_000)
    assert violations(page) == []
    page.get_by_role("button", name="Apply as revision 2").click()
    page.wait_for_url("**/changes/2?done=2*")
    assert live_site.api.viewer.get("/v1/applications/till").status_code == 200

    page.goto(f"{live_site.url}/import")
    page.get_by_label("Document", exact=True).fill("apis:\n  - name: x\n")
    page.get_by_role("button", name="Check and plan").click()
    expect(page.get_by_text("nothing would be applied")).to_be_visible(timeout=60_000)
    assert violations(page) == []
