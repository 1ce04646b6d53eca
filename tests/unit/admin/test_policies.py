from __future__ import annotations

from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, api_entry, policy_entry, shown

POLICY = f"{PETS}/policy"


def test_policy_lifecycle(api: AdminApi) -> None:
    assert api.editor.put(POLICY, json=policy_entry(), headers=NEW).status_code == 404
    api.editor.put(PETS, json=api_entry(), headers=NEW)
    assert api.viewer.get(POLICY).status_code == 404

    created = api.editor.put(POLICY, json=policy_entry("https://a.example"), headers=NEW)
    assert created.status_code == 201
    read = api.viewer.get(POLICY)
    assert (read.json(), read.headers["ETag"]) == (
        policy_entry("https://a.example"),
        created.headers["ETag"],
    )
    changed = api.editor.put(POLICY, json=policy_entry(), headers={"If-Match": read.headers["ETag"]})
    assert changed.status_code == 200
    assert api.viewer.get(PETS).json()["cors"] == shown(changed) == {"allowed_methods": ["GET"]}

    removed = api.editor.delete(POLICY, headers={"If-Match": changed.headers["ETag"]})
    assert removed.status_code == 204
    assert "cors" not in api.viewer.get(PETS).json()


def test_etag_of_a_policy_covers_only_the_policy(api: AdminApi) -> None:
    api.editor.put(PETS, json=api_entry(cors=policy_entry("https://a.example")), headers=NEW)
    etag = api.viewer.get(POLICY).headers["ETag"]
    api.editor.put(
        PETS,
        json=api_entry(native_timeout=3.0, cors=policy_entry("https://a.example")),
        headers={"If-Match": "*"},
    )

    answer = api.editor.put(POLICY, json=policy_entry("https://b.example"), headers={"If-Match": etag})

    assert answer.status_code == 200
    assert api.viewer.get(PETS).json()["native_timeout"] == 3.0


def test_every_error_of_a_policy_is_reported_with_its_path(api: AdminApi) -> None:
    api.editor.put(PETS, json=api_entry(), headers=NEW)
    body = {"allowed_origins": ["*"], "allow_credentials": True, "allowed_methods": ["GET", "CONNECT"]}

    refused = api.editor.put(POLICY, json=body, headers=NEW)

    assert refused.status_code == 422
    assert "$.allowed_methods[1]" in {one["path"] for one in refused.json()["diagnostics"]}
    assert len(refused.json()["diagnostics"]) == 2
