from __future__ import annotations

from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets, shown


def test_revision_records_author_time_message_and_changes(api: AdminApi) -> None:
    api.editor.put(PETS, json=api_entry(), headers=NEW, params={"message": "Grüße\nfrom here"})

    revision = api.viewer.get("/v1/revisions/1").json()

    assert (revision["number"], revision["author"], revision["objects"]) == (1, "test-editor", 1)
    assert revision["message"] == "Grüße\nfrom here"
    assert revision["at"].endswith("Z")
    (change,) = revision["changes"]
    assert (change["kind"], change["key"], change["before"]) == ("api", "pets/1.0", None)
    assert change["after"] == {"name": "pets", "version": "1.0", **api_entry()}
    assert api.viewer.get("/v1/revisions/2").status_code == 404


def test_unchanged_object_creates_no_revision(api: AdminApi) -> None:
    etag = create_pets(api.editor)

    api.editor.delete(f"{PETS}/policy", headers={"If-Match": "*"})
    answer = api.editor.put(PETS, json=api_entry(), headers={"If-Match": "*"})

    assert answer.headers["Crossgate-Revision"] == "2"
    assert answer.headers["ETag"] != etag


def test_revision_pages_are_newest_first(api: AdminApi) -> None:
    for number in range(7):
        api.editor.put(f"/v1/apis/api-{number}/1", json=api_entry(), headers=NEW)

    first = api.viewer.get("/v1/revisions", params={"limit": 4}).json()
    second = api.viewer.get("/v1/revisions", params={"limit": 4, "cursor": first["next"]}).json()

    assert [one["number"] for one in first["items"] + second["items"]] == [7, 6, 5, 4, 3, 2, 1]
    assert second["next"] is None
    assert api.viewer.get("/v1/revisions", params={"cursor": "eA"}).status_code == 422


def test_rollback_to_any_revision(api: AdminApi) -> None:
    etag = create_pets(api.editor, "https://a.example")
    before = api.viewer.get("/v1/export").text
    api.editor.put(PETS, json=api_entry(), headers={"If-Match": etag})
    head = api.viewer.get("/v1/export").headers["ETag"]

    stale = api.editor.post("/v1/revisions/1/rollback", headers={"If-Match": '"revision-1"'})
    assert (stale.status_code, stale.json()["found"]) == (412, "revision-2")
    back = api.editor.post("/v1/revisions/1/rollback", headers={"If-Match": head}, params={"message": "oops"})
    assert shown(back) == {"revision": 3, "changed": True, "added": 0, "modified": 1, "removed": 0}
    assert api.viewer.get("/v1/export").text == before
    assert api.viewer.get("/v1/revisions/3").json()["rolls_back_to"] == 1

    empty = api.editor.post("/v1/revisions/0/rollback", headers={"If-Match": "*"})
    assert empty.json()["removed"] == 1
    assert api.editor.post("/v1/revisions/99/rollback", headers={"If-Match": "*"}).status_code == 404


def test_invalid_message_is_rejected(api: AdminApi) -> None:
    for message in ("\x1b[2J", "x" * 2001):
        refused = api.editor.put(PETS, json=api_entry(), headers=NEW, params={"message": message})
        assert refused.status_code == 422
    assert api.viewer.get("/v1/revisions").json()["items"] == []


def test_a_url_in_the_filter_is_sought_in_the_message(api: AdminApi) -> None:
    ticket = "https://tickets.example/7"
    for name, message in (("a", f"see {ticket}"), ("b", "other")):
        created = api.editor.put(
            f"/v1/apis/{name}/1", json=api_entry(), headers=NEW, params={"message": message}
        )
        assert created.status_code == 201
    found = api.viewer.get("/v1/revisions", params={"filter": ticket})
    assert [one["number"] for one in found.json()["items"]] == [1]


def test_revisions_are_found_by_author_api_and_application(api: AdminApi) -> None:
    for path in ("/v1/apis/pets/1", "/v1/apis/pets/2", "/v1/apis/pets-2/1", "/v1/apis/pe_s/1"):
        api.editor.put(path, json=api_entry(), headers=NEW)
    api.admin.put(
        "/v1/applications/Shop 2", json={"apis": ["pets/1"]}, headers=NEW, params={"message": "new"}
    )
    api.admin.put("/v1/apis/pets/1", json=api_entry(native_timeout=1), headers={"If-Match": "*"})

    def numbers(**query: str) -> list[int]:
        found = api.viewer.get("/v1/revisions", params=query)
        assert found.status_code == 200, found.text
        return [one["number"] for one in found.json()["items"]]

    assert numbers(api="pets/1") == [6, 1]
    assert numbers(api="pets") == [6, 2, 1]
    assert numbers(api="pe_s") == [4]
    assert numbers(api="pets/3") == numbers(api="et") == []
    assert numbers(application="Shop 2") == [5]
    assert numbers(author="TEST-admin") == [6, 5]
    assert numbers(author="test-admin", api="pets/1") == [6]
    assert numbers(author="test-admin", filter="new") == [5]
    assert numbers(author="test-admin", filter="author:test-editor") == [6, 5]
    assert numbers(author="nobody") == []
