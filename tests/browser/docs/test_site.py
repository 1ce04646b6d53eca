"""The site of the documentation: whole, alike on a code host, and without a server or another origin."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect
from scripts import docs_site
from tests.source import ROOT

DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
SHOWN: Final = (
    "index.html",
    "how-to/run-behind-a-load-balancer.html",
    "reference/admin-api-operations.html",
    "reference/policy.html",
    "rules/origin-unbounded.html",
    "files/deploy/prometheus/prometheus.yml.html",
)
_COMPARED: Final = frozenset({"h1", "h2", "h3", "h4", "ul", "ol", "li", "table", "tr", "td", "pre", "img"})
_LOADING: Final = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "srcset"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once; a warning ends the build."""
    folder = tmp_path_factory.mktemp("site") / "site"
    docs_site.build_site(folder)
    return folder


class _Elements(HTMLParser):
    """Counts the elements of a page's content, and lists what its head loads."""

    def __init__(self, html: str, *, within: str | None = None) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.loaded: list[str] = []
        self._within = within
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == self._within:
            self._within = None
        if self._within is None and tag in _COMPARED:
            self.counts[tag] += 1
        if tag in _LOADING:
            self.loaded.append(dict(attrs).get(_LOADING[tag]) or "")


def _navigated(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        match entry:
            case str():
                yield entry
            case dict():
                for value in entry.values():
                    yield from _navigated(value if isinstance(value, list) else [value])
            case _:
                pytest.fail(f"{entry}: neither a page nor a section")


def test_every_page_is_in_the_navigation_once() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    counted: Counter[str] = Counter()
    for entry in _navigated(nav):
        folder = entry.removesuffix("/*")
        counted.update(
            page for page in PAGES if page.startswith(f"{folder}/")
        ) if folder != entry else counted.update([entry])
    # The index of a folder stands before the others.
    counted.subtract(page for page in PAGES if page.endswith("/index.md"))
    assert {page: counted[page] for page in PAGES if counted[page] != 1} == {}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_structure_that_a_code_host_shows(site: Path, page: str) -> None:
    on_a_host = MarkdownIt("commonmark").enable("table").render((DOCS / page).read_text(encoding="utf-8"))
    on_the_site = (site / page).with_suffix(".html").read_text(encoding="utf-8")
    assert _Elements(on_the_site, within="article").counts == _Elements(on_a_host).counts


def test_every_page_is_described_and_loads_files_of_the_site_only(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    unwanted = []
    for page in pages:
        html = page.read_text(encoding="utf-8")
        for url in _Elements(html).loaded:
            if url.startswith("data:") or page.name == "404.html":
                continue
            if not (page.parent / url.partition("?")[0]).exists():
                unwanted.append(f"{page.relative_to(site)}: {url}")
        if page.name != "404.html" and not re.search('<meta name="description" content="[^"]{5,}', html):
            unwanted.append(f"{page.relative_to(site)}: no description")
    assert unwanted == []


@pytest.mark.parametrize("link", ["missing.md", "other.md#missing", "../docs/missing.md"])
def test_a_dead_link_ends_the_build_and_is_placed(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    (docs / "assets").mkdir(parents=True)
    (docs / "index.md").write_text(f"# Start\n\nA page.\n\nA [link]({link}).\n", encoding="utf-8")
    (docs / "other.md").write_text("# Other\n\nA page.\n", encoding="utf-8")
    configuration = tmp_path / "zensical.toml"
    configuration.write_text('[project]\nsite_name = "Small"\n', encoding="utf-8")
    for name, value in (("ROOT", tmp_path), ("DOCS", docs), ("CONFIGURATION", configuration)):
        monkeypatch.setattr(docs_site, name, value)
    with pytest.raises(SystemExit, match=r"index\.md:5:\d+"):
        docs_site.build_site(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def _watched(page: Page) -> list[str]:
    """Requests to anything but files, and messages of the browser, as they come."""
    found: list[str] = []
    page.on(
        "request",
        lambda one: None if one.url.startswith(("file:", "data:", "blob:")) else found.append(one.url),
    )
    page.on("requestfailed", lambda one: found.append(f"failed: {one.url}"))
    page.on("pageerror", lambda one: found.append(f"{page.url}: {one}"))
    page.on("console", lambda one: found.append(one.text) if one.type in ("error", "warning") else None)
    return found


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_open_from_the_file_system(
    browser: Browser, site: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    unwanted = _watched(page)
    for name in SHOWN:
        page.goto((site / name).as_uri())
        expect(page.locator("h1").first).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        unwanted += [f"{name}: {wide} pixels wide"] if wide > width else []
    context.close()
    assert unwanted == []


@pytest.mark.browser
def test_search_finds_a_page_without_a_server(browser: Browser, site: Path) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    unwanted = _watched(page)
    page.goto((site / "how-to" / "limits.html").as_uri())
    page.get_by_role("button", name="Search").first.click()
    page.keyboard.type("origin-unbounded")
    page.get_by_role("option", name="origin-unbounded").first.click()
    expect(page).to_have_url(re.compile(r"/rules/.*\.html"))
    context.close()
    assert unwanted == []
