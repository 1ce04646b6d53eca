from __future__ import annotations

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets, create_shop, policy_entry


def test_api_lifecycle(api: AdminApi) -> None:
    created = api.editor.put(PETS, json=api_entry(), headers=NEW, params={"message": "the pets"})
    assert created.status_code == 201
    assert created.headers["Crossgate-Revision"] == "1"

    read = api.viewer.get(PETS)
    assert (read.status_code, read.json()) == (200, {"name": "pets", "version": "1.0", **api_entry()})
    assert read.headers["ETag"] == created.headers["ETag"]
    known = {"If-None-Match": read.headers["ETag"]}
    assert api.viewer.get(PETS, headers=known).status_code == 304

    seen = {"If-Match": read.headers["ETag"]}
    changed = api.editor.put(PETS, json=api_entry(native_timeout=5.0), headers=seen)
    assert (changed.status_code, changed.headers["Crossgate-Revision"]) == (200, "2")
    assert changed.headers["ETag"] != read.headers["ETag"]

    removed = api.editor.delete(PETS, headers={"If-Match": changed.headers["ETag"]})
    assert (removed.status_code, removed.content) == (204, b"")
    assert api.viewer.get(PETS).status_code == 404
    assert api.editor.delete(PETS, headers=seen).status_code == 404


def test_repeated_put_succeeds_without_a_revision(api: AdminApi) -> None:
    etag = create_pets(api.editor)
    body = api_entry(cors=policy_entry("https://a.example"))

    first = api.editor.put(PETS, json=body, headers={"If-Match": etag})
    again = api.editor.put(PETS, json=body, headers={"If-Match": etag})

    assert (again.status_code, again.json(), again.headers["ETag"]) == (
        200,
        first.json(),
        first.headers["ETag"],
    )
    assert again.headers["Crossgate-Revision"] == first.headers["Crossgate-Revision"] == "2"


def test_stale_write_fails_with_both_etags(api: AdminApi) -> None:
    etag = create_pets(api.editor)
    newer = api.editor.put(PETS, json=api_entry(), headers={"If-Match": etag}).headers["ETag"]

    refused = api.editor.put(PETS, json=api_entry(native_timeout=1.0), headers={"If-Match": etag})

    assert refused.status_code == 412
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.json()["wanted"], refused.json()["found"]) == ([etag.strip('"')], newer.strip('"'))
    assert refused.headers["ETag"] == newer
    assert api.viewer.get(PETS).json() == {"name": "pets", "version": "1.0", **api_entry()}
    assert api.editor.put(PETS, json=api_entry(native_timeout=1.0), headers=NEW).status_code == 412


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", PETS),
        ("DELETE", PETS),
        ("PUT", f"{PETS}/policy"),
        ("DELETE", f"{PETS}/policy"),
        ("PUT", "/v1/applications/shop"),
        ("DELETE", "/v1/applications/shop"),
        ("POST", "/v1/applications/shop/suspend"),
        ("POST", "/v1/applications/shop/resume"),
        ("PUT", "/v1/applications/shop/apis/pets/1.0"),
        ("DELETE", "/v1/applications/shop/apis/pets/1.0"),
        ("PUT", "/v1/gateway"),
        ("PUT", "/v1/settings"),
        ("POST", "/v1/revisions/1/rollback"),
        ("POST", "/v1/apply"),
    ],
)
def test_every_write_requires_a_precondition(api: AdminApi, method: str, path: str) -> None:
    create_pets(api.editor)
    create_shop(api.editor, apis=("pets/1.0",))
    body = {
        PETS: api_entry(),
        "/v1/gateway": {"listen": "127.0.0.1:8099"},
        "/v1/settings": {"watt.server.cors.enabled": False},
    }.get(path, {})

    without = api.admin.request(method, path, json=body)
    stale = api.admin.request(method, path, json=body, headers={"If-Match": '"revision-1"'})
    malformed = api.admin.request(method, path, json=body, headers={"If-Match": "no-quotes"})

    assert (without.status_code, stale.status_code, malformed.status_code) == (428, 412, 400)
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 2


def test_all_errors_are_reported_at_once_with_their_paths(api: AdminApi) -> None:
    cors = {"allowed_origins": ["https://a*.example.com", "nonsense"], "allowed_methods": ["TRACE"]}
    refused = api.editor.put(PETS, json=api_entry(native="ftp://x", nativ="x", cors=cors), headers=NEW)

    problem = refused.json()
    assert (refused.status_code, problem["status"]) == (422, 422)
    assert {one["path"] for one in problem["diagnostics"]} == {
        "$.native",
        "$.nativ",
        "$.cors.allowed_origins[0]",
        "$.cors.allowed_origins[1]",
        "$.cors.allowed_methods[0]",
    }
    assert all(one["remedy"] for one in problem["diagnostics"])


def test_conflict_with_another_api_is_placed_in_the_body(api: AdminApi) -> None:
    create_pets(api.editor)
    body = api_entry(endpoints=["/other", "/gateway/pets/1.0/inside"])

    refused = api.editor.put("/v1/apis/cats/1.0", json=body, headers=NEW)

    assert refused.status_code == 422
    assert [one["path"] for one in refused.json()["diagnostics"]] == ["$.endpoints[1]"]


def test_name_in_the_body_must_match_the_path(api: AdminApi) -> None:
    refused = api.editor.put(PETS, json=api_entry(name="cats", version="1.0"), headers=NEW)

    assert (refused.status_code, refused.json()["diagnostics"][0]["path"]) == (422, "$.name")


def test_api_with_applications_cannot_be_deleted(api: AdminApi) -> None:
    etag = create_pets(api.editor)
    create_shop(api.editor, apis=("pets/1.0",))

    refused = api.editor.delete(PETS, headers={"If-Match": etag})

    assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (409, "api-in-use")


def test_pages_list_every_api_once(api: AdminApi) -> None:
    keys = [f"api-{number:02}/1" for number in range(25)]
    for key in reversed(keys):
        assert api.editor.put(f"/v1/apis/{key}", json=api_entry(), headers=NEW).status_code == 201
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.viewer.get("/v1/apis", params={"limit": 10, "cursor": cursor}).json()
        found += [item["key"] for item in page["items"]]
        cursor = page["next"]

    assert found == keys
    assert api.viewer.get("/v1/apis", params={"cursor": "!"}).status_code == 422


def test_filters(api: AdminApi) -> None:
    create_pets(api.editor)
    soap = {"type": "soap", "native": "http://127.0.0.1:9101"}
    api.editor.put("/v1/apis/Stock/1.0", json=soap, headers=NEW)

    def keys(**query: str) -> list[str]:
        items = api.viewer.get("/v1/apis", params=query).json()["items"]
        return [item["key"] for item in items]

    assert keys() == ["Stock/1.0", "pets/1.0"]
    assert keys(name="stock") == ["Stock/1.0"]
    assert keys(type="rest") == ["pets/1.0"]
    assert keys(policy="none") == ["Stock/1.0"]
    assert keys(policy="enforce") == ["pets/1.0"]
    assert keys(policy="observe") == []
