"""After an act: what was done, and how to take it back."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.console_site import Site

from crossgate.console.sent_values import local_url, whole_number
from crossgate.console.toast import toast_of
from crossgate.service.permission import Role

ORIGIN = "https://new.example.com"


def allow(site: Site) -> None:
    path = "/v1/apis/petstore/1.0/policy"
    policy = site.api.editor.get(path).json()
    policy["allowed_origins"].append(ORIGIN)
    assert site.api.editor.put(path, json=policy, headers={"If-Match": "*"}).status_code == 200


def undo(client: httpx.Client, page: httpx.Response, revision: int) -> httpx.Response:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    form = {"csrf": found[1], "revision": str(revision), "back": "/nodes"}
    origin = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    return client.post("/undo", data=form, headers=origin)


def test_a_toast_names_what_was_allowed_and_undo_takes_it_back(own_site: Site) -> None:
    allow(own_site)
    client = own_site.client(Role.EDITOR)
    page = client.get("/nodes?done=2")
    assert f'Allowed <bdi class="origin" dir="ltr">{ORIGIN}</bdi>' in page.text
    done = undo(client, page, 2)
    assert (done.status_code, done.headers["location"]) == (303, "/nodes?done=3")
    assert "Restored revision 1" in client.get("/nodes?done=3").text
    policy = own_site.api.viewer.get("/v1/apis/petstore/1.0/policy").json()
    assert ORIGIN not in policy["allowed_origins"]


def test_undo_shows_the_plan_if_somebody_changed_something_since(own_site: Site) -> None:
    allow(own_site)
    client = own_site.client(Role.EDITOR)
    page = client.get("/nodes?done=2")
    path = "/v1/applications/kiosk/resume"
    assert own_site.api.editor.post(path, headers={"If-Match": "*"}).status_code == 200
    done = undo(client, page, 2)
    assert (done.status_code, done.headers["location"]) == (303, "/changes/2?rollback=1")
    assert ORIGIN in own_site.api.viewer.get("/v1/apis/petstore/1.0/policy").json()["allowed_origins"]


def test_a_viewer_sees_no_undo_and_a_wrong_revision_shows_nothing(site: Site) -> None:
    viewer = site.client(Role.VIEWER)
    assert "data-toast" in viewer.get("/nodes?done=1").text
    assert 'action="/undo"' not in viewer.get("/nodes?done=1").text
    for wrong in ("x", "99", "-1", "1" * 40):
        assert "data-toast" not in viewer.get(f"/nodes?done={wrong}").text


def test_who_may_read_no_revisions_sees_that_it_was_saved(own_site: Site) -> None:
    allow(own_site)
    token = own_site.api.tokens.create("team", Role.EDITOR, apis=["petstore"])[1]
    client = own_site.client()
    client.cookies.clear()
    client.cookies.set("crossgate-session", own_site.sessions.open(token)[0])
    page = client.get("/apis/petstore/1.0?done=2").text
    assert "Saved as revision 2" in page
    assert 'href="/changes/2"' not in page
    assert "data-toast" not in client.get("/apis/petstore/1.0?done=3").text


def test_how_many_nodes_enforce_it() -> None:
    revision: dict[str, object] = {"number": 7, "rolls_back_to": None, "changes": []}
    frame = {"revision": 7, "nodes": [1, 2, 3, 4], "nodes_behind": 1}
    assert toast_of(revision, frame).enforced == "enforced by 3 of 4 nodes"
    assert toast_of(revision, {**frame, "revision": 8}).enforced == ""


@pytest.mark.parametrize(
    "value", ["//evil.net", "/\\evil.net", "https://evil.net", "/x\r\nSet-Cookie: a", ""]
)
def test_only_paths_of_the_console_are_followed(value: str) -> None:
    assert local_url(value, "/") == "/"
    assert local_url("/refusals/ab12?q=is:open", "/") == "/refusals/ab12?q=is:open"


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("", None), ("-1", None), ("²", None), ("1" * 10, None)]
)
def test_only_short_numbers_of_ascii_digits_are_read(text: str, number: int | None) -> None:
    assert whole_number(text) == number
