"""Sign-in with a real provider in a process of its own: out, in, back, and what goes wrong on the way."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from tests.console_site import Site, running_site
from tests.oidc_provider import CLIENT, PASSWORD, SECRET, RunningProvider, running_provider
from tests.ports import free_ports

from crossgate.console.oidc.options import GroupRole, OidcOptions
from crossgate.service.permission import Role


@dataclass(frozen=True, slots=True)
class Company:
    """A console, and the provider that its people sign in with."""

    site: Site
    provider: RunningProvider

    @property
    def url(self) -> str:
        return self.site.api.url

    def browser(self) -> httpx.Client:
        client = httpx.Client(timeout=60, trust_env=False)
        self.site.stack.callback(client.close)
        return client


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    port = free_ports(1)[0]
    console = f"http://127.0.0.1:{port}"
    with running_provider(folder, f"{console}/sign-in/company/callback") as provider:
        options = OidcOptions(
            provider.issuer,
            CLIENT,
            console,
            (GroupRole("platform", Role.EDITOR, ("petstore", "orders")),),
            scopes=("openid", "profile", "email", "groups"),
            client_secret=SECRET,
        )
        with running_site(folder / "store", oidc=options, port=port) as site:
            yield Company(site, provider)


def submit(browser: httpx.Client, page: httpx.Response, **filled: str) -> httpx.Response:
    """Send the first form of a page, as a browser does."""
    form = re.search(r"<form\b([^>]*)>(.*?)</form>", page.text, re.DOTALL)
    assert form is not None, page.text
    action = re.search(r'action="([^"]*)"', form[1])
    fields = {}
    for tag in re.findall(r"<(?:input|button)\b[^>]*>", form[2]):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("name") and attributes.get("type") != "submit":
            fields[attributes["name"]] = html.unescape(attributes.get("value", ""))
    url = urljoin(str(page.url), html.unescape(action[1]) if action and action[1] else str(page.url))
    return follow(browser, browser.post(url, data=fields | filled, headers={"Referer": str(page.url)}))


def follow(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Follow redirects, but not out of a page."""
    for _ in range(10):
        if not answer.is_redirect:
            return answer
        answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
    raise AssertionError("too many redirects")


def sign_in(company: Company, browser: httpx.Client, name: str, target: str = "/nodes") -> httpx.Response:
    """The page after the provider has sent the person back."""
    page = follow(browser, browser.get(f"{company.url}/sign-in/company", params={"next": target}))
    page = submit(browser, page, login=name)
    page = submit(browser, page, password=PASSWORD)
    if "/oauth/authorize" in str(page.url):
        page = submit(browser, page, answer="accept")
    return page


def test_a_member_signs_in_and_is_the_author_of_revisions(company: Company) -> None:
    browser = company.browser()
    landed = sign_in(company, browser, "ann")
    assert landed.status_code == 200, landed.text
    assert 'content="0; url=/nodes"' in landed.text
    cookies = landed.headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith("crossgate-session="))
    assert "HttpOnly" in session
    assert "samesite=strict" in session.lower()
    page = browser.get(f"{company.url}/nodes")
    assert page.status_code == 200
    assert "oidc:ann@example.com" in page.text
    session_list = company.site.sessions.all()
    caller = session_list[-1].caller
    assert (caller.role, caller.apis) == (Role.EDITOR, ("petstore", "orders"))


def test_who_is_in_no_group_with_a_role_is_told_which_arrived(company: Company) -> None:
    refused = sign_in(company, company.browser(), "eve")
    assert refused.status_code == 403
    assert "None of your groups has a role here" in refused.text
    assert "everybody" in refused.text
    assert "platform" in refused.text
    assert "crossgate-session=" not in str(refused.headers)


def test_who_is_in_no_group_at_all_is_told_so(company: Company) -> None:
    refused = sign_in(company, company.browser(), "joe")
    assert refused.status_code == 403
    assert "no groups in groups" in refused.text


def test_new_keys_of_the_provider_are_read(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossgate.console.oidc.provider._KEYS_AGAIN", 0)
    assert sign_in(company, company.browser(), "ann").status_code == 200
    company.provider.rotate_keys()
    assert sign_in(company, company.browser(), "ann").status_code == 200


def test_the_answer_of_another_browser_is_refused(company: Company) -> None:
    """So nobody signs somebody else in as himself: the cookie is what the answer must match."""
    browser = company.browser()
    browser.get(f"{company.url}/sign-in/company")
    refused = browser.get(f"{company.url}/sign-in/company/callback?code=stolen&state=other")
    assert refused.status_code == 403
    assert "belongs to no sign-in of this browser" in refused.text
    alone = company.browser().get(f"{company.url}/sign-in/company/callback?code=stolen&state=")
    assert alone.status_code == 403


def test_an_error_of_the_provider_is_shown_escaped(company: Company) -> None:
    browser = company.browser()
    away = browser.get(f"{company.url}/sign-in/company").headers["location"]
    state = dict(one.split("=", 1) for one in urlsplit(away).query.split("&"))["state"]
    query = {"state": state, "error": "access_denied", "error_description": "<img src=x>\u202e"}
    refused = browser.get(f"{company.url}/sign-in/company/callback", params=query)
    assert refused.status_code == 403
    assert "access_denied" in refused.text
    assert "<img" not in refused.text
    assert "U+202E" in refused.text


def test_a_code_that_the_provider_did_not_issue_opens_no_session(company: Company) -> None:
    browser = company.browser()
    away = browser.get(f"{company.url}/sign-in/company").headers["location"]
    state = dict(one.split("=", 1) for one in urlsplit(away).query.split("&"))["state"]
    refused = browser.get(f"{company.url}/sign-in/company/callback?code=guessed&state={state}")
    assert refused.status_code == 403
    assert "did not accept the sign-in" in refused.text
    assert "invalid_grant" in refused.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_nobody_is_led_to_another_site(company: Company, target: str) -> None:
    landed = sign_in(company, company.browser(), "ann", target)
    assert 'content="0; url=/"' in landed.text
    assert "evil" not in landed.text


def test_the_request_to_the_provider_has_state_nonce_and_a_challenge(company: Company) -> None:
    away = company.browser().get(f"{company.url}/sign-in/company").headers["location"]
    assert away.startswith(f"{company.provider.issuer}/oauth/authorize?")
    for part in ("response_type=code", "code_challenge_method=S256", "code_challenge=", "state=", "nonce="):
        assert part in away


def test_the_sign_in_page_offers_the_provider(company: Company) -> None:
    page = company.browser().get(f"{company.url}/sign-in?next=/nodes").text
    assert 'href="/sign-in/company?next=%2Fnodes"' in page
    assert "Continue with company sign-in" in page


def test_without_the_provider_a_token_signs_in(company: Company, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    options = OidcOptions(nowhere, CLIENT, f"http://127.0.0.1:{port}", (GroupRole("a", Role.ADMIN),))
    with running_site(tmp_path, oidc=options, port=port) as site:
        failed = httpx.get(f"{site.api.url}/sign-in/company", trust_env=False)
        assert failed.status_code == 403
        assert "The provider does not answer" in failed.text
        assert 'href="/sign-in"' in failed.text
        assert site.client().get("/nodes").status_code == 200
    other = replace(options, issuer=f"{company.provider.issuer}/")
    with running_site(tmp_path / "other", oidc=other, port=port) as site:
        failed = httpx.get(f"{site.api.url}/sign-in/company", trust_env=False)
        assert "does not describe itself by this name" in failed.text


def test_without_configuration_nothing_is_offered(site: Site) -> None:
    assert httpx.get(f"{site.url}/sign-in/company", trust_env=False).headers["location"] == "/sign-in"


def test_the_session_is_for_https_only_where_the_console_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy in front speaks http to the console, and a browser that comes back sends no Origin."""

    async def claims(*_: object) -> dict[str, object]:
        return {"sub": "ann", "email": "ann@example.com", "groups": ["a"]}

    monkeypatch.setattr("crossgate.console.oidc.provider.Provider.claims", claims)
    options = OidcOptions(
        "https://provider.example", CLIENT, "https://console.example", (GroupRole("a", Role.VIEWER),)
    )
    kept = base64.urlsafe_b64encode(json.dumps(["state", "nonce", "verifier", "/"]).encode()).decode()
    with running_site(tmp_path, oidc=options) as site:
        answer = httpx.get(
            f"{site.api.url}/sign-in/company/callback?code=x&state=state",
            headers={"Cookie": f"crossgate-company={kept}"},
            trust_env=False,
        )
    session = next(one for one in answer.headers.get_list("set-cookie") if "crossgate-session=" in one)
    assert session.startswith("__Host-crossgate-session=")
    assert "; Secure" in session
