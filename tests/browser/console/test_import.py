"""The import page, in Chromium: a chosen file is planned and applied."""

from __future__ import annotations

import re
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
    expect(page.get_by_role("heading", name=re.compile("^Plan on revision [0-9]+: 1 added"))).to_be_visible(
        timeout=60_000
    )
    assert violations(page) == []
    page.get_by_role("button", name="Apply as revision").click()
    page.wait_for_url("**/changes/*?done=*")
    assert live_site.api.viewer.get("/v1/applications/till").status_code == 200

    page.goto(f"{live_site.url}/import")
    page.get_by_label("Document", exact=True).fill("apis:\n  - name: x\n")
    page.get_by_role("button", name="Check and plan").click()
    expect(page.get_by_text("nothing would be applied")).to_be_visible(timeout=60_000)
    assert violations(page) == []


PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1.0"}
servers:
  - url: https://pets.internal/v2
paths:
  /pets:
    get: {}
"""


def test_document_of_another_kind_is_read_edited_and_applied(live_site: Site, visit: Visit) -> None:
    page = visit(live_site, "/import", viewport={"width": 390, "height": 900}, color_scheme="dark")
    chosen = {"name": "pets.yaml", "mimeType": "application/yaml", "buffer": PETS.encode()}
    page.locator("#document-file").set_input_files(chosen)  # type: ignore[arg-type]
    expect(page.get_by_text("Read pets.yaml, 122 bytes.")).to_be_visible()
    page.get_by_label("Allowed origins").fill("https://app.example.com\nhttps://*.vercel.app")
    page.get_by_role("button", name="Check and plan").click()
    expect(page.get_by_role("heading", name="OpenAPI description: 1 API, 1 warning")).to_be_visible(
        timeout=60_000
    )
    expect(page.locator(".source mark", has_text="https://pets.internal/v2")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.get_by_text("Document and options").click()
    expect(page.get_by_label("Document", exact=True)).to_have_value(PETS)
    made = page.get_by_label("Crossgate document", exact=True)
    made.fill(made.input_value().replace("app.example.com", "web.example.com"))
    page.get_by_role("button", name="Plan again").click()
    expect(page.get_by_text("Gains access")).to_be_visible(timeout=60_000)
    with page.expect_navigation(url="**/changes/*"):
        page.get_by_role("button", name="Apply as revision").click()
    served = live_site.api.viewer.get("/v1/apis/pets/1.0").json()
    assert served["cors"]["allowed_origins"] == ["https://web.example.com"]


def test_file_that_is_not_text_is_sent_as_it_is(live_site: Site, visit: Visit) -> None:
    page = visit(live_site, "/import")
    page.get_by_label("Document", exact=True).fill("apis: []")
    chosen = {"name": "export.zip", "mimeType": "application/zip", "buffer": b"PK\x05\x06\xff" + b"\0" * 17}
    page.locator("#document-file").set_input_files(chosen)  # type: ignore[arg-type]
    expect(page.get_by_text("export.zip, 22 bytes, is sent as it is.")).to_be_visible()
    expect(page.get_by_label("Document", exact=True)).to_have_value("")
    page.get_by_role("button", name="Check and plan").click()
    expect(page.get_by_text("nothing would be applied")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("export.zip, 22 bytes, is kept")).to_be_visible()
    assert violations(page) == []
