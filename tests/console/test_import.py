"""The import page: a document is checked, planned and applied."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.console_site import SITE, Site, serving

from crossgate.catalogue.document import read_document
from crossgate.console.form_body import UploadedFile
from crossgate.console.import_report import refusal_report
from crossgate.console.imports import (
    CROSSGATE,
    MAX_KEPT,
    SentDocument,
    is_crossgate,
    may_be_crossgate,
    sent_document,
)
from crossgate.service.file_store import FileStore
from crossgate.service.permission import Role
from crossgate.store import SqliteDirectory, open_store

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
    beside = re.search(r"Line 3, column 14.*", unescape(page.text))
    assert beside is not None
    assert "Expected a string" in beside[0]
    assert "<code>    version: <mark>1.0</mark></code>" in page.text
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
    for kind in [CROSSGATE, *site.api.viewer.get("/v1/import/kinds").json()["items"]]:
        assert f">{kind['title']}</option>" in page
        assert kind["sentence"] in page


@pytest.mark.parametrize(
    ("text", "begins", "may_be"),
    [
        (SITE, True, True),
        ("\ufeff# a comment\r\n\r\n---\napplications: []", True, True),
        ('"apis" : []', True, True),
        ('{"apis": []}', False, True),
        ("openapi: 3.0.3\napis: []", False, False),
        ("# apis:\nservices: []", False, False),
        ("", False, False),
    ],
)
def test_own_documents_are_told_by_their_beginning(text: str, begins: bool, may_be: bool) -> None:
    document = SentDocument(text.encode())
    assert (is_crossgate(document), may_be_crossgate(document)) == (begins, may_be)


def test_the_chosen_file_counts_before_the_pasted_text_and_the_one_before() -> None:
    binary = UploadedFile("export.zip", b"PK\0\xff")
    kept = SentDocument(binary.data, binary.name).kept
    form = {"document": "apis: []\r\n", "kept": kept, "file": "export.zip"}
    assert sent_document(form, binary).data == binary.data
    assert sent_document(form, None) == SentDocument(b"apis: []\n", "export.zip", pasted=True)
    form["document"] = " "
    assert sent_document(form, None) == SentDocument(binary.data, "export.zip")
    form["kept"] = "not base64"
    assert sent_document(form, None).data == b" "
    assert SentDocument(b"\xff" * (MAX_KEPT + 1)).kept == ""
    assert SentDocument(b"text").kept == ""


def error(line: int | None, column: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"severity": "error", "line": line, "column": column, "found": None, "file": None} | {
        "message": "m",
        "remedy": "R",
        **more,
    }


def test_lines_far_apart_have_a_gap_and_places_without_a_line_come_last() -> None:
    text = "\n".join(f"line {number}" for number in range(1, 30))
    found = [error(None), error(20, 6, severity="warning"), error(2), error(40)]
    report = refusal_report(found, text, "document")
    assert [row.number for row in report.rows] == [1, 2, 3, None, 19, 20, 21, None]
    assert report.rows[5].pieces == ((False, "line "), (True, "20"))
    assert report.errors == 3
    assert [len(row.notes) for row in report.rows] == [0, 1, 0, 0, 0, 1, 0, 2]
    assert [row.number for row in refusal_report(found, None, "document").rows] == [None]


def test_a_long_line_has_a_row_for_each_value() -> None:
    text = '{"a": "' + "x" * 300 + '", "b": "' + "y" * 300 + '", "c": "z"}'
    columns = [text.index('"b"') + 6, text.index('"z"') + 1]
    (first, second) = refusal_report([error(1, one) for one in columns], text, "document").rows
    assert (first.number, second.number) == (1, 1)
    assert "".join(piece for marked, piece in second.pieces if marked) == '"z"'
    for row in (first, second):
        assert len("".join(piece for _, piece in row.pieces)) < 200


PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1.0"}
servers:
  - url: https://pets.internal/v2
paths:
  /pets:
    get: {}
"""


def test_document_of_another_kind_is_shown_beside_its_lines_and_applied(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    options = {"origin": "https://app.example.com\r\nhttps://*.vercel.app", "file": "pets.yaml"}
    page = plan(client, PETS, **options)
    assert page.status_code == 200
    text = unescape(page.text)
    assert "OpenAPI description: 1 API, 1 warning" in text
    assert "<mark>https://pets.internal/v2</mark>" in text
    assert "Attacker\u2019s origin" in text
    assert "POST /v1/import" in text
    assert "Plan on revision 1: 1 added, 0 changed, 0 removed" in text
    made = re.search(r'<textarea[^>]* id="made"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert made is not None
    document = unescape(made[1])
    assert "# pets.yaml:4" in document
    result = page.text.partition("import-result")[2]

    edited = applied(client, result, document.replace("app.example.com", "web.example.com"))
    assert "another one than was planned" in edited.text
    done = applied(client, result, document.replace("\n", "\r\n"), message="pets")
    assert (done.status_code, done.headers["Location"]) == (303, "/changes/2?done=2")
    again = unescape(plan(client, PETS).text)
    assert "Stay as they are" in again
    assert "Revision 2 already matches" in again
    assert 'id="made"' not in again


def test_a_gateway_that_follows_a_file_names_the_command_that_adds_to_it(tmp_path: Path) -> None:
    reading = read_document(SITE)
    assert reading.catalogue is not None
    with open_store(SqliteDirectory(tmp_path)) as store:
        file = FileStore("/etc/gateway.yaml", reading.catalogue)
        with serving(replace(store, catalogue=file)) as site:  # type: ignore[arg-type]
            page = plan(site.client(Role.EDITOR), PETS).text
    assert "crossgate import DOCUMENT -o /etc/gateway.yaml" in page
    assert "plan again" not in page
    assert "/import/apply" not in page


def test_file_is_uploaded_without_scripts_and_kept_for_other_options(site: Site) -> None:
    client = site.client(Role.VIEWER)
    csrf = csrf_of(client)
    files = {"upload": ("pets.json", PETS.encode())}
    page = client.post("/import", data={"csrf": csrf, "document": ""}, files=files)
    assert "pets.json" in page.text
    assert "Plan on revision 1" in page.text
    assert "Apply as revision" not in page.text

    archive = {"upload": ("export.zip", b"PK\x05\x06\xff" + b"\0" * 17)}
    refused = client.post("/import", data={"csrf": csrf, "document": "ignored"}, files=archive)
    assert refused.status_code == 422
    assert "nothing would be applied" in refused.text
    assert "export.zip, 22 bytes, is kept" in refused.text
    kept = re.search(r'name="kept" value="([^"]+)"', refused.text)
    assert kept is not None
    again = client.post(
        "/import",
        data={"csrf": csrf, "document": "", "kept": kept[1], "file": "export.zip", "kind": "openapi"},
    )
    assert again.status_code == 422
    assert "export.zip, 22 bytes, is kept" in again.text


def test_chosen_kind_and_missing_native_service_are_shown(site: Site) -> None:
    client = site.client(Role.VIEWER)
    bare = PETS.replace("servers:\n  - url: https://pets.internal/v2\n", "")
    page = unescape(plan(client, bare, kind="openapi").text)
    assert '<option value="openapi" selected>OpenAPI description</option>' in page
    assert "The document names none that can be used." in page
    unknown = plan(client, "hello: world\n")
    assert unknown.status_code == 422
    assert "the kind of document is unknown" in unescape(unknown.text).lower()
    crossgate = unescape(plan(client, PETS, kind="crossgate").text)
    assert "Read as Crossgate document" in crossgate


def test_existing_object_is_compared_with_the_document(site: Site) -> None:
    document = PETS.replace("pets, ", "petstore, ")
    page = unescape(plan(site.client(Role.VIEWER), document).text)
    assert "Stay as they are" in page
    assert '<td data-l="Property">native</td>' in page
    updated = unescape(plan(site.client(Role.VIEWER), document, update="on").text)
    assert "Plan on revision 1: 0 added, 1 changed, 0 removed" in updated


def test_hostile_content_of_another_kind_is_shown_escaped(site: Site) -> None:
    document = PETS.replace("pets, ", '"<img src=x onerror=alert(1)>\u202e", ')
    page = plan(site.client(Role.EDITOR), document).text
    assert "<img" not in page
    assert "\u202e" not in page.partition("import-report")[2]
