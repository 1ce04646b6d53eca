"""The console in Chromium: signed in, with nodes that a test sets, watched for violations of its policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.console_site import Site, running_site
from tests.reported_nodes import ReportedNodes, enforcing, lagging, rejecting

from crossgate.admin.event_streams import StreamLimits
from crossgate.service.permission import Role

QUICK = StreamLimits(heartbeat=0.5, interval=0.05, poll=0.2, retry_ms=200, share=0.9)
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def reported() -> ReportedNodes:
    """The nodes of a module's console."""
    return ReportedNodes()


@pytest.fixture
def nodes(reported: ReportedNodes) -> ReportedNodes:
    """One node that enforces, one that rejected an API, and one that lags."""
    reported.set(enforcing("fra-1"), rejecting("fra-2"), lagging("sin-1"))
    return reported


@pytest.fixture(scope="module")
def live_site(tmp_path_factory: pytest.TempPathFactory, reported: ReportedNodes) -> Iterator[Site]:
    """A console whose events come at once, for a module's tests that write nothing."""
    with running_site(tmp_path_factory.mktemp("console"), nodes=reported, streams=QUICK) as running:
        yield running


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a page of a site, signed in. At the end, no page may have violated its own policy."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(site: Site, path: str, role: Role = Role.EDITOR, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies([site.cookie(role)])  # type: ignore[list-item]
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda one: problems.append(one.text) if "Content Security Policy" in one.text else None,
        )
        page.goto(site.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
