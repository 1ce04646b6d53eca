"""The settings pages: server-level CORS and the gateway's own settings."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.console_site import SITE, Site, running_file

from crossgate.catalogue.fields import GATEWAY, SETTINGS
from crossgate.catalogue.model import Gateway, GatewayLint, Suppression, Tls
from crossgate.catalogue.serialise import gateway_to_dict
from crossgate.console.record_form import form_groups, read_form
from crossgate.record import Record
from crossgate.service.permission import Role

_CORS = "watt.server.cors."


def filled(page: str) -> dict[str, str]:
    """The fields of the object's form, as a browser would send them."""
    form = re.search(r'<form id="object-form".*?</form>', page, re.DOTALL)
    assert form is not None
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form[0]):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        boxed = attributes.get("type") in ("checkbox", "radio")
        if not boxed or re.search(r"\schecked[ >]", tag):
            fields[attributes["name"]] = html.unescape(attributes.get("value", "on"))
    for name, value in re.findall(
        r'<textarea [^>]*name="([^"]*)"[^>]*>\n(.*?)</textarea>', form[0], re.DOTALL
    ):
        fields[name] = html.unescape(value)
    return fields


def fields_of(record: Record[Any]) -> set[str]:
    """The names of all inputs that the table asks for."""
    groups = form_groups(record, {}, {}, ("x",))
    return {one.name for group in groups for one in group.every}


@pytest.mark.parametrize("url", ["/settings", "/settings/gateway"])
def test_every_field_of_the_table_has_an_input(site: Site, url: str) -> None:
    record = SETTINGS if url == "/settings" else GATEWAY
    page = site.client().get(url).text
    found = set(re.findall(r'<(?:input|textarea) [^>]*name="([^"]*)"', page))
    assert fields_of(record) - {"listen"} <= found
    assert "127.0.0.1:8080" in page or url == "/settings"


def test_a_form_that_was_not_touched_declares_the_same_object() -> None:
    gateway = Gateway(
        tls=(Tls("/a.pem", "/b.pem"),),
        public_origins=("https://a.example.com", "https://b.example.com"),
        lint=GatewayLint((Suppression("http-origin", "old", "http://a.example"),), ("apps.example.com",)),
    )
    raw = gateway_to_dict(gateway)
    groups = form_groups(GATEWAY, raw, raw, ("gateway",))
    sent = {one.name: one.value for group in groups for one in group.every if one.value != "false"}
    assert read_form(GATEWAY, raw, sent) == raw
    assert not any(one.changed for group in groups for one in group.every)


def test_settings_that_were_not_touched_stay_as_they_were_written() -> None:
    raw = {f"{_CORS}enabled": "true", f"{_CORS}allowedOrigins": "https://a.example, https://b.example"}
    sent = {
        f"{_CORS}enabled": "on",
        f"{_CORS}allowedOrigins": "https://a.example\r\nhttps://b.example",
        f"{_CORS}maxAge": "600",
    }
    assert read_form(SETTINGS, raw, sent) == {**raw, f"{_CORS}maxAge": 600}


def test_a_row_of_a_list_can_be_added_and_removed() -> None:
    raw = {"lint": {"allow": [{"code": "a", "reason": "b"}]}}
    added = {"lint.allow.0.code": "a", "lint.allow.0.reason": "b", "lint.allow.1.code": "c"}
    assert read_form(GATEWAY, raw, added)["lint"]["allow"] == [{"code": "a", "reason": "b"}, {"code": "c"}]
    assert "lint" not in read_form(GATEWAY, raw, {})


def test_turning_server_level_cors_on_says_what_it_overrides(site: Site) -> None:
    client = site.client()
    fields = filled(client.get("/settings").text)
    fields |= {f"{_CORS}enabled": "on", f"{_CORS}allowedOrigins": "https://shop.example.com"}
    page = client.post("/settings/preview", data=fields).text
    assert "4 API policies" in page
    assert "https://app.example.com" in page
    assert "Save as revision 2" in page
    assert "Content-Type is not allowed" in page


def test_an_error_stands_beside_its_field(site: Site) -> None:
    client = site.client()
    fields = filled(client.get("/settings/gateway").text) | {"limits.max_headers": "5"}
    part = client.post("/settings/gateway/preview", data=fields, headers={"HX-Request": "true"}).text
    assert re.search(r'id="v-limits-max_headers"[^>]*>[^§]*?Expected a whole number from 20 to 1000', part)
    assert "1 error to fix first" in part
    saved = client.post("/settings/gateway", data=fields)
    assert saved.status_code == 422
    assert 'aria-invalid="true"' in saved.text


def test_an_edit_becomes_a_revision(own_site: Site) -> None:
    client = own_site.client()
    fields = filled(client.get("/settings/gateway").text)
    fields |= {"limits.max_headers": "150", "trusted_proxies": "10.0.0.0/8\r\n", "reason": "more headers"}
    saved = client.post("/settings/gateway", data=fields)
    assert (saved.status_code, saved.headers["location"]) == (303, "/settings/gateway?done=2")
    gateway = own_site.api.admin.get("/v1/gateway").json()
    assert gateway["limits"] == {"max_headers": 150}
    assert gateway["trusted_proxies"] == ["10.0.0.0/8"]
    assert own_site.api.admin.get("/v1/revisions/2").json()["message"] == "more headers"


def test_when_server_level_cors_is_on_every_settings_page_says_so(own_site: Site) -> None:
    client = own_site.client()
    fields = filled(client.get("/settings").text)
    fields |= {f"{_CORS}enabled": "on", f"{_CORS}allowedOrigins": "https://shop.example.com"}
    assert client.post("/settings", data=fields).status_code == 303
    for url in ("/settings", "/settings/gateway"):
        assert "no API policy is enforced" in client.get(url).text
    fields = filled(client.get("/settings").text)
    del fields[f"{_CORS}enabled"]
    assert "enforced again" in client.post("/settings/preview", data=fields).text


def test_a_conflict_shows_both_versions_and_keeps_both_edits(own_site: Site) -> None:
    mine, theirs = own_site.client(), own_site.client()
    fields = filled(mine.get("/settings/gateway").text) | {"limits.max_headers": "150"}
    other = filled(theirs.get("/settings/gateway").text) | {"ready_path": "on"}
    assert theirs.post("/settings/gateway", data=other).status_code == 303
    refused = mine.post("/settings/gateway", data=fields)
    assert refused.status_code == 409
    assert "somebody else saved" in refused.text
    assert mine.post("/settings/gateway", data=filled(refused.text)).status_code == 303
    gateway = own_site.api.admin.get("/v1/gateway").json()
    assert gateway["ready_path"] is True
    assert gateway["limits"] == {"max_headers": 150}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_only_an_admin_sees_a_way_to_change_them(site: Site, role: Role) -> None:
    client = site.client(role)
    page = client.get("/settings").text
    assert "needs the role admin" in page
    assert 'type="submit"' not in page
    assert "/settings/tokens" not in page
    refused = client.post("/settings", data=filled(page))
    assert refused.status_code == 403


def test_the_theme_is_a_cookie(own_site: Site) -> None:
    client = own_site.client(Role.VIEWER)
    csrf = csrf_of(client.get("/settings/appearance"))
    assert client.post("/settings/appearance", data={"theme": "dark", "csrf": csrf}).status_code == 303
    assert 'data-theme="dark"' in client.get("/settings/appearance").text
    client.post("/settings/appearance", data={"theme": "", "csrf": csrf})
    assert "data-theme" not in client.get("/settings/appearance").text


def csrf_of(page: httpx.Response) -> str:
    """The value that the page's forms send back."""
    found = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert found is not None
    return found[1]


def test_in_file_mode_an_edit_ends_in_the_patch_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"{SITE}settings:\n  {_CORS}maxAge: 60  # a minute\n", encoding="utf-8")
    with running_file(file) as site:
        client = site.client(Role.VIEWER)
        page = client.get("/settings").text
        assert "This gateway follows" in page
        preview = client.post("/settings/preview", data=filled(page) | {f"{_CORS}maxAge": "600"}).text
        assert f"+  {_CORS}maxAge: 600  # a minute" in preview
        assert "Copy patch" in preview
        assert "Save as revision" not in preview
