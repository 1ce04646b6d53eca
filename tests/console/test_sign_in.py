"""Signing in and out: links, tokens, the cookie, and where a browser goes on."""

from __future__ import annotations

import re
import socket
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.console_site import Site, running_site

from crossgate.admin import auth_throttle
from crossgate.admin.event_streams import StreamLimits
from crossgate.console.sign_in import local_path
from crossgate.service.permission import Role

COOKIE = "crossgate-session"
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def stranger(site: Site, **headers: str) -> httpx.Client:
    client = httpx.Client(base_url=site.url, headers=headers, timeout=30, trust_env=False)
    site.stack.callback(client.close)
    return client


def own(site: Site) -> httpx.Client:
    return stranger(site, Origin=site.url)


def test_a_link_signs_in_once_and_goes_on(own_site: Site) -> None:
    secret, _ = own_site.sessions.create_link()
    browser = own(own_site)
    opened = browser.post("/sign-in", data={"once": secret, "next": "/nodes?x=1"})
    assert (opened.status_code, opened.headers["location"]) == (303, "/nodes?x=1")
    page = browser.get("/nodes")
    assert page.status_code == 200
    assert "console link" in page.text
    again = own(own_site).post("/sign-in", data={"once": secret})
    assert again.status_code == 401
    assert "This link does not sign in: it was used, is older than 10 minutes, or is unknown." in again.text
    assert "crossgate console" in again.text
    assert secret not in again.text
    assert "set-cookie" not in again.headers


def test_the_cookie_is_for_this_host_and_no_script(own_site: Site) -> None:
    secret, _ = own_site.sessions.create_link()
    cookie = own(own_site).post("/sign-in", data={"once": secret}).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= parts
    assert not any(part.startswith("domain") or part == "secure" for part in parts)


def test_the_cookie_is_secure_behind_a_proxy_with_tls(own_site: Site) -> None:
    secret, _ = own_site.sessions.create_link()
    browser = stranger(own_site, Origin=own_site.url.replace("http:", "https:"))
    cookie = browser.post("/sign-in", data={"once": secret}).headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in cookie


def test_a_token_signs_in_and_a_wrong_one_is_refused_at_the_field(own_site: Site) -> None:
    secret, _ = own_site.api.tokens.create("ann", Role.EDITOR)
    refused = own(own_site).post("/sign-in", data={"token": secret + "x", "next": "/nodes"})
    assert refused.status_code == 401
    assert 'aria-invalid="true"' in refused.text
    assert "Invalid token: unknown, expired or revoked." in refused.text
    assert secret not in refused.text
    assert '<input type="hidden" name="next" value="/nodes">' in refused.text
    browser = own(own_site)
    assert browser.post("/sign-in", data={"token": f" {secret} "}).headers["location"] == "/"
    assert "ann" in browser.get("/nodes").text
    own_site.api.tokens.revoke("ann")
    assert browser.get("/nodes").status_code == 303


def test_a_sign_in_makes_another_session_and_ends_the_one_before(own_site: Site) -> None:
    browser = own(own_site)
    secret, _ = own_site.api.tokens.create("ann", Role.VIEWER)
    # A value that somebody else has put there is not taken over.
    browser.cookies.set(COOKIE, "planted", domain="localhost.local")
    planted = browser.post("/sign-in", data={"token": secret}, headers={"Cookie": f"{COOKIE}=planted"})
    first = planted.cookies[COOKIE]
    assert first != "planted"
    second = browser.post("/sign-in", data={"token": secret}, headers={"Cookie": f"{COOKIE}={first}"})
    assert second.cookies[COOKIE] != first
    assert not own_site.sessions.holds(first)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_site_signs_a_browser_in(site: Site, headers: dict[str, str]) -> None:
    secret, _ = site.sessions.create_link()
    refused = stranger(site, **headers).post("/sign-in", data={"once": secret})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


def test_a_link_that_a_page_opened_asks_first(site: Site) -> None:
    for fetch_site, automatic in (("none", True), ("cross-site", False), ("same-origin", False), ("", False)):
        headers = {"Sec-Fetch-Site": fetch_site} if fetch_site else {}
        page = stranger(site, **headers).get("/sign-in").text
        assert ("data-automatic" in page) == automatic


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\x00",
        "evil",
        "",
        "/sign-in?next=/x",
        "/sign-out",
    ],
)
def test_only_paths_of_the_console_are_gone_on_to(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/apis/petstore/1.0?q=a%2F%2Fb", "/refusals?q=api:x//y"])
def test_paths_of_the_console_are_gone_on_to(target: str) -> None:
    assert local_path(target) == target


def test_guesses_are_delayed_then_not_looked_up(own_site: Site) -> None:
    browser = own(own_site)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth_throttle, "FIRST_DELAY", 0.0)
        patch.setattr(auth_throttle, "LONGEST_DELAY", 0.0)
        codes = [browser.post("/sign-in", data={"once": "x"}).status_code for _ in range(12)]
        link, _ = own_site.sessions.create_link()
        refused = browser.post("/sign-in", data={"once": link})
        token, _ = own_site.api.tokens.create("ann", Role.VIEWER)
        assert browser.post("/sign-in", data={"token": token}).status_code == 303, (
            "a valid token is not refused"
        )
    assert (codes[0], codes[-1], refused.status_code) == (401, 429, 429)
    assert "Too many failed authentications" in refused.text


def test_sign_out_ends_the_session(own_site: Site) -> None:
    browser = own_site.client(Role.VIEWER)
    csrf = CSRF.search(browser.get("/nodes").text)
    assert csrf is not None
    secret = browser.cookies[COOKIE]
    assert browser.post("/sign-out").status_code == 403
    assert own_site.sessions.holds(secret)
    out = browser.post("/sign-out", data={"csrf": csrf[1]})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert f'{COOKIE}=""' in out.headers["set-cookie"]
    assert not own_site.sessions.holds(secret)


def test_a_form_of_an_ended_session_is_kept(own_site: Site) -> None:
    browser = own_site.client(Role.ADMIN)
    own_site.sessions.end_all()
    typed = {"csrf": "old", "value": '"><script>alert(1)</script>'}
    answer = browser.post("/settings?x=1", data=typed)
    assert (answer.status_code, answer.headers["Crossgate-Session"]) == (401, "ended")
    assert 'action="/settings?x=1"' in answer.text
    assert "&#34;&gt;&lt;script&gt;alert(1)" in answer.text
    assert 'target="_blank"' in answer.text
    assert "old" not in answer.text.partition("</main>")[0].partition("<form")[2].partition("<button")[0]
    part = browser.post("/settings", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["Crossgate-Session"]) == (401, "ended")
    events = browser.get("/events", headers={"Accept": "text/event-stream"})
    assert events.status_code == 401


def test_a_stranger_is_sent_back_no_form(site: Site) -> None:
    answer = stranger(site).post("/settings", data={"x": "planted"})
    assert answer.status_code == 401
    assert "planted" not in answer.text


def test_scripts_learn_whether_the_session_holds(own_site: Site) -> None:
    browser = own_site.client(Role.VIEWER)
    found = browser.get("/session").json()
    assert found["name"] == "test-viewer"
    assert f'value="{found["csrf"]}"' in browser.get("/nodes").text
    own_site.sessions.end_all()
    assert browser.get("/session").status_code == 401


def test_an_event_stream_ends_with_its_session(tmp_path: Path) -> None:
    with running_site(tmp_path, streams=StreamLimits(heartbeat=0.2)) as site:
        browser = site.client(Role.VIEWER)
        with browser.stream("GET", "/events", params={"topic": "revision"}) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry")
            site.sessions.end_all()
            assert set(lines) <= {"", ": connected", ": heartbeat"}


def test_an_event_stream_goes_on_with_the_cookie_of_https(own_site: Site) -> None:
    secret = own_site.client(Role.VIEWER).cookies[COOKIE]
    browser = stranger(own_site, Cookie=f"__Host-{COOKIE}={secret}")
    with browser.stream("GET", "/events", params={"topic": "revision"}) as stream:
        assert next(stream.iter_lines()).startswith("retry")


@pytest.mark.parametrize("path", ["/nodes", "/sign-in", "/session"])
def test_every_response_has_the_security_headers(site: Site, path: str) -> None:
    headers = site.client().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_rebound_name_is_refused_in_words(site: Site) -> None:
    answer = site.client().get("/nodes", headers={"Host": "evil.example", "Accept": "text/html"})
    assert answer.status_code == 421
    assert "--admin-host" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_console_names_which_gateway_it_is(site: Site) -> None:
    page = stranger(site).get("/sign-in").text
    assert "api.example.com" in page


def test_a_page_that_opens_its_events_again_does_not_use_the_session(own_site: Site) -> None:
    browser = own_site.client(Role.VIEWER)
    (session,) = own_site.sessions.all()
    before = session.last_used - timedelta(minutes=5)
    own_site.sessions.store.touch_session(session.id, before)
    with browser.stream("GET", "/events") as events:
        assert events.status_code == 200
    assert own_site.sessions.all()[0].last_used == before
    browser.get("/nodes")
    assert own_site.sessions.all()[0].last_used > before


@pytest.mark.parametrize("body", [b"a&" * 200_000, b"a=&" * 20_000, b"x=%4g"], ids=len)
def test_a_strangers_form_is_not_kept_at_any_price(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = own(site).post("/settings", content=body, headers=headers)
    assert answer.status_code == 401
    assert "<textarea" not in answer.text


def test_a_kept_form_goes_to_the_console_only(site: Site) -> None:
    answer = own(site).post(f"{site.url}//evil.example/x", data={"value": "typed"})
    assert answer.status_code == 401
    assert 'action="/"' in answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/settings"])
def test_a_body_longer_than_announced_is_not_read(site: Site, path: str) -> None:
    """Chunks override a Content-Length, and go on for as long as the sender wants."""
    host = site.url.removeprefix("http://")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {site.url}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n"
        "Transfer-Encoding: chunked\r\n\r\n4000\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 30) as connection:
        # The first chunk of many: a server that waits for the last one never answers.
        connection.sendall(head.encode() + b"x" * 0x4000 + b"\r\n")
        status = connection.recv(1 << 16).split(b" ", 2)[1]
    assert status == (b"403" if path == "/sign-in" else b"401")
