"""Takes the pictures of the console in `docs/images/console/`: `make screenshots [NAMES="refusals api"]`.

The running example is filled with traffic, by its own page in Chromium and by single requests,
and with some changes.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from examples.servers import Ports
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.ports import free_ports
from tests.running_example import STARTED, console_link, running_example, wait_for

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images" / "console"
CHROMIUM: Final = os.environ.get("CROSSGATE_CHROMIUM", "/usr/bin/chromium")
PHONE: Final = 390
_POLICY: Final = "/v1/apis/petstore/1.0/policy"
_PETS: Final = "/gateway/petstore/1.0/pets"
_LOST: Final = "https://*.example.com"
_SECONDS: Final = 60.0
_DOCUMENT: Final = r"""_format_version: "3.0"
services:
  - name: orders
    url: http://127.0.0.1:9101/v2
    routes:
      - name: orders
        paths: [/orders]
    plugins:
      - name: cors
        config:
          origins:
            - https://shop.example.com
            - https://.*example\.com
          methods: [GET, POST]
          headers: [Content-Type]
          max_age: 600
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what is opened, and what is done before it is taken."""

    name: str
    path: str
    prepare: Callable[[Page], None] = lambda _: None
    width: int = 1280
    height: int = 900
    dark: bool = False


def pictures(groups: Mapping[str, str], head: int) -> tuple[Picture, ...]:
    """All pictures; ``groups`` are the ids of refusals by origin, ``head`` is the newest revision."""
    refused = groups["https://shop.example.com"]
    return (
        Picture("overview", "/"),
        Picture("overview-dark", "/", dark=True),
        Picture("refusals", f"/refusals/{refused}"),
        Picture("refusals-phone", "/refusals", width=PHONE),
        Picture("allow", f"/refusals/{refused}/allow"),
        Picture(
            "allow-unsafe", f"/refusals/{refused}/allow", _type_pattern("regex", r"https://.*example\.com")
        ),
        Picture("allow-proven", f"/refusals/{refused}/allow", _type_pattern("wildcard", _LOST)),
        Picture("api", "/apis/petstore/1.0", _edit_policy),
        Picture("api-phone", "/apis/petstore/1.0", width=PHONE),
        Picture("apis", "/apis"),
        Picture("applications", "/applications?view=matrix"),
        Picture(
            "simulator",
            f"/simulator?api=petstore/1.0&origin=http://test2.com&method=DELETE&path={_PETS}/1",
        ),
        Picture("prove", r"/prove?kind=regex&value=https://.*example\.com&credentials=on"),
        Picture("import", "/import", _plan_document),
        Picture("changes", f"/changes/{head}?rollback={head - 1}"),
        Picture("nodes", "/nodes"),
        Picture("settings", "/settings"),
    )


def _type_pattern(kind: str, value: str) -> Callable[[Page], None]:
    def type_pattern(page: Page) -> None:
        page.get_by_label("A pattern").check()
        page.get_by_label("Kind", exact=True).select_option(kind)
        with page.expect_response(lambda response: "part=typed" in response.url):
            page.get_by_label("Pattern", exact=True).fill(value)
        words = "Unsafe" if kind == "regex" else "Only example.com"
        expect(page.locator("#pattern-verdict")).to_contain_text(words)

    return type_pattern


def _edit_policy(page: Page) -> None:
    page.get_by_label("New origin", exact=True).fill("https://shop.example.com")
    page.keyboard.press("Enter")
    page.get_by_label("PATCH", exact=True).check()
    expect(page.locator("#save-state")).to_contain_text("2 unsaved changes")


def _plan_document(page: Page) -> None:
    page.get_by_label("Document", exact=True).fill(_DOCUMENT)
    page.get_by_role("button", name="Check and plan").click()
    expect(page.locator("#plan-heading")).to_be_visible()


def take(browser: Browser, link: str, pages: Sequence[Picture]) -> None:
    """Sign in by the link, and write each picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    root = link.partition("/sign-in")[0]
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{root}/sign-in")
    _write(page, "sign-in")
    page = context.new_page()
    page.goto(link)
    page.wait_for_url(f"{root}/")
    state = context.storage_state()
    for one in pages:
        context = browser.new_context(
            viewport={"width": one.width, "height": one.height},
            color_scheme="dark" if one.dark else "light",
            storage_state=state,
        )
        page = context.new_page()
        page.goto(root + one.path)
        one.prepare(page)
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        _write(page, one.name)
        context.close()


def _write(page: Page, name: str) -> None:
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file, animations="disabled", caret="hide")
    print(f"{file.relative_to(IMAGES.parents[2])}  {file.stat().st_size / 1024:.0f} KB")


def fill(browser: Browser, ports: Ports, token: str) -> tuple[dict[str, str], int]:
    """Send traffic and make changes; returns the ids of refusals by origin, and the newest revision."""
    with httpx.Client(
        base_url=f"http://localhost:{ports.admin}",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ) as api:
        made = api.post("/v1/tokens", json={"name": "web-team", "role": "editor"}).raise_for_status().json()
        team = {"Authorization": f"Bearer {made['secret']}"}
        _send(ports, "https://shop.example.com", "GET", 12)
        _change(api, team, "Drop the old wildcard", lambda origins: [one for one in origins if one != _LOST])
        _send(ports, "https://shop.example.com", "GET", 31)
        _send(ports, "https://shop.example.com", "OPTIONS", 4, {"Access-Control-Request-Method": "PUT"})
        _send(ports, "http://test.com", "GET", 17)
        _send(ports, "https://test2.com", "GET", 9)
        _send(ports, "https://shop-example.com", "GET", 3)
        _send(ports, "null", "GET", 2)
        _send(ports, "http://test2.com", "GET", 40)
        _send(ports, "http://test2.com", "OPTIONS", 6, {"Access-Control-Request-Method": "DELETE"})
        headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-trace"}
        _send(ports, "http://test2.com", "OPTIONS", 5, headers)
        for role in ("page", "storefront", "stranger"):
            _send_all(browser, ports.url(role))
        _change(
            api,
            team,
            "Allow the pages of the handbook",
            lambda origins: [*origins, "https://docs.example.net"],
        )
        return _groups(api), int(api.get("/v1/revisions").raise_for_status().json()["items"][0]["number"])


def _send(
    ports: Ports, origin: str, method: str, count: int, headers: Mapping[str, str] | None = None
) -> None:
    with httpx.Client(base_url=ports.url("gateway"), trust_env=False) as client:
        for _ in range(count):
            client.request(method, _PETS, headers={"Origin": origin, **(headers or {})})


def _send_all(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    page.get_by_role("button", name="Send all").click()
    expect(page.locator("#run-all")).to_be_enabled(timeout=_SECONDS * 1000)
    page.close()


def _change(
    api: httpx.Client, headers: Mapping[str, str], message: str, edit: Callable[[list[Any]], list[Any]]
) -> None:
    read = api.get(_POLICY).raise_for_status()
    policy = read.json()
    body = {**policy, "allowed_origins": edit(policy["allowed_origins"])}
    condition = {"If-Match": read.headers["ETag"], **headers}
    api.put(_POLICY, params={"message": message}, json=body, headers=condition).raise_for_status()
    time.sleep(1)  # the node enforces it


def _groups(api: httpx.Client) -> dict[str, str]:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        items = api.get("/v1/refusals", params={"filter": "reason:origin"}).raise_for_status().json()["items"]
        found = {one["origin"]: one["id"] for one in items if one["method"] == "GET"}
        if {"https://shop.example.com", "http://test.com", "null"} <= found.keys():
            time.sleep(5)  # the counts of the last requests
            return found
        time.sleep(0.5)
    raise TimeoutError("the refusals were not listed")


@contextmanager
def example() -> Iterator[tuple[Ports, str, str]]:
    """The running example: its ports, the console's link and the first token."""
    ports = Ports(*(one if _is_free(one) else free_ports(1)[0] for one in astuple(Ports())))
    with tempfile.TemporaryDirectory() as folder, running_example(Path(folder), ports) as (process, log):
        link = console_link(wait_for(process, log, STARTED))
        yield ports, link, Path(folder, "data", "first-token").read_text(encoding="utf-8").strip()


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) != 0


def main(names: Sequence[str]) -> None:
    """Take the named pictures, or all."""
    with example() as (ports, link, token), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found = pictures(*fill(browser, ports, token))
        take(browser, link, [one for one in found if not names or one.name in names])
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
