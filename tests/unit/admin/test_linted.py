"""What the linter calls an error is refused, unless the API accepts it by name and with a reason."""

from __future__ import annotations

from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets, policy_entry

UNSAFE = {"allowed_origins": ["https://*.com"], "allowed_methods": ["GET"]}


def codes(answer: dict[str, list[dict[str, str]]], key: str = "diagnostics") -> set[str]:
    return {one["code"] for one in answer[key] if one["severity"] != "info"}


def test_an_unsafe_policy_is_refused_at_its_place(api: AdminApi) -> None:
    create_pets(api.editor, "https://a.example")

    for path, body in ((PETS, api_entry(cors=UNSAFE)), (f"{PETS}/policy", UNSAFE)):
        refused = api.editor.put(path, json=body, headers={"If-Match": "*"})
        assert refused.status_code == 422
        assert "wildcard-public-suffix" in codes(refused.json())
        assert refused.json()["diagnostics"][0]["path"].endswith("allowed_origins[0]")
    assert api.viewer.get(f"{PETS}/policy").json() == policy_entry("https://a.example")


def test_what_is_accepted_with_a_reason_is_written_and_the_reason_kept(api: AdminApi) -> None:
    refused = api.editor.put(PETS, json=api_entry(cors=UNSAFE), headers=NEW).json()
    allow = [{"code": code, "reason": "a test"} for code in sorted(codes(refused))]

    written = api.editor.put(PETS, json=api_entry(cors=UNSAFE, lint={"allow": allow}), headers=NEW)

    assert written.status_code == 201
    recorded = api.viewer.get("/v1/revisions/1").json()["changes"][0]["after"]
    assert recorded["lint"] == {"allow": allow}


def test_warnings_are_said_and_refuse_nothing(api: AdminApi) -> None:
    document = """
apis:
  - {name: pets, version: "1", type: rest, native: "http://127.0.0.1:9", cors: {allowed_origins: ["http://a.test.com"]}}
"""
    checked = api.viewer.post("/v1/check", content=document).json()
    planned = api.viewer.post("/v1/plan", content=document)

    assert checked["valid"] is True
    assert "http-origin" in codes(checked)
    assert "http-origin" in codes(planned.json(), "findings")
    applied = api.editor.post("/v1/apply", content=document, headers={"If-Match": "*"})
    assert applied.status_code == 200


def test_going_back_is_never_refused(api: AdminApi) -> None:
    refused = api.editor.put(PETS, json=api_entry(cors=UNSAFE), headers=NEW).json()
    allow = [{"code": code, "reason": "a test"} for code in sorted(codes(refused))]
    accepted = api_entry(cors=UNSAFE, lint={"allow": allow})
    api.editor.put(PETS, json=accepted, headers=NEW)
    # Without its allowance it is refused; what was accepted once can be restored, with its reason.
    assert api.editor.put(PETS, json=api_entry(), headers={"If-Match": "*"}).status_code == 200
    assert api.editor.put(PETS, json=api_entry(cors=UNSAFE), headers={"If-Match": "*"}).status_code == 422

    assert api.editor.post("/v1/revisions/1/rollback", headers={"If-Match": "*"}).status_code == 200
