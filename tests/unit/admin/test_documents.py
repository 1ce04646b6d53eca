from __future__ import annotations

import re

from tests.admin_api import AdminApi
from tests.command import ROOT
from tests.unit.admin.entries import create_pets, create_shop, shown

DOCUMENT = """
apis:
  - name: pets
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins: [https://b.example]
  - name: stock
    version: "2"
    type: soap
    native: http://127.0.0.1:9102
"""


def test_plan_lists_changes_and_origins_that_gain_or_lose_access(api: AdminApi) -> None:
    create_pets(api.editor, "https://a.example")

    planned = api.viewer.post("/v1/plan", content=DOCUMENT)

    plan = planned.json()
    assert (planned.status_code, planned.headers["ETag"], plan["base"]) == (200, '"revision-1"', 1)
    assert [(one["action"], one["key"]) for one in plan["changes"]] == [
        ("change", "pets/1.0"),
        ("add", "stock/2"),
    ]
    pets = next(one for one in plan["access"] if one["api"] == "pets/1.0")
    assert (pets["gains"], pets["loses"]) == (["https://b.example"], ["https://a.example"])
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 1


def test_apply_creates_one_revision(api: AdminApi) -> None:
    create_pets(api.editor, "https://a.example")
    etag = api.viewer.post("/v1/plan", content=DOCUMENT).headers["ETag"]

    applied = api.editor.post(
        "/v1/apply", content=DOCUMENT, headers={"If-Match": etag}, params={"message": "both"}
    )

    counts = {"revision": 2, "changed": True, "added": 1, "modified": 1, "removed": 0}
    assert shown(applied) == counts
    assert api.viewer.get("/v1/revisions/2").json()["message"] == "both"
    assert api.viewer.post("/v1/plan", content=DOCUMENT).json()["changes"] == []


def test_apply_fails_if_the_base_has_moved(api: AdminApi) -> None:
    etag = api.viewer.post("/v1/plan", content=DOCUMENT).headers["ETag"]
    create_shop(api.editor)

    refused = api.editor.post("/v1/apply", content=DOCUMENT, headers={"If-Match": etag})

    assert refused.status_code == 412
    assert (refused.json()["wanted"], refused.json()["found"]) == (["revision-0"], "revision-1")
    assert api.viewer.get("/v1/apis").json()["items"] == []


def test_only_prune_deletes(api: AdminApi) -> None:
    create_pets(api.editor)
    create_shop(api.editor, apis=("pets/1.0",))

    kept = api.editor.post("/v1/apply", content="apis: []\n", headers={"If-Match": "*"})
    pruned = api.editor.post(
        "/v1/apply", content="apis: []\n", headers={"If-Match": "*"}, params={"prune": "true"}
    )

    assert (kept.json()["changed"], pruned.json()["removed"]) == (False, 2)


def test_applying_an_export_changes_nothing(api: AdminApi) -> None:
    api.editor.post("/v1/apply", content=DOCUMENT, headers={"If-Match": "*"})
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    body = {"listen": "127.0.0.1:8099", "public_origins": ["https://gateway.example"]}
    api.editor.put("/v1/gateway", json=body, headers={"If-Match": "*"})
    exported = api.viewer.get("/v1/export")

    applied = api.editor.post(
        "/v1/apply",
        content=exported.content,
        headers={"If-Match": exported.headers["ETag"]},
        params={"prune": "true"},
    )

    assert applied.json()["changed"] is False
    assert api.viewer.get("/v1/export").content == exported.content
    assert api.viewer.get("/v1/export", params={"revision": 1}).text != exported.text
    assert api.viewer.get("/v1/export", params={"revision": 9}).status_code == 404


def test_invalid_document_is_rejected_with_all_errors(api: AdminApi) -> None:
    bad = DOCUMENT.replace("soap", "coffee").replace("http://127.0.0.1:9101", "ftp://x")

    checked = api.viewer.post("/v1/check", content=bad)
    planned = api.viewer.post("/v1/plan", content=bad)
    applied = api.editor.post("/v1/apply", content=bad, headers={"If-Match": "*"})

    assert (checked.status_code, checked.json()["valid"]) == (200, False)
    assert (planned.status_code, applied.status_code) == (422, 422)
    paths = {"$.apis[0].native", "$.apis[1].type"}
    for found in (checked, planned, applied):
        assert {one["path"] for one in found.json()["diagnostics"]} == paths
        assert all(one["line"] for one in found.json()["diagnostics"])
    assert api.viewer.get("/v1/revisions").json()["items"] == []
    assert api.viewer.post("/v1/check", content=DOCUMENT).json()["valid"] is True


def test_unknown_parameter_is_rejected(api: AdminApi) -> None:
    refused = api.editor.post(
        "/v1/apply", content=DOCUMENT, headers={"If-Match": "*"}, params={"prun": "true", "prune": "false"}
    )

    assert (refused.status_code, refused.json()["diagnostics"][0]["path"]) == (422, "$.query.prun")
    assert api.viewer.get("/v1/revisions").json()["items"] == []


def test_document_cannot_make_the_server_read_a_file(api: AdminApi) -> None:
    document = (
        "settings: {watt.server.cors.enabled: true, watt.server.cors.allowedOrigins: 'file:/etc/passwd'}"
    )

    answer = api.viewer.post("/v1/check", content=document)

    assert answer.json()["valid"] is False
    assert "root:" not in answer.text


def test_the_request_to_explain_that_a_page_shows(api: AdminApi) -> None:
    page = (ROOT / "docs" / "how-to" / "troubleshoot.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"/v1/explain .*?-d '([^']+)'", page, re.DOTALL)
    cors = {
        "allowed_origins": ["https://shop.example.com"],
        "allowed_methods": ["GET", "PUT"],
        "allow_headers": ["Content-Type"],
    }
    pets = {"type": "rest", "native": "http://127.0.0.1:9101/v2", "cors": cors}
    created = api.editor.put("/v1/apis/petstore/1.0", json=pets, headers={"If-None-Match": "*"})
    assert created.status_code == 201
    explained = api.viewer.post("/v1/explain", content=body).json()
    decision = explained["decision"]
    assert (decision["status"], decision["body"].strip()) == (403, "Header Not Supported")
    assert {"steps", "hint"} < explained.keys()


def test_explain(api: AdminApi) -> None:
    create_pets(api.editor, "https://a.example")
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    request = {"api": "pets/1.0", "method": "OPTIONS", "request_method": "GET"}

    allowed = api.viewer.post("/v1/explain", json={**request, "origin": "https://shop.example"}).json()
    refused = api.viewer.post("/v1/explain", json={**request, "origin": "https://evil.example"}).json()

    assert (allowed["decision"]["status"], allowed["decision"]["reason"]) == (200, "preflight-allowed")
    assert (refused["decision"]["status"], refused["decision"]["reason"]) == (403, "origin-refused")
    assert [step["passed"] for step in refused["steps"]][-1] is False
    assert (allowed["hint"], refused["hint"]) == (None, None)
    other_scheme = api.viewer.post("/v1/explain", json={**request, "origin": "http://shop.example"}).json()
    assert other_scheme["hint"]["nearest"] == "https://shop.example"
    misspelt = api.viewer.post("/v1/explain", json={**request, "origin": "HTTPS://Shop.Example:443/"}).json()
    assert misspelt["decision"]["reason"] == "origin-refused"
    assert misspelt["hint"] == {
        "message": "the origin has a path; browsers send https://shop.example, which is allowed",
        "remedy": "Write https://shop.example",
        "write": "https://shop.example",
        "nearest": None,
    }
    own = {**request, "method": "POST", "origin": "null", "sec_fetch_site": "same-origin"}
    assert api.viewer.post("/v1/explain", json=own).json()["decision"]["reason"] == "no-origin"
    assert api.viewer.post("/v1/explain", json={"api": "cats/1"}).status_code == 404
    by_path = api.viewer.post("/v1/explain", json={"path": "/gateway/pets/1.0/%2e%2e;/x"}).json()
    assert by_path["decision"]["reason"] == "path-malformed"
    outside = api.viewer.post("/v1/explain", json={"path": "/nowhere"})
    assert (outside.status_code, "no API serves this path" in outside.text) == (422, True)
    assert api.viewer.post("/v1/explain", json={"api": "pets/1.0", "orign": "x"}).status_code == 422
