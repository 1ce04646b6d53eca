"""The import page: a document is checked, planned and applied."""

from __future__ import annotations

import re
from html import unescape

import httpx
from tests.console_site import SITE, Site

from crossgate.console.imports import KINDS, checked, kind_of
from crossgate.service.permission import Role

OTHER = SITE.replace("https://portal.example.org]", "https://portal.example.com]")
TILL = "applications:\n  - name: till\n    javascript_origins: [https://till.example.com]\n"


def csrf_of(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/import").text)
    assert found is not None
    return found[1]


def plan(client: httpx.Client, document: str, **more: str) -> httpx.Response:
    return client.post("/import", data={"csrf": csrf_of(client), "document": document, **more})


def applied(client: httpx.Client, page: str, document: str, **more: str) -> httpx.Response:
    hidden = {
        name: unescape(value)
        for name, value in re.findall(r'name="(csrf|etag|planned)" value="([^"]*)"', page)
    }
    return client.post("/import/apply", data={**hidden, "document": document, **more})


def test_plan_shows_difference_and_who_gains_and_loses(site: Site) -> None:
    page = plan(site.client(Role.EDITOR), OTHER.replace("\n", "\r\n"))
    assert page.status_code == 200
    assert "Plan on revision 1: 0 added, 1 changed, 0 removed" in page.text
    assert page.text.count("https://portal.example.com") >= 3, "text, difference, who gains"
    assert "Gains access" in page.text
    assert "Apply as revision 2" in page.text
    viewer = plan(site.client(Role.VIEWER), OTHER)
    assert "Plan on revision 1" in viewer.text
    assert "Apply as revision" not in viewer.text
    assert "already matches" in plan(site.client(), SITE).text


def test_errors_stand_beside_their_lines(site: Site) -> None:
    document = "apis:\n  - name: x\n    version: 1.0\n    typ: rest\n"
    page = plan(site.client(Role.EDITOR), document)
    assert page.status_code == 422
    assert "4 errors; nothing would be applied" in page.text
    assert "Line 3, column 14: expected a string" in unescape(page.text)
    assert "  - name: x" in page.text
    assert "Apply as revision" not in page.text
    assert "The document is empty" in plan(site.client(), " ").text


def test_hostile_document_is_shown_escaped(site: Site) -> None:
    document = 'apis:\n  - name: "<img src=x onerror=alert(1)>\u202e"\n'
    page = plan(site.client(Role.EDITOR), document).text
    assert "<img" not in page
    after = page.partition("nothing would be applied")[2]
    assert "\u202e" not in after


def test_document_is_applied_with_its_reason(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    page = plan(client, TILL).text
    edited = applied(client, page, TILL.replace("till", "desk"))
    assert "another one than was planned" in edited.text
    assert own_site.api.viewer.get("/v1/applications/till").status_code == 404
    pruned = applied(client, page, TILL, prune="on")
    assert "another one than was planned" in pruned.text

    done = applied(client, page, TILL, message="a till")
    assert (done.status_code, done.headers["Location"]) == (303, "/changes/2?done=2")
    assert own_site.api.viewer.get("/v1/revisions/2").json()["message"] == "a till"

    moved = applied(client, page, TILL.replace("till.", "till2."))
    assert "another one than was planned" in moved.text
    second = plan(client, TILL.replace("till.", "till2.")).text
    assert (
        own_site.api.admin.post("/v1/applications/kiosk/resume", headers={"If-Match": "*"}).status_code == 200
    )
    conflict = applied(client, second, TILL.replace("till.", "till2."))
    assert conflict.status_code == 409
    assert "somebody saved revision 3 first" in conflict.text
    assert "Apply as revision 4" in conflict.text


def test_document_that_omits_objects_can_delete_them(site: Site) -> None:
    page = plan(site.client(), SITE.partition("applications:")[0], prune="on").text
    assert "0 added, 0 changed, 3 removed" in page
    assert "Loses access" in page


def test_what_removes_much_is_applied_once_it_is_confirmed(own_site: Site) -> None:
    client = own_site.client(Role.ADMIN)
    many = "applications:\n" + "".join(f"  - name: till-{number}\n" for number in range(60))
    assert applied(client, plan(client, many).text, many).status_code == 303
    page = plan(client, TILL, prune="on").text
    assert re.search(r"<b>It removes \d+ of the \d+ APIs and applications in its scope\.</b>", page)

    refused = applied(client, page, TILL, prune="on")
    assert refused.status_code == 409
    assert "it has not been confirmed" in refused.text
    assert own_site.api.viewer.get("/v1/applications").json()["total"] > 60
    done = applied(client, refused.text, TILL, prune="on", confirm="true")
    assert (done.status_code, done.headers["Location"]) == (303, "/changes/3?done=3")
    assert 'name="confirm"' not in plan(client, OTHER).text


def test_document_above_the_limit_is_refused_with_the_limit(site: Site) -> None:
    page = plan(site.client(Role.EDITOR), "a" * (16 * 2**20 + 1))
    assert page.status_code == 413
    assert "larger than 16 MiB" in page.text


def test_current_document_is_a_download(site: Site) -> None:
    answer = site.client(Role.VIEWER).get("/import/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="crossgate-revision-1.yaml"'
    assert answer.text == site.api.viewer.get("/v1/export").text


def test_each_kind_is_listed_with_what_it_does(site: Site) -> None:
    page = unescape(site.client().get("/import").text)
    for kind in KINDS:
        assert kind.name in page
        assert kind.sentence in page
    assert kind_of(SITE).name == "Crossgate document"


def test_lines_far_apart_have_a_gap() -> None:
    one = {"severity": "error", "line": 2, "message": "m"}
    other = {"severity": "warning", "line": 20, "message": "n"}
    bare = {"severity": "warning", "line": None, "message": "o"}
    text = "\n".join(f"line {number}" for number in range(1, 30))
    found = checked({"valid": False, "diagnostics": [bare, other, one]}, text)
    assert [line.number for line in found.lines] == [1, 2, 3, 4, None, 18, 19, 20, 21, 22]
    assert (found.errors, found.others) == (1, (bare,))
    past_the_end = {"severity": "error", "line": 40, "message": "m"}
    assert checked({"valid": False, "diagnostics": [past_the_end]}, text).lines[-1].number == 40
