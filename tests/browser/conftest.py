"""Chromium, and the example as a whole: natives, the page on three origins, and the gateway before them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from examples.natives.http_message import Response
from examples.natives.service import Service
from examples.servers import Ports, start_native_services, start_pages
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.command import CommandProcess, running_gateway
from tests.ports import free_ports, refusing_port
from tests.prerequisites import chromium

REFERENCE_HOSTS = ("test.com", "test1.com", "test2.com")
EMPTY_PAGE = Response(200, (("Content-Type", "text/html"),), b"<!doctype html><title>empty</title>")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers, where the sandbox cannot
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Example:
    """The running example."""

    ports: Ports
    natives: Mapping[str, Service]
    gateway: CommandProcess


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; each has a context, and so a cookie jar and a cache, of its own.

    Not for the whole session: while Playwright is open its event loop runs in this thread, and tests of
    other folders want one of their own.
    The hosts of the reference page are an empty page here: their origins, default port and all, are real.
    """
    binary = chromium()
    with Service("empty page", lambda _: EMPTY_PAGE) as page_host, sync_playwright() as playwright:
        rules = ", ".join(f"MAP {host}:80 127.0.0.1:{page_host.port}" for host in REFERENCE_HOSTS)
        flags = [*_FLAGS, f"--host-resolver-rules={rules}"]
        started = playwright.chromium.launch(executable_path=binary, args=flags)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    fresh = browser.new_context()
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example on free ports, for the whole session."""
    names = ("gateway", "page", "pets", "stock", "catalog", "parcels", "storefront", "stranger")
    with ExitStack() as stack:
        numbers = dict(zip(names, free_ports(len(names)), strict=True))
        ports = Ports(**numbers, unreachable=stack.enter_context(refusing_port()))
        natives = start_native_services(stack, ports)
        start_pages(stack, ports)
        file = tmp_path_factory.mktemp("example") / "gateway.yaml"
        file.write_text(ports.configuration(), encoding="utf-8")
        gateway = stack.enter_context(running_gateway(file))
        yield Example(ports, natives, gateway)
