"""The example's page, on each of its origins, in Chromium: every card goes as it says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Example

pytestmark = [pytest.mark.browser, pytest.mark.live]

CARDS = 18


def send_all(page: Page) -> None:
    page.get_by_role("button", name="Send all").click()
    expect(page.locator("#run-all")).to_be_enabled(timeout=30_000)


@pytest.mark.parametrize("role", ["page", "storefront", "stranger"])
def test_every_card_goes_as_expected(page: Page, example: Example, role: str) -> None:
    page.goto(example.ports.url(role))
    send_all(page)
    assert page.locator(".verdict.bad").all_inner_texts() == []
    assert page.locator("article[data-verdict=expected]").count() == CARDS
    expect(page.locator("#summary")).to_have_text(f"All {CARDS} went as expected.")


def test_nothing_the_stranger_asks_of_the_pet_store_arrives(page: Page, example: Example) -> None:
    example.natives["pets"].log.clear()
    page.goto(example.ports.url("stranger"))
    send_all(page)
    assert example.natives["pets"].log.seen() == ()


def test_a_preflight_never_arrives(page: Page, example: Example) -> None:
    example.natives["pets"].log.clear()
    page.goto(example.ports.url("page"))
    for card in ("preflighted-put", "refused-method", "refused-header"):
        page.locator(f"#{card} button").click()
        expect(page.locator(f"#{card}")).to_have_attribute("data-verdict", "expected")
    assert {request.method for request in example.natives["pets"].log.seen()} == {"PUT"}


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_its_window(page: Page, example: Example, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(example.ports.url("page"))
    send_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
