"""The pages of applications: cards, the matrix, and the acts on one application."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.admin_api import running_admin_api
from tests.console_site import SITE, Site

from crossgate.catalogue.document import read_document
from crossgate.console.applications import Column, application_rows, matrix_rows, save_bar
from crossgate.service.file_store import FileStore
from crossgate.service.permission import Role
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import InMemoryTokenStore, Tokens

ADD = {"register": [{"application": "partner-portal", "api": "orders/2.1"}], "remove": []}


def field(page: str, name: str) -> str:
    """The value of a field of a form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found[1])


def posted(client: httpx.Client, url: str, page: str, **values: str) -> httpx.Response:
    return client.post(url, data={"csrf": field(page, "csrf"), **values})


def preview(client: httpx.Client, cells: object, **values: str) -> str:
    csrf = re.search(r'"X-CSRF-Token": "([^"]+)"', client.get("/applications").text)
    assert csrf is not None
    headers = {"X-CSRF-Token": csrf[1], "HX-Request": "true"}
    answer = client.post(
        "/applications/registrations/preview", data={"cells": json.dumps(cells), **values}, headers=headers
    )
    assert answer.status_code == 200
    return answer.text


def test_cards_show_origins_with_verdict_and_when_they_were_seen(site: Site) -> None:
    page = site.client(Role.EDITOR).get("/applications?view=cards").text
    assert page.count("Only this origin") == 4
    assert "1 min ago" in page
    assert page.count("never seen") == 2, "m.example.net and portal.example.org; kiosk is suspended"
    assert "no effect" in page
    assert "GET /v1/applications?seen=true&amp;limit=20" in page
    assert "/applications/kiosk/resume" in page
    assert "/applications/storefront/suspend" in page


def test_matrix_says_what_each_registration_does(site: Site) -> None:
    page = unescape(site.client(Role.EDITOR).get("/applications?view=matrix").text)
    assert "5 of 5 APIs" in page
    assert 'aria-label="storefront, petstore 1.0: registered"' in page
    assert (
        'aria-label="kiosk, payments 3.0: registered, without effect: the application is suspended"' in page
    )
    assert 'aria-label="storefront, parcels 1.0: not registered"' in page
    assert 'role="grid"' in page
    columns = site.client().get("/applications?view=matrix&columns=pet").text
    assert "1 of 5 APIs" in columns
    assert "orders/2.1" not in columns
    assert "1 of 5 APIs" in site.client().get("/applications?view=matrix&q=api:petstore").text


@pytest.mark.parametrize("view", ["cards", "matrix"])
def test_viewer_sees_no_button(site: Site, view: str) -> None:
    page = site.client(Role.VIEWER).get(f"/applications?view={view}").text
    for refused in ('class="cell"', "/edit", "/suspend", "/delete", "Add application", 'role="grid"'):
        assert refused not in page
    for path in ("storefront/edit", "storefront/delete", "new"):
        assert site.client(Role.VIEWER).get(f"/applications/{path}").status_code == 303


def test_filter_and_its_mistakes(site: Site) -> None:
    client = site.client()
    assert "1 application" in client.get("/applications?q=origin:portal").text
    assert "No application matches" in client.get("/applications?q=zzz").text
    assert "Did you mean suspended?" in client.get("/applications?q=is:suspendd").text


def test_marked_cells_are_previewed_and_saved_as_one_revision(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    bar = preview(client, ADD, url="/applications?view=matrix")
    assert "1 unsaved change" in bar
    assert "1 origin gains access to orders 2.1" in bar
    assert "Save as revision 2" in bar
    form = {name: field(bar, name) for name in ("csrf", "etag", "url", "cells")}
    saved = client.post("/applications/registrations", data={**form, "message": "portal reads orders"})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/applications?view=matrix&done=2")
    assert own_site.api.viewer.get("/v1/applications/partner-portal").json()["apis"] == [
        "petstore/1.0",
        "orders/2.1",
    ]
    assert 'data-left="{&#34;register&#34;: [], &#34;remove&#34;: []}"' in preview(client, ADD)

    conflict = client.post("/applications/registrations", data=form)
    assert conflict.headers["Location"] == "/applications?view=matrix&moved=1"
    undo = {"register": [], "remove": ADD["register"]}
    shown = preview(client, undo, moved="1")
    assert "test-editor saved revision 2 first" in shown
    assert "It changes the same applications" in shown
    assert "Save as revision 3" in shown


def test_unknown_cell_is_a_problem_in_the_bar(site: Site) -> None:
    bar = preview(site.client(Role.EDITOR), {"register": [{"application": "gone", "api": "orders/2.1"}]})
    assert "Application not found" in bar
    assert "data-discard-cells" in bar


def test_application_is_added_edited_suspended_and_deleted(own_site: Site) -> None:
    client, api = own_site.client(Role.EDITOR), own_site.api.viewer
    page = client.get("/applications/new").text
    values = {
        "base": "{}",
        "etag": "",
        "name": "till",
        "origin": "https://till.example.com",
        "api": "orders/2.1",
    }
    saved = posted(client, "/applications/save", page, **values)
    assert saved.headers["Location"] == "/applications?view=cards&q=till&done=2"
    assert api.get("/v1/applications/till").json() == {
        "name": "till",
        "javascript_origins": ["https://till.example.com"],
        "apis": ["orders/2.1"],
    }
    other = {**values, "origin": "https://other.example.com"}
    assert posted(client, "/applications/save", page, **other).status_code == 412

    page = client.get("/applications/till/edit").text
    sent = {name: field(page, name) for name in ("etag", "base")}
    sent["origin"] = "https://till.example.com/path"
    assert "Origin" in posted(client, "/applications/save", page, **sent).text
    sent["origin"] = "https://till2.example.com"
    assert posted(client, "/applications/save", page, **sent).status_code == 303
    assert api.get("/v1/applications/till").json() == {
        "name": "till",
        "javascript_origins": ["https://till2.example.com"],
    }
    stale = posted(client, "/applications/save", page, **{**sent, "origin": "https://till3.example.com"})
    assert stale.status_code == 409
    assert "somebody else saved till first" in stale.text

    page = client.get("/applications/storefront/suspend").text
    assert "2 origins lose access to orders 2.1" in page
    done = posted(
        client, "/applications/storefront/suspend", page, etag=field(page, "etag"), message="stolen"
    )
    assert done.status_code == 303
    assert api.get("/v1/applications/storefront").json()["suspended"] is True
    page = client.get("/applications/storefront/resume").text
    assert "gain access to orders 2.1" in page

    page = client.get("/applications/till/delete").text
    etag = field(page, "etag")
    wrong = posted(client, "/applications/till/delete", page, etag=etag, typed="tilt")
    assert (wrong.status_code, "This is not the name" in wrong.text) == (422, True)
    assert posted(client, "/applications/till/delete", page, etag=etag, typed="till").status_code == 303
    assert api.get("/v1/applications/till").status_code == 404


def test_verdict_follows_what_is_typed(site: Site) -> None:
    client = site.client(Role.EDITOR)
    assert "Only this origin" in client.get("/applications/verdict?origin=https://a.example.com").text
    assert "is-bad" in client.get("/applications/verdict?origin=https://a.example.com/x").text
    hostile = client.get(
        "/applications/verdict", params={"origin": "https://\u202e<img src=x onerror=alert(1)>"}
    )
    assert "<img" not in hostile.text
    assert "\u202e" not in hostile.text
    assert 'value="orders/2.1"' in client.get("/applications/apis?api_q=ord").text


def test_cells_of_an_observed_api_have_no_effect() -> None:
    item = {"name": "a", "etag": "e", "application": {"apis": ["x/1", "y/1", "z/1"]}}
    rows = application_rows([item], {})
    columns = [Column("x/1", "enforce"), Column("y/1", "observe"), Column("z/1", "none")]
    [row] = matrix_rows(rows, columns, server_cors=False)
    assert [one.dot for one in row.cells] == ["registered", "inert", "inert"]
    [row] = matrix_rows(rows, columns, server_cors=True)
    assert {one.why_inert for one in row.cells} == {"server-level CORS decides"}


def test_bar_counts_only_what_changes() -> None:
    change = {
        "kind": "application",
        "key": "a",
        "before": {"apis": ["x/1"]},
        "after": {"apis": ["y/1", "z/1"]},
    }
    bar = save_bar({"base": 7, "changes": [change], "access": [], "findings": [], "replay": None})
    assert (bar.changed, bar.refused) == (3, 0)
    assert bar.left["remove"] == [{"application": "a", "api": "x/1"}]


def test_file_mode_gives_the_patch(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(SITE, encoding="utf-8")
    held = read_document(SITE).catalogue
    assert held is not None
    token_store = InMemoryTokenStore()
    sessions = Sessions(InMemorySessionStore(), Tokens(token_store))
    store, stack = FileStore(str(file), held), ExitStack()
    with stack, running_admin_api(store, token_store, sessions=sessions) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        client = Site(api, url, sessions, stack).client(Role.EDITOR)
        bar = preview(client, ADD)
        assert "orders/2.1" in bar.partition('id="file-patch"')[2]
        assert "Save as revision" not in bar
        page = client.get("/applications/storefront/suspend").text
        assert "+    suspended: true" in page
        assert ">Suspend</button>" not in page
        edit = client.get("/applications/storefront/edit")
        assert (edit.status_code, "Save as revision" in edit.text) == (200, False)
