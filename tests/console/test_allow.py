"""Allowing a refused origin in the console: a page that works without scripts."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from tests.console_site import Site

from crossgate.service.permission import Role

PREVIEW = "https://pr-417.preview.example.com"
PROVEN = r"https://pr-[0-9]+\.preview\.example\.com"
UNSAFE = r"https://pr-[0-9]+.preview.example.com"


def sheet(site: Site, origin: str, api: str = "petstore/1.0") -> str:
    items = site.api.viewer.get("/v1/refusals", params={"limit": 100}).json()["items"]
    group = next(one["id"] for one in items if one["origin"].startswith(origin) and one["api"] == api)
    return f"/refusals/{group}/allow"


def submit(client: httpx.Client, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    form = {name: unescape(value) for name, value in hidden} | fields
    origin = str(client.base_url).rstrip("/")
    return client.post(path, data=form, headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})


def test_the_sheet_shows_the_attackers_origin_and_the_effect(site: Site) -> None:
    path = sheet(site, PREVIEW)
    page = site.client(Role.EDITOR).get(path, params={"what": "pattern", "kind": "regex", "value": UNSAFE})
    assert page.status_code == 200
    assert "https://pr-0.preview<mark>b</mark>example.com" in page.text
    assert "Use the proven pattern" in page.text
    assert "1 error. Fix it, or" in page.text
    assert 'aria-disabled="true"' in page.text
    assert "2,046 of" in page.text
    assert page.text.count("<h1") == 1


def test_a_proven_pattern_is_allowed_and_undone_with_a_toast(own_site: Site) -> None:
    path = sheet(own_site, PREVIEW)
    client = own_site.client(Role.EDITOR)
    query = {"what": "pattern", "kind": "regex", "value": PROVEN, "next": "/nodes"}
    page = client.get(path, params=query)
    assert "Becomes revision 2. You can undo it." in page.text
    fields = {**query, "message": "Previews moved"}
    done = submit(client, page, path, **fields)
    assert (done.status_code, done.headers["location"]) == (303, "/nodes?done=2")
    policy = own_site.api.viewer.get("/v1/apis/petstore/1.0/policy").json()
    assert policy["allowed_origins"][-1] == {"regex": PROVEN}
    newest = own_site.api.admin.get("/v1/revisions/2").json()
    assert newest["message"] == "Previews moved"


def test_an_error_is_accepted_with_a_reason(own_site: Site) -> None:
    path = sheet(own_site, PREVIEW)
    client = own_site.client(Role.EDITOR)
    query = {"what": "pattern", "kind": "regex", "value": UNSAFE, "accept_reason": "a test"}
    page = client.get(path, params=query)
    assert "Becomes revision 2" in page.text
    assert submit(client, page, path, **query).status_code == 303
    api = own_site.api.viewer.get("/v1/apis/petstore/1.0").json()
    assert {"code": "origin-unbounded", "entry": UNSAFE, "reason": "a test"} in api["lint"]["allow"]


def test_a_look_alike_is_allowed_only_if_it_is_typed(own_site: Site) -> None:
    path = sheet(own_site, "https://shop.exarnple.com", "payments/3.0")
    client = own_site.client(Role.EDITOR)
    page = client.get(path)
    assert "Type the origin above to allow it" in page.text
    refused = submit(client, page, path, what="origin")
    assert (refused.status_code, "Send https://shop.exarnple.com in confirm" in refused.text) == (422, True)
    typed = {"what": "origin", "confirm": "https://shop.exarnple.com"}
    assert submit(client, page, path, **typed).status_code == 303


def test_a_method_and_an_application(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    path = sheet(own_site, "https://app.example.com")
    page = client.get(path)
    assert "Allow PATCH on petstore 1.0" in page.text
    assert submit(client, page, path).status_code == 303
    path = sheet(own_site, PREVIEW)
    choice = {"what": "application", "new_application": "previews"}
    page = client.get(path, params=choice)
    assert submit(client, page, path, **choice).status_code == 303
    assert own_site.api.viewer.get("/v1/applications/previews").json()["javascript_origins"] == [PREVIEW]


def test_a_change_of_somebody_else_shows_both_versions(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    path = sheet(own_site, PREVIEW)
    page = client.get(path)
    policy = own_site.api.editor.get("/v1/apis/petstore/1.0/policy").json()
    policy["max_age"] = 7200
    headers = {"If-Match": "*"}
    assert own_site.api.editor.put("/v1/apis/petstore/1.0/policy", json=policy, headers=headers).is_success
    conflict = submit(client, page, path, what="origin", message="mine")
    assert conflict.status_code == 412
    for expected in ("changed the catalogue in revision 2", "max_age: 7200", PREVIEW, 'value="mine"'):
        assert expected in conflict.text, expected
    assert submit(client, conflict, path, what="origin").status_code == 303


def test_a_viewer_sees_it_without_the_button(site: Site) -> None:
    page = site.client(Role.VIEWER).get(sheet(site, PREVIEW))
    assert page.status_code == 200
    assert 'form="allow-form"' not in page.text
    assert "Your role may read only" in page.text


@pytest.mark.parametrize("part", ["", "typed"])
def test_htmx_gets_a_dialog_and_then_what_follows_typing(site: Site, part: str) -> None:
    query = {"part": part} if part else {}
    page = site.client().get(sheet(site, PREVIEW), params=query, headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert ("<dialog" in page.text) is (part == "")
    assert ("hx-swap-oob" in page.text) is (part == "typed")
    assert "<html" not in page.text


def test_a_hostile_origin_is_shown_as_what_it_is(site: Site) -> None:
    page = site.client().get(sheet(site, "https://\u202e", "orders/2.1"))
    assert page.status_code == 200
    assert "<img src=x" not in page.text
    assert "\u202e" not in page.text.replace("&#8238;", "")
    assert 'class="control-box">U+202E' in page.text
