"""The Changes page: who changed what, what it did to origins, and the way back."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from tests.console_site import Site

from crossgate.console.revisions import list_days
from crossgate.service.permission import Role

_PETSTORE = "/v1/apis/petstore/1.0/policy"


def _narrow(site: Site) -> None:
    """Revision 2: an origin loses access; revision 3: another API changes."""
    seen = site.api.editor.get(_PETSTORE)
    policy = seen.json()
    policy["allowed_origins"].remove("https://*.example.org")
    answer = site.api.editor.put(
        _PETSTORE,
        json=policy,
        params={"message": "Narrow <b>petstore"},
        headers={"If-Match": seen.headers["ETag"]},
    )
    assert answer.status_code == 200, answer.text
    path = "/v1/apis/orders/2.1/policy"
    orders = site.api.admin.get(path)
    policy = {**orders.json(), "allowed_methods": ["GET", "POST", "DELETE"]}
    answer = site.api.admin.put(
        path, json=policy, params={"message": "Cancel orders"}, headers={"If-Match": orders.headers["ETag"]}
    )
    assert answer.status_code == 200, answer.text


def test_the_list_names_author_message_and_what_changed(own_site: Site) -> None:
    _narrow(own_site)
    page = own_site.client(Role.VIEWER).get("/changes").text
    assert "Narrow &lt;b&gt;petstore" in page
    assert "test-editor" in page
    assert "petstore 1.0" in page
    assert "3 to 1 of 3" in page
    assert "Roll back" not in page


def test_a_filter_finds_by_api_author_and_words(own_site: Site) -> None:
    _narrow(own_site)
    client = own_site.client()
    found = {
        text: re.findall(r'class="number">(\d+)<', client.get("/changes", params={"q": text}).text)
        for text in ("api:petstore", "author:test-admin", "narrow", "api:orders/2.1 cancel", "nothing")
    }
    assert found == {
        "api:petstore": ["2", "1"],
        "author:test-admin": ["3"],
        "narrow": ["2"],
        "api:orders/2.1 cancel": ["3"],
        "nothing": [],
    }
    assert "Did you mean author:?" in client.get("/changes?q=autor:x").text


def test_a_revision_says_who_lost_access(own_site: Site) -> None:
    _narrow(own_site)
    page = own_site.client().get("/changes/2").text
    assert "1 origin or pattern lost access, none gained it." in page
    assert "https://*.example.org" in page
    assert '<div class="removed"' in page


def test_a_rollback_shows_its_plan_first_and_is_made(own_site: Site) -> None:
    _narrow(own_site)
    client = own_site.client(Role.ADMIN)
    plan = client.get("/changes/2?rollback=1").text
    assert "3 is taken back too:" in plan
    assert "1 origin or pattern gains access" in plan
    fields = dict(re.findall(r'name="(csrf|to|etag)" value="([^"]*)"', plan.replace("&#34;", "&quot;")))
    fields["etag"] = fields["etag"].replace("&quot;", '"')
    done = client.post("/changes/2?rollback=1", data={**fields, "message": "Back"}, headers=_own(own_site))
    assert done.status_code == 303, done.text
    assert done.headers["location"] == "/changes/4?done=4"
    assert "restored revision 1" in client.get("/changes/4").text
    again = client.post("/changes/2?rollback=1", data={**fields, "message": "Mine"}, headers=_own(own_site))
    assert "Not rolled back" in again.text
    assert 'value="Mine"' in again.text


def test_a_rollback_that_moves_the_listener_is_made_once_it_is_confirmed(own_site: Site) -> None:
    moved = {"listen": "127.0.0.1:8181", "public_origins": ["https://api.example.com"]}
    answer = own_site.api.admin.put("/v1/gateway", json=moved, headers={"If-Match": "*"})
    assert answer.status_code == 200
    client = own_site.client(Role.ADMIN)
    plan = client.get("/changes/2?rollback=1").text
    assert "It moves the listener from 127.0.0.1:8181 to 127.0.0.1:8080." in plan
    fields = dict(re.findall(r'name="(csrf|to|etag)" value="([^"]*)"', plan))
    fields = {name: unescape(value) for name, value in fields.items()}

    refused = client.post("/changes/2?rollback=1", data=fields, headers=_own(own_site))
    assert "it has not been confirmed" in refused.text
    undo = {"csrf": fields["csrf"], "revision": "2", "back": "/settings"}
    undone = client.post("/undo", data=undo, headers=_own(own_site))
    assert undone.headers["location"] == "/changes/2?rollback=1"
    assert own_site.api.viewer.get("/v1/gateway").json()["listen"] == "127.0.0.1:8181"

    fields["confirm"] = "true"
    done = client.post("/changes/2?rollback=1", data=fields, headers=_own(own_site))
    assert done.headers["location"] == "/changes/3?done=3"


def test_the_api_plans_a_rollback_without_making_it(own_site: Site) -> None:
    _narrow(own_site)
    plan = own_site.api.viewer.get("/v1/revisions/1/rollback")
    body = plan.json()
    assert [one["number"] for one in body["taken_back"]] == [3, 2]
    assert [(one["api"], one["gains"]) for one in body["access"]] == [
        ("petstore/1.0", ["https://*.example.org"])
    ]
    assert own_site.api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 3
    assert own_site.api.viewer.get("/v1/revisions/9/rollback").status_code == 404


def test_revision_zero_can_be_planned(own_site: Site) -> None:
    assert own_site.api.viewer.get("/v1/revisions/0/rollback").status_code == 200


@pytest.mark.parametrize(
    ("at", "heading"),
    [
        ("2026-11-28T10:00:00Z", "Today"),
        ("2026-11-27T23:59:59Z", "Yesterday"),
        ("2026-03-01T00:00:00Z", "1 March"),
        ("2025-03-01T00:00:00Z", "1 March 2025"),
    ],
)
def test_days_have_their_names(at: str, heading: str) -> None:
    revision = {"number": 1, "at": at, "message": "", "author": "a", "objects": 1, "rolls_back_to": None}
    days = list_days([{**revision, "nodes": [], "named": []}], date(2026, 11, 28))
    assert [one.heading for one in days] == [heading]


def _own(site: Site) -> dict[str, str]:
    return {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
