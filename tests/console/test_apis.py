"""The APIs' pages without a script: read by a viewer, edited by posting the form."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from tests.console_site import Site

from crossgate.service.permission import Role

PETS = "/apis/petstore/1.0"
POLICY = "/v1/apis/petstore/1.0/policy"


class _Form(HTMLParser):
    """The fields of the policy editor as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = ""
        self._textarea = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._inside = self._inside or found.get("id") == "policy-form"
        if not self._inside or "disabled" in found:
            return
        kind, name = found.get("type", ""), found.get("name", "")
        if tag == "input" and name:
            if kind in ("checkbox", "radio") and "checked" not in found:
                return
            default = "on" if kind == "checkbox" else ""
            self.fields.append((name, found.get("value", default)))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self.fields.append((self._select, found["value"]))
        elif tag == "textarea" and name:
            self.fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form":
            self._inside = False


def form_of(page: httpx.Response) -> list[tuple[str, str]]:
    parser = _Form()
    parser.feed(page.text)
    return parser.fields


def csrf_of(page: httpx.Response) -> str:
    return page.text.split('name="csrf" value="')[1].split('"')[0]


def post(
    client: httpx.Client, url: str, fields: list[tuple[str, str]], *more: tuple[str, str]
) -> httpx.Response:
    body = str(httpx.QueryParams([*fields, *more]))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": str(client.base_url).rstrip("/"),
    }
    return client.post(url, content=body, headers=headers)


def text_of(page: httpx.Response) -> str:
    parts: list[str] = []

    class Text(HTMLParser):
        def handle_data(self, data: str) -> None:
            parts.append(data)

    Text().feed(page.text)
    return " ".join(" ".join(parts).split())


def test_the_list_finds_and_counts(site: Site) -> None:
    client = site.client(Role.VIEWER)
    page = client.get("/apis")
    assert page.status_code == 200
    text = text_of(page)
    assert "5 APIs" in text
    assert "petstore 1.0" in text
    assert "No policy" in text
    assert "Add an API" not in text
    found = text_of(client.get("/apis", params={"q": "mode:observe"}))
    assert ("reports 1.0" in found, "orders 2.1" in found) == (True, False)
    assert "Did you mean observe?" in text_of(client.get("/apis", params={"q": "mode:observed"}))
    assert "No API matches" in text_of(client.get("/apis", params={"q": "petsotre"}))


def test_a_viewer_reads_the_policy_and_sees_no_button(site: Site) -> None:
    page = site.client(Role.VIEWER).get(PETS)
    assert page.status_code == 200
    text = text_of(page)
    for words in ("Only this origin", "Only example.org", "Also by", "Suspended, no effect", "PATCH refused"):
        assert words in text, words
    for words in ('name="do"', "Edit API", "Save as revision"):
        assert words not in page.text, words


def test_every_value_of_the_policy_is_in_the_form(site: Site) -> None:
    page = site.client(Role.EDITOR).get(PETS)
    fields = form_of(page)
    assert [value for name, value in fields if name == "origin"] == [
        "https://app.example.com",
        "https://shop.example.com",
        "https://*.example.org",
        r"https://pr-[0-9]+\.example\.com",
        "http://kiosk.example.com",
    ]
    assert [value for name, value in fields if name == "allowed_methods"] == ["GET", "POST", "PUT", "HEAD"]
    assert dict(fields)["max_age"] == "86400"
    assert 'data-changes="0"' in page.text


def test_rows_are_added_and_removed_and_saved_without_a_script(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    page = client.get(PETS)
    removed = post(client, PETS, form_of(page), ("do", "remove:4"))
    assert ", removed" in text_of(removed)
    added = post(client, PETS, form_of(removed), ("new_origin", "https://new.example.com"), ("do", ""))
    assert 'data-changes="2"' in added.text
    assert "https://new.example.com" in text_of(added)
    saved = post(client, PETS, form_of(added), ("reason", "A new page"), ("do", "save"))
    assert (saved.status_code, saved.headers["location"]) == (303, f"{PETS}?done=2")
    origins = own_site.api.viewer.get(POLICY).json()["allowed_origins"]
    assert origins[-1] == "https://new.example.com"
    assert "http://kiosk.example.com" not in origins
    revision = own_site.api.viewer.get("/v1/revisions/2").json()
    assert (revision["message"], revision["author"]) == ("A new page", "test-editor")


def test_a_preview_has_the_parts_beside_the_fields(site: Site) -> None:
    client = site.client(Role.EDITOR)
    page = client.get(PETS)
    fields = [
        (name, r"https://.*example\.com" if value == r"https://pr-[0-9]+\.example\.com" else value)
        for name, value in form_of(page)
    ]
    found = post(client, f"{PETS}/preview", fields)
    assert found.status_code == 200, found.text
    text = text_of(found)
    assert "Unsafe: evilexample.com passes" in text
    assert "1 unsaved change" in text
    assert "error to fix first" in text
    assert 'aria-disabled="true"' in found.text
    assert 'id="v-row-3"' in found.text
    assert "<form" not in found.text


def test_an_unsafe_entry_can_be_accepted_with_a_reason(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    entry = "http://plain.example.com"
    page = post(client, PETS, form_of(client.get(PETS)), ("new_origin", entry), ("do", ""))
    refusing = "anyone on the network path" in text_of(page)
    assert refusing
    accept = "accept:" + json.dumps({"code": "http-origin", "entry": entry})
    accepted = post(
        client, PETS, form_of(page), (f"reason:http-origin:{entry}", "an old device"), ("do", accept)
    )
    assert "Accepted (http-origin): “an old device”" in text_of(accepted)
    saved = post(client, PETS, form_of(accepted), ("do", "save"))
    assert saved.status_code == 303, text_of(saved)
    allow = own_site.api.viewer.get("/v1/apis/petstore/1.0").json()["lint"]["allow"]
    assert {"code": "http-origin", "entry": entry, "reason": "an old device"} in allow


def test_two_people_edit_the_same_policy(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    mine = [(name, "600" if name == "max_age" else value) for name, value in form_of(client.get(PETS))]
    read = own_site.api.viewer.get(POLICY)
    theirs = {**read.json(), "max_age": 7200, "expose_headers": ["ETag"]}
    api = own_site.api.admin
    assert api.put(POLICY, json=theirs, headers={"If-Match": read.headers["ETag"]}).status_code == 200
    refused = post(client, PETS, mine, ("do", "save"))
    text = text_of(refused)
    assert "Not saved: test-admin saved revision 2 first, and changed max age too." in text
    assert "Keep 7200" in text
    assert "Use my 600" in text
    decided = post(client, PETS, form_of(refused), ("do", "mine:max_age"))
    assert post(client, PETS, form_of(decided), ("do", "save")).status_code == 303
    policy = own_site.api.viewer.get(POLICY).json()
    assert (policy["max_age"], policy["expose_headers"]) == (600, ["ETag"])


def test_a_policy_is_added_to_an_api_without_one(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    page = client.get("/apis/parcels/1.0")
    assert "No CORS policy" in text_of(page)
    begun = post(client, "/apis/parcels/1.0", [("csrf", csrf_of(page))], ("do", "begin"))
    fields = [*form_of(begun), ("new_origin", "https://shop.example.com")]
    saved = post(client, "/apis/parcels/1.0", fields, ("do", "save"))
    assert saved.status_code == 303, text_of(saved)
    policy = own_site.api.viewer.get("/v1/apis/parcels/1.0/policy").json()
    assert (policy["mode"], policy["allowed_origins"]) == ("observe", ["https://shop.example.com"])


def test_an_api_is_added_changed_and_deleted_by_its_typed_name(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    csrf = ("csrf", csrf_of(client.get("/apis/new")))
    fields = [csrf, ("name", "maps"), ("version", "1.0"), ("type", "rest"), ("native", "ftp://x")]
    refused = post(client, "/apis/new", fields)
    assert refused.status_code == 422
    fields[-1] = ("native", "http://maps.internal:8080")
    assert post(client, "/apis/new", fields).headers["location"] == "/apis/maps/1.0?done=2"
    edit = client.get("/apis/maps/1.0/edit")
    etag = edit.text.split('name="etag" value="')[1].split('"')[0].replace("&#34;", '"')
    changed = [csrf, ("etag", etag), ("type", "soap"), ("native", "http://maps.internal:9090")]
    assert post(client, "/apis/maps/1.0/edit", changed).status_code == 303
    api = own_site.api.viewer.get("/v1/apis/maps/1.0").json()
    assert (api["type"], api["native"]) == ("soap", "http://maps.internal:9090")
    wrong = post(client, "/apis/maps/1.0/remove", [csrf, ("what", "api"), ("typed", "maps")])
    assert "the name does not match" in text_of(wrong)
    assert (
        post(client, "/apis/maps/1.0/remove", [csrf, ("what", "api"), ("typed", "maps/1.0")]).status_code
        == 303
    )
    assert own_site.api.viewer.get("/v1/apis/maps/1.0").status_code == 404


def test_two_who_edit_an_api_both_save(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    form = dict(form_fields(client.get(f"{PETS}/edit").text))
    first = form | {"type": "soap", "native": "http://first.internal"}
    assert post(client, f"{PETS}/edit", [*first.items()]).status_code == 303
    second = form | {"type": "rest", "native": "http://second.internal", "endpoints": "/pets"}
    clash = post(client, f"{PETS}/edit", [*second.items()])
    assert clash.status_code == 412
    assert "somebody else saved this API first." in clash.text
    assert "Both changed <code>native</code>; the form has your value." in clash.text
    assert "http://first.internal" in text_of(clash)
    again = dict(form_fields(clash.text))
    again |= {"type": "soap", "endpoints": "/pets"}
    assert again["native"] == "http://second.internal"
    assert post(client, f"{PETS}/edit", [*again.items()]).status_code == 303
    api = own_site.api.viewer.get("/v1/apis/petstore/1.0").json()
    assert (api["type"], api["native"], api["endpoints"]) == ("soap", "http://second.internal", ["/pets"])
    assert "cors" in api
    unreadable = post(client, f"{PETS}/edit", [*(form | {"type": "rest", "base": "[" * 9000}).items()])
    assert unreadable.status_code == 412


def form_fields(page: str) -> list[tuple[str, str]]:
    """The inputs of the page's first form that have a value."""
    form = re.search(r'<form class="properties.*?</form>', page, re.DOTALL)
    assert form is not None
    found = re.findall(r'<input [^>]*?name="(\w+)" value="([^"]*)"', form[0])
    return [(name, unescape(value)) for name, value in found if name != "type"]


@pytest.mark.parametrize("sent", ["<img src=x>", "PA\u202eTCH", "x" * 8000])
def test_what_somebody_types_is_shown_escaped(site: Site, sent: str) -> None:
    client = site.client(Role.EDITOR)
    page = post(client, PETS, form_of(client.get(PETS)), ("new_origin", sent), ("do", ""))
    assert page.status_code == 200
    assert "<img" not in page.text
    assert 'aria-invalid="true"' in page.text


def test_owner_and_labels_are_shown_and_kept(own_site: Site) -> None:
    owned = {"owner": "Team <b>", "labels": {"team": "shop", "example.com/tier": ""}}
    for path in ("/v1/apis/petstore/1.0", "/v1/applications/kiosk"):
        seen = own_site.api.editor.get(path)
        answer = own_site.api.editor.put(
            path, json={**seen.json(), **owned}, headers={"If-Match": seen.headers["ETag"]}
        )
        assert answer.status_code == 200, answer.text
    client = own_site.client(Role.EDITOR)
    page = client.get(PETS).text
    assert "<dd>Team &lt;b&gt;</dd>" in page
    assert 'href="/apis?q=label%3Ateam%3Dshop"' in page
    found = client.get("/apis?q=label%3Ateam%3Dshop").text
    assert "petstore" in found
    assert "orders" not in found.partition("<main")[2]
    cards = client.get("/applications?view=cards&q=label:team=shop").text
    assert "Team &lt;b&gt;" in cards
    assert 'href="/applications?q=label%3Ateam%3Dshop"' in cards

    form = dict(re.findall(r'name="(etag|base|csrf)" value="([^"]*)"', client.get(f"{PETS}/edit").text))
    fields = {name: unescape(value) for name, value in form.items()}
    fields |= {"type": "rest", "native": "http://pets.internal:9090/v2"}
    saved = client.post(f"{PETS}/edit", data=fields)
    assert saved.status_code == 303, saved.text
    assert own_site.api.viewer.get("/v1/apis/petstore/1.0").json()["labels"] == owned["labels"]
