"""Explanations of a script's request, under drafts, earlier revisions, and with lines of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.console_site import SITE, Site

from crossgate.admin.flow_bodies import Rules, flow_body, locator
from crossgate.catalogue.document import load_document
from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.policy import Request
from crossgate.policy.whole_flow import whole_flow
from crossgate.service.file_store import FileStore

SCRIPT = {"api": "petstore/1.0", "origin": "https://app.example.com", "script": True}


def explained(site: Site, **body: Any) -> dict[str, Any]:
    answer = site.api.viewer.post("/v1/explain", json={**SCRIPT, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_scripts_request_has_a_preflight_first(site: Site) -> None:
    found = explained(site, method="PATCH", request_headers="Content-Type")
    assert [(one["stage"], one["method"], one["sent"]) for one in found["stages"]] == [
        ("preflight", "OPTIONS", True),
        ("request", "PATCH", False),
    ]
    assert found["stages"][0]["request_headers"] == "content-type"
    assert (found["decision"]["status"], found["flow"]["failed"]) == (405, 4)


def test_a_passed_preflight_is_followed_by_the_request(site: Site) -> None:
    found = explained(site, method="PUT")
    assert [one["sent"] for one in found["stages"]] == [True, True]
    assert found["decision"]["reason"] == "origin-allowed"
    assert found["flow"]["flow"] == "cors-request"


@pytest.mark.parametrize(("api", "sent"), [("parcels/1.0", None), ("reports/1.0", None)])
def test_what_is_forwarded_is_decided_by_the_native_service(site: Site, api: str, sent: bool | None) -> None:
    assert explained(site, api=api, method="PUT")["stages"][1]["sent"] is sent


def test_a_draft_is_compared(site: Site) -> None:
    draft = {"allowed_origins": ["https://app.example.com"], "allowed_methods": ["PATCH"]}
    found = explained(site, method="PATCH", compare={"policy": draft})
    assert found["compared"]["draft"] is True
    assert found["compared"]["differs"] is True
    assert found["compared"]["step"] == 4
    assert found["compared"]["decision"]["action"] == "forward"
    same = explained(site, method="PATCH", compare={"policy": {**draft, "allowed_methods": ["GET"]}})
    assert (same["compared"]["differs"], same["compared"]["step"]) == (False, 4)
    alone = explained(site, method="PATCH", policy=draft)
    assert alone["decision"]["action"] == "forward"


def test_a_draft_with_errors_is_refused(site: Site) -> None:
    answer = site.api.viewer.post(
        "/v1/explain", json={**SCRIPT, "policy": {"allowed_origins": ["https://a.example/"]}}
    )
    assert answer.status_code == 422
    assert answer.json()["diagnostics"][0]["path"] == "$.policy.allowed_origins[0]"


def test_an_earlier_revision_decides_as_it_did(own_site: Site) -> None:
    policy = {"allowed_origins": ["https://app.example.com"], "allowed_methods": ["PATCH"]}
    written = own_site.api.editor.put("/v1/apis/petstore/1.0/policy", json=policy, headers={"If-Match": "*"})
    assert written.status_code == 200, written.text
    now = explained(own_site, method="PATCH", compare={"revision": 1})
    assert now["decision"]["action"] == "forward"
    assert now["compared"]["revision"] == 1
    assert now["compared"]["decision"]["status"] == 405
    assert now["compared"]["differs"] is True
    assert explained(own_site, method="PATCH", revision=1)["decision"]["status"] == 405
    missing = own_site.api.viewer.post("/v1/explain", json={**SCRIPT, "revision": 99})
    assert missing.status_code == 404


def test_in_file_mode_a_rule_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(SITE)
    reading = load_document(file)
    assert reading.catalogue is not None
    store = FileStore(str(file), reading.catalogue, reading.locate)
    associations = Associations.of(reading.catalogue.applications)
    policy = effective_policy(reading.catalogue, associations, "petstore/1.0")
    rules = Rules("petstore/1.0", reading.catalogue, associations, locator(store))
    flow = whole_flow(policy, Request("OPTIONS", "https://shop.example.com", "PATCH"))
    body = flow_body(flow, rules)
    lines = SITE.splitlines()
    for step in body.steps:
        if step.rule is None:
            continue
        assert step.rule.file == str(file)
        line = lines[(step.rule.line or 0) - 1]
        assert (step.rule.path in line) or "https://shop.example.com" in line
