"""The simulator and its flow charts in Chromium: texts within their boxes, and the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.console_site import Site, running_site

from crossgate.service.permission import Role

_OUTSIDE = """() => [...document.querySelectorAll('svg.flow g')].flatMap(group => {
  const box = group.querySelector('rect').getBBox();
  return [...group.querySelectorAll('text')].filter(text => {
    const one = text.getBBox();
    return one.x < box.x || one.x + one.width > box.x + box.width;
  }).map(text => text.textContent);
})"""
_OVERLAPPING = """() => [...document.querySelectorAll('svg.flow g')].filter(group => {
  const value = group.querySelector('.value'), rule = group.querySelector('.rule');
  if (!value || !rule) return false;
  return value.getBBox().x + value.getBBox().width > rule.getBBox().x;
}).length"""
REFUSED = "/simulator?api=petstore/1.0&origin=https://app.example.com&method=PATCH&path=/pets/81"
LONG = (
    f"/simulator?api=petstore/1.0&origin=https://{'w' * 300}.example&method=PUT&request_headers=x-{'m' * 200}"
)


@pytest.fixture(scope="module")
def simulator(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Browser]]:
    directory: Path = tmp_path_factory.mktemp("simulator")
    with running_site(directory) as site:
        yield site, browser


def opened(simulator: tuple[Site, Browser], path: str, scheme: str = "light", width: int = 1280) -> Page:
    site, browser = simulator
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 900}
    )
    cookie = site.cookie(Role.EDITOR)
    context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": cookie["url"]}])
    page = context.new_page()
    page.add_init_script(
        "window.refused = []; addEventListener('securitypolicyviolation', e => refused.push(e.blockedURI))"
    )
    page.goto(f"{site.url}{path}")
    return page


@pytest.mark.parametrize("path", [REFUSED, LONG, "/simulator"], ids=["refused", "long", "empty"])
def test_texts_stay_in_their_boxes_in_dejavu(simulator: tuple[Site, Browser], path: str) -> None:
    page = opened(simulator, path)
    page.evaluate("""() => { const sheet = new CSSStyleSheet();
      sheet.replaceSync(':root { --sans: "DejaVu Sans"; --mono: "DejaVu Sans Mono"; }');
      document.adoptedStyleSheets = [sheet]; }""")
    assert page.locator("svg.flow").count() >= 1
    assert page.evaluate(_OUTSIDE) == []
    assert page.evaluate(_OVERLAPPING) == 0
    assert page.evaluate("window.refused") == []
    page.context.close()


def test_the_list_is_shown_without_a_script_of_its_own(simulator: tuple[Site, Browser]) -> None:
    page = opened(simulator, REFUSED)
    assert page.locator("svg.flow").is_visible()
    page.get_by_text("List", exact=True).click()
    assert not page.locator("svg.flow").is_visible()
    assert page.locator(".steps li").nth(3).bounding_box() is not None
    page.context.close()


def test_a_phone_has_the_list_and_no_sideways_scroll(simulator: tuple[Site, Browser]) -> None:
    for path in (REFUSED, LONG):
        page = opened(simulator, path, width=320)
        assert not page.locator("svg.flow").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        page.context.close()


def test_a_pasted_command_is_explained_by_one_click(simulator: tuple[Site, Browser]) -> None:
    page = opened(simulator, "/simulator")
    page.locator("#paste").fill(
        "curl 'https://api.example.com/gateway/petstore/1.0/pets' -X DELETE "
        "-H 'Origin: https://app.example.com' -H 'Authorization: Bearer SECRET'"
    )
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("405 Method Not Allowed at step 4 of 6").wait_for()
    assert "SECRET" not in page.url
    assert "SECRET" not in page.content()
    page.context.close()
