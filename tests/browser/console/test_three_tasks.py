"""Three tasks on the running example, with the clicks that the how-to names; and one without a mouse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import httpx
import pytest
from examples.servers import Ports
from playwright.sync_api import Browser, Locator, Page, expect
from tests.ports import free_ports
from tests.running_example import STARTED, console_link, running_example, wait_for
from tests.source import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.live]

HOW_TO = ROOT / "docs" / "how-to" / "from-a-refused-page-to-an-allowed-origin.md"
PAGE, PLAIN_PAGE = "https://shop.example.net", "http://test.com"
KEYBOARD_PAGE = "https://keyboard.example.net"
PETS = "/gateway/petstore/1.0/pets"
_MS = 30_000


@dataclass(frozen=True, slots=True)
class Started:
    """The example's ports, the link that it printed, and the token that it wrote."""

    ports: Ports
    link: str
    token: str


class Person:
    """Somebody with a mouse, who counts the clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, target: Locator) -> None:
        """Click what can be seen."""
        target.click(timeout=_MS)
        self.clicks += 1


def preflight(ports: Ports, origin: str) -> int:
    """The status of the preflight for a GET."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    return httpx.options(ports.url("gateway") + PETS, headers=headers, trust_env=False).status_code


def expect_preflight(person: Person, ports: Ports, origin: str, status: int) -> None:
    """Wait until the gateway answers so: a saved change is enforced some milliseconds later."""
    for _ in range(200):
        if preflight(ports, origin) == status:
            return
        person.page.wait_for_timeout(50)
    assert preflight(ports, origin) == status


def documented(task: str) -> int:
    """The number of clicks that the how-to says a task takes."""
    found = re.search(rf"^\| {task} \| (\d+) \|", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, task
    return int(found[1])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The running example."""
    ports, folder = Ports(*free_ports(len(astuple(Ports())))), tmp_path_factory.mktemp("example")
    with running_example(folder, ports) as (process, log):
        link = console_link(wait_for(process, log, STARTED))
        yield Started(ports, link, (folder / "data" / "first-token").read_text(encoding="utf-8").strip())


def test_three_tasks_by_the_mouse(browser: Browser, started: Started) -> None:
    ports, link = started.ports, started.link
    assert preflight(ports, PAGE) == preflight(ports, PLAIN_PAGE) == 403
    person = Person(browser.new_context().new_page())
    page = person.page
    page.goto(link)

    # Counted after some seconds; the open page shows it.
    person.click(page.locator("li[data-row] a", has_text=PAGE))
    person.click(page.get_by_role("link", name="Allow…"))
    expect(page.locator("#allow-result")).to_contain_text("would pass")
    person.click(page.get_by_role("button", name="Allow origin"))
    allowed = _made(page)
    expect_preflight(person, ports, PAGE, 200)
    assert person.clicks == documented("allow a refused origin, from the link") <= 4

    person.clicks = 0
    page.goto(_home(link))
    person.click(page.locator("li[data-row] a", has_text=PLAIN_PAGE))
    person.click(page.get_by_role("link", name="Allow…"))
    person.click(page.get_by_label("with a reason"))
    page.keyboard.type("A test page without personal data")
    person.click(page.get_by_role("button", name="Allow origin"))
    assert _made(page) == allowed + 1
    expect_preflight(person, ports, PLAIN_PAGE, 200)
    assert person.clicks == documented("the same for an origin that the linter wants a reason for") <= 4

    person.clicks = 0
    page.goto(_home(link))
    person.click(page.locator(".change-list a").first)
    expect(page.locator("article.detail")).to_contain_text("console link")
    person.click(page.get_by_role("link", name=f"Roll back to {allowed}…"))
    expect(page.locator("#plan-heading")).to_have_text(f"Plan: roll back to {allowed}")
    person.click(page.get_by_role("button", name=f"Roll back to {allowed}"))
    expect_preflight(person, ports, PLAIN_PAGE, 403)
    assert preflight(ports, PAGE) == 200
    assert person.clicks == documented("find out who changed a policy, and take it back") <= 4

    person.clicks = 0
    person.click(page.get_by_role("link", name="Simulator").first)
    page.locator("#paste").fill(
        f"curl '{ports.url('gateway')}{PETS}' -X DELETE -H 'Origin: http://test2.com'"
    )
    person.click(page.get_by_role("button", name="Read it"))
    expect(page.get_by_text("405 Method Not Allowed at step 4 of 6")).to_be_visible()
    assert person.clicks == documented("see why a pasted curl command is refused") <= 2
    page.context.close()


def test_a_refusal_is_allowed_and_taken_back_by_the_keyboard(browser: Browser, started: Started) -> None:
    ports = started.ports
    assert preflight(ports, KEYBOARD_PAGE) == 403
    person = Person(browser.new_context().new_page())
    page, keyboard = person.page, person.page.keyboard
    page.goto(f"{_home(started.link)}sign-in")
    page.get_by_label("Access token").focus()
    keyboard.type(started.token)
    keyboard.press("Enter")
    # Counted after some seconds; the open page shows it.
    expect(page.locator("li[data-row] a", has_text=KEYBOARD_PAGE)).to_be_visible(timeout=_MS)
    page.wait_for_load_state()
    keyboard.press("g")
    keyboard.press("r")
    page.wait_for_url("**/refusals*")
    keyboard.press("/")
    keyboard.press("Control+A")
    keyboard.type("is:open origin:keyboard")
    keyboard.press("Enter")
    page.wait_for_url("**origin*")
    expect(page.locator("article.detail")).to_contain_text(KEYBOARD_PAGE)
    keyboard.press("a")
    expect(page.locator("#allow-result")).to_contain_text("would pass")
    keyboard.press("Enter")
    _made(page)
    expect_preflight(person, ports, KEYBOARD_PAGE, 200)
    keyboard.press("u")
    expect_preflight(person, ports, KEYBOARD_PAGE, 403)
    assert person.clicks == 0
    page.context.close()


def _made(page: Page) -> int:
    """The revision that the last act made."""
    link = page.locator("[data-toast] a")
    expect(link).to_be_visible()
    return int(link.inner_text().removeprefix("revision "))


def _home(link: str) -> str:
    return f"{link.partition('/sign-in')[0]}/"
