"""The linter checks every write: errors refuse it, other findings are returned with the response."""

from __future__ import annotations

import json

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, SHOP, api_entry, codes, create_pets, create_shop, policy_entry

from crossgate.admin.responses import MAX_FINDINGS
from crossgate.policy import build_policy
from crossgate.policy.server_cors import PREFIX
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutPolicy, Restore
from crossgate.service.objects import ObjectKind
from crossgate.store import Store

POLICY = f"{PETS}/policy"
UNSAFE = {"regex": "https://.*example\\.com"}
ALLOWED = {
    "allow": [
        {
            "code": "origin-unbounded",
            "entry": UNSAFE["regex"],
            "reason": "all of them are ours, until June",
        }
    ]
}
UNSAFE_DOCUMENT = """
apis:
  - name: stock
    version: "2"
    type: rest
    native: http://127.0.0.1:9102
    cors: {allowed_origins: [{regex: 'https://.*example\\.com'}]}
"""


def revisions(api: AdminApi) -> int:
    return len(api.viewer.get("/v1/revisions").json()["items"])


def unsafe_entry(**more: object) -> dict[str, object]:
    return api_entry(cors={"allowed_origins": [UNSAFE], "allowed_methods": ["GET"]}, **more)


def make_unsafe(store: Store) -> None:
    """Store a policy with an error, as an earlier version may have; a rollback is not checked."""
    service = CatalogueService(store.catalogue)
    policy = build_policy(allowed_origins=[UNSAFE], allowed_methods=["GET"])
    planned = service.plan([PutPolicy("pets/1.0", policy)]).difference[0].after
    service.change([Restore({(ObjectKind.API, "pets/1.0"): planned})], author="earlier version")


def test_unsafe_policy_is_refused_with_witness_and_fix(api: AdminApi) -> None:
    create_pets(api.editor, "https://www.example.com")

    refused = api.editor.put(POLICY, json=unsafe_entry()["cors"], headers={"If-Match": "*"})

    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    (found,) = refused.json()["diagnostics"]
    assert (found["code"], found["severity"]) == ("origin-unbounded", "error")
    assert found["path"] == "$.allowed_origins[0]"
    assert found["witness"].endswith("example.com")
    assert found["witness"] in found["message"]
    assert found["fix"] in found["remedy"]
    assert "lint.allow" in found["remedy"]
    assert api.viewer.get(POLICY).json()["allowed_origins"] == ["https://www.example.com"]
    assert revisions(api) == 1


def test_finding_of_a_new_api_is_placed_in_its_body(api: AdminApi) -> None:
    refused = api.editor.put(PETS, json=unsafe_entry(), headers=NEW)

    assert [one["path"] for one in refused.json()["diagnostics"]] == ["$.cors.allowed_origins[0]"]
    assert (refused.status_code, revisions(api), api.viewer.get(PETS).status_code) == (422, 0, 404)


def test_suppressed_finding_is_stored_with_its_reason(api: AdminApi) -> None:
    stored = api.editor.put(PETS, json=unsafe_entry(lint=ALLOWED), headers=NEW)

    assert (stored.status_code, "origin-unbounded" in codes(stored)) == (201, False)
    (change,) = api.viewer.get("/v1/revisions/1").json()["changes"]
    assert change["after"]["lint"] == ALLOWED
    assert "all of them are ours, until June" in api.viewer.get("/v1/export").text

    refused = api.editor.put(PETS, json=unsafe_entry(), headers={"If-Match": "*"})
    assert refused.json()["diagnostics"][0]["code"] == "origin-unbounded"


def test_warnings_are_returned_by_a_write_and_its_repetition(api: AdminApi) -> None:
    body = api_entry(cors=policy_entry("http://www.example.com"))
    stored = api.editor.put(PETS, json=body, headers=NEW)
    again = api.editor.put(PETS, json=body, headers=NEW)

    assert (stored.status_code, again.status_code) == (201, 200)
    assert "http-origin" in codes(stored)
    assert again.json() == stored.json()
    assert stored.headers["ETag"] == api.viewer.get(PETS).headers["ETag"]
    assert "findings" not in api.viewer.get(PETS).json()


def test_application_cannot_add_an_untrusted_origin_to_an_api(api: AdminApi) -> None:
    body = api_entry(cors=policy_entry("https://www.example.com"), trusted_domains=["example.com"])
    api.editor.put(PETS, json=body, headers=NEW)
    create_shop(api.editor, "https://shop.example.net")

    refused = api.editor.put(f"{SHOP}/apis/pets/1.0", headers={"If-Match": "*"})

    (found,) = refused.json()["diagnostics"]
    assert (refused.status_code, found["code"]) == (422, "untrusted-domain")
    assert (found["path"], found["witness"]) == ("$.apis['pets/1.0'].cors", "https://shop.example.net")
    assert "apis" not in api.viewer.get(SHOP).json()
    good = {"javascript_origins": ["https://shop.example.com"], "apis": ["pets/1.0"]}
    assert api.editor.put(SHOP, json=good, headers={"If-Match": "*"}).status_code == 200


def test_existing_errors_do_not_block_other_changes(api: AdminApi, store: Store) -> None:
    create_pets(api.editor, "https://www.example.com")
    make_unsafe(store)

    slower = api.editor.put(PETS, json=unsafe_entry(native_timeout=5.0), headers={"If-Match": "*"})
    other = api.editor.put("/v1/apis/stock/2", json=api_entry(), headers=NEW)

    assert (slower.status_code, other.status_code) == (200, 201)
    assert "origin-unbounded" in codes(slower)
    assert codes(other) == []


def test_rollback_is_never_refused_and_returns_findings(api: AdminApi, store: Store) -> None:
    create_pets(api.editor, "https://www.example.com")
    make_unsafe(store)
    api.editor.put(POLICY, json=policy_entry("https://www.example.com"), headers={"If-Match": "*"})

    back = api.editor.post("/v1/revisions/2/rollback", headers={"If-Match": "*"})

    assert (back.status_code, back.json()["revision"]) == (200, 4)
    assert "origin-unbounded" in codes(back)
    assert api.viewer.get(POLICY).json()["allowed_origins"] == [UNSAFE]


def test_plan_marks_the_findings_for_which_apply_is_refused(api: AdminApi) -> None:
    planned = api.viewer.post("/v1/plan", content=UNSAFE_DOCUMENT)
    checked = api.viewer.post("/v1/check", content=UNSAFE_DOCUMENT)
    applied = api.editor.post("/v1/apply", content=UNSAFE_DOCUMENT, headers={"If-Match": "*"})

    assert (planned.status_code, planned.json()["changes"][0]["key"]) == (200, "stock/2")
    (refusing,) = [one for one in planned.json()["findings"] if one["refuses"]]
    assert refusing["path"] == "$.apis['stock/2'].cors.allowed_origins[0]"
    assert "origin-unbounded" in [one["code"] for one in checked.json()["diagnostics"]]
    assert (checked.json()["valid"], applied.status_code, revisions(api)) == (False, 422, 0)
    assert applied.json()["diagnostics"][0]["witness"] == refusing["witness"]
    fixed = UNSAFE_DOCUMENT.replace(".*example", "www\\.example")
    assert api.editor.post("/v1/apply", content=fixed, headers={"If-Match": "*"}).status_code == 200


def test_settings_of_the_server_are_linted(api: AdminApi) -> None:
    body: dict[str, object] = {
        f"{PREFIX}enabled": True,
        f"{PREFIX}allowedOrigins": "r:https://.* , null",
        f"{PREFIX}supportsCredentials": True,
        f"{PREFIX}maxAge": 600,
    }
    refused = api.admin.put("/v1/settings", json=body, headers={"If-Match": "*"})

    found = [(one["code"], one["found"], one["path"]) for one in refused.json()["diagnostics"]]
    place = f"$['{PREFIX}allowedOrigins']"
    assert refused.status_code == 422
    assert ("origin-unbounded", "r:https://.*", place) in found
    assert ("origin-null", "null", place) in found
    assert api.viewer.get("/v1/settings").json() == {}

    off = api.admin.put("/v1/settings", json={**body, f"{PREFIX}enabled": False}, headers={"If-Match": "*"})
    assert off.status_code == 422

    accepted = [{"code": code, "entry": entry, "reason": "a test"} for code, entry, _ in found]
    body["lint"] = {"allow": accepted}
    stored = api.admin.put("/v1/settings", json=body, headers={"If-Match": "*"})
    assert (stored.status_code, stored.json()["lint"]) == (200, {"allow": accepted})
    assert api.viewer.get("/v1/settings").json() == body
    assert "lint" in api.viewer.get("/v1/export").text


def test_public_origins_are_linted_as_with_credentials(api: AdminApi) -> None:
    body: dict[str, object] = {"listen": "127.0.0.1:8099", "public_origins": ["http://gateway.example.com"]}
    refused = api.admin.put("/v1/gateway", json=body, headers={"If-Match": "*"})

    (found,) = refused.json()["diagnostics"]
    assert (refused.status_code, found["code"], found["path"]) == (422, "http-origin", "$.public_origins[0]")

    item = {"code": "http-origin", "entry": "http://gateway.example.com", "reason": "a closed network"}
    assert json.dumps({**item, "reason": "…"}, ensure_ascii=False) in found["remedy"]
    body["lint"] = {"allow": [item]}
    stored = api.admin.put("/v1/gateway", json=body, headers={"If-Match": "*"})
    assert (stored.status_code, stored.json()) == (200, body)


def test_findings_for_the_gateway_are_returned(api: AdminApi) -> None:
    body = {"listen": "127.0.0.1:8099", "public_origins": ["https://gateway.example"]}
    stored = api.admin.put("/v1/gateway", json=body, headers={"If-Match": "*"})
    assert (stored.status_code, codes(stored)) == (200, ["internal-name"])


def test_origin_of_an_application_counts_with_the_credentials_of_its_apis(api: AdminApi) -> None:
    create_pets(api.editor, "https://www.example.com")
    create_shop(api.editor, "http://shop.example.com")
    association = f"{SHOP}/apis/pets/1.0"
    linked = api.editor.put(association, headers={"If-Match": "*"})
    assert (linked.status_code, codes(linked)) == (200, ["http-origin"])

    credentials = {**policy_entry("https://www.example.com"), "allow_credentials": True}
    refused = api.editor.put(POLICY, json=credentials, headers={"If-Match": "*"})
    (found,) = refused.json()["diagnostics"]
    path = found["path"]
    assert (refused.status_code, found["code"]) == (422, "http-origin")
    assert path.startswith("$.applications")
    assert path.endswith("javascript_origins[0]")

    item = {"code": "http-origin", "entry": "http://shop.example.com", "reason": "the kiosk has no TLS"}
    shop = {**api.viewer.get(SHOP).json(), "lint": {"allow": [item]}}
    assert api.editor.put(SHOP, json=shop, headers={"If-Match": "*"}).status_code == 200
    assert api.editor.put(POLICY, json=credentials, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("credentials", [True, False])
def test_of_very_many_findings_the_first_and_the_number_of_the_others_are_returned(
    api: AdminApi, *, credentials: bool
) -> None:
    origins = [f"http://page{number}.example.com" for number in range(MAX_FINDINGS + 7)]
    cors = {**policy_entry(*origins), "allow_credentials": credentials, "max_age": 600}
    answer = api.editor.put(PETS, json=api_entry(cors=cors), headers=NEW)

    assert answer.status_code == (422 if credentials else 201)
    found = answer.json()["diagnostics" if credentials else "findings"]
    severity = "error" if credentials else "warning"
    assert [one["code"] for one in found] == ["http-origin"] * MAX_FINDINGS + ["more-findings"]
    assert found[-1]["message"] == "7 more findings, which are not listed"
    assert {one["severity"] for one in found} == {severity}


def test_an_applied_document_returns_no_more_findings_and_its_plan_all(api: AdminApi) -> None:
    origins = [f"http://page{number}.example.com" for number in range(MAX_FINDINGS + 7)]
    cors = {**policy_entry(*origins), "max_age": 600}
    document = json.dumps({"apis": [{**api_entry(cors=cors), "name": "pets", "version": "1.0"}]})
    planned = api.viewer.post("/v1/plan", content=document)
    applied = api.editor.post("/v1/apply", content=document, headers={"If-Match": "*"})

    assert len(planned.json()["findings"]) == MAX_FINDINGS + 7
    assert len(applied.json()["findings"]) == MAX_FINDINGS + 1
    assert codes(applied)[-1] == "more-findings"
