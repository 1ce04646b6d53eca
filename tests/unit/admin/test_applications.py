from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.catalogues import api as api_object
from tests.catalogues import application, catalogue
from tests.refusals import now
from tests.telemetry import let_in
from tests.unit.admin.entries import NEW, SHOP, create_pets, create_shop, shown

from crossgate.admin.paging import cursor_after
from crossgate.service.file_store import FileStore
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.refusals import AllowedDelta, AllowedKey
from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import Store


def test_application_lifecycle(api: AdminApi) -> None:
    create_pets(api.editor)
    etag = create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    read = api.viewer.get(SHOP)
    assert read.json() == {
        "name": "shop",
        "javascript_origins": ["https://shop.example"],
        "apis": ["pets/1.0"],
    }

    changed = api.editor.put(SHOP, json={"javascript_origins": []}, headers={"If-Match": etag})
    assert (changed.status_code, shown(changed)) == (200, {"name": "shop"})

    assert api.editor.delete(SHOP, headers={"If-Match": etag}).status_code == 412
    removed = api.editor.delete(SHOP, headers={"If-Match": changed.headers["ETag"]})
    assert removed.status_code == 204
    assert api.viewer.get(SHOP).status_code == 404


def test_suspend_and_resume(api: AdminApi) -> None:
    etag = create_shop(api.editor)

    suspended = api.editor.post(f"{SHOP}/suspend", headers={"If-Match": etag})
    assert (suspended.status_code, suspended.json()["suspended"]) == (200, True)
    assert api.editor.post(f"{SHOP}/resume", headers={"If-Match": etag}).status_code == 412

    resumed = api.editor.post(f"{SHOP}/resume", headers={"If-Match": suspended.headers["ETag"]})
    assert (shown(resumed), resumed.headers["ETag"]) == ({"name": "shop"}, etag)
    assert api.editor.post("/v1/applications/nobody/suspend", headers={"If-Match": "*"}).status_code == 404


def test_associate_and_dissociate(api: AdminApi) -> None:
    create_pets(api.editor)
    etag = create_shop(api.editor)
    path = f"{SHOP}/apis/pets/1.0"

    associated = api.editor.put(path, headers={"If-Match": etag})
    assert associated.json()["apis"] == ["pets/1.0"]
    again = api.editor.put(path, headers={"If-Match": "*"})
    assert (again.status_code, again.headers["Crossgate-Revision"]) == (200, "3")

    dissociated = api.editor.delete(path, headers={"If-Match": associated.headers["ETag"]})
    assert (shown(dissociated), dissociated.headers["ETag"]) == ({"name": "shop"}, etag)
    assert api.editor.delete(path, headers={"If-Match": "*"}).status_code == 404
    assert api.editor.put(f"{SHOP}/apis/cats/1.0", headers={"If-Match": "*"}).status_code == 404


def test_unknown_api_and_invalid_origins_are_placed(api: AdminApi) -> None:
    refused = api.editor.put(SHOP, json={"apis": ["cats/1.0"]}, headers=NEW)
    assert [one["path"] for one in refused.json()["diagnostics"]] == ["$.apis[0]"]

    refused = api.editor.put(
        SHOP, json={"javascript_origins": ["https://*.a.example", "x"], "suspended": "no"}, headers=NEW
    )
    assert {one["path"] for one in refused.json()["diagnostics"]} == {
        "$.javascript_origins[0]",
        "$.javascript_origins[1]",
        "$.suspended",
    }


@pytest.mark.parametrize(
    "name", ["a/b", "a b", "50%", "ü", "a?b#c", "'", "suspend", "shop/apis/pets/1.0", "\N{PILE OF POO}"]
)
def test_every_allowed_name_can_be_used_in_a_path(api: AdminApi, name: str) -> None:
    path = f"/v1/applications/{quote(name, safe='')}"

    assert shown(api.editor.put(path, json={}, headers=NEW)) == {"name": name}
    assert api.viewer.get(path).json() == {"name": name}
    assert api.viewer.get("/v1/applications", params={"name": name}).json()["items"][0]["name"] == name
    assert api.editor.post(f"{path}/suspend", headers={"If-Match": "*"}).json()["suspended"] is True
    assert api.editor.delete(path, headers={"If-Match": "*"}).status_code == 204


def test_filters(api: AdminApi) -> None:
    create_pets(api.editor)
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    api.editor.put("/v1/applications/Kiosk", json={"suspended": True}, headers=NEW)

    def names(**query: str) -> list[str]:
        items = api.viewer.get("/v1/applications", params=query).json()["items"]
        return [item["name"] for item in items]

    assert names() == ["Kiosk", "shop"]
    assert names(name="kio") == ["Kiosk"]
    assert names(api="pets/1.0") == names(origin="https://shop.example") == ["shop"]
    assert names(suspended="true") == ["Kiosk"]
    assert names(suspended="false", name="k") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": "2"}, ["app-0000", "app-0001"]),
        ({"limit": "2", "cursor": cursor_after("app-2997")}, ["app-2998", "app-2999"]),
        ({"name": "2999"}, ["app-2999"]),
        ({"origin": "https://a2999.example"}, ["app-2999"]),
        ({"api": "api-499/1", "limit": "1"}, ["app-0499"]),
        ({"suspended": "true"}, []),
    ],
)
def test_pages_and_filters_of_many_applications(query: dict[str, str], expected: list[str]) -> None:
    applications = [
        application(f"app-{number:04}", f"https://a{number}.example", apis=[f"api-{number % 500}/1"])
        for number in range(3000)
    ]
    apis = [api_object(f"api-{number}", version="1") for number in range(500)]
    store = FileStore("file", catalogue(apis, applications))
    with running_admin_api(store, InMemoryTokenStore()) as running:
        page = running.viewer.get("/v1/applications", params=query).json()
    assert [item["name"] for item in page["items"]] == expected


def test_search_finds_names_origins_apis_and_states(api: AdminApi) -> None:
    create_pets(api.editor)
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    for name in ("shop-admin", "kiosk"):
        body = {"javascript_origins": [f"https://{name}.example"]}
        assert api.editor.put(f"/v1/applications/{name}", json=body, headers=NEW).status_code == 201
    api.editor.post("/v1/applications/kiosk/suspend", headers={"If-Match": "*"})

    def found(q: str) -> list[str]:
        body = api.viewer.get("/v1/applications", params={"q": q}).json()
        assert body["total"] == len(body["items"])
        return [one["name"] for one in body["items"]]

    assert found("SHOP") == ["shop", "shop-admin"]
    assert found("shop api:PETS") == ["shop"]
    assert found("origin:admin.example") == found("https://shop-admin.example") == ["shop-admin"]
    assert found("is:suspended") == ["kiosk"]
    assert found("is:active shop") == ["shop", "shop-admin"]
    assert found("is:suspended is:active") == []
    assert found("api:") == ["kiosk", "shop", "shop-admin"]

    refused = api.viewer.get("/v1/applications", params={"q": "is:supended orign:x"})
    assert refused.status_code == 422
    found_errors = [(one["found"], one["remedy"].split(". ")[1]) for one in refused.json()["diagnostics"]]
    assert found_errors == [
        ("is:supended", "Did you mean suspended?"),
        ("orign:x", "Did you mean origin?"),
    ]


def test_pages_count_what_matches(api: AdminApi) -> None:
    for number in range(5):
        assert api.editor.put(f"/v1/applications/a{number}", json={}, headers=NEW).status_code == 201
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.viewer.get("/v1/applications", params={"q": "a", "limit": 2, "cursor": cursor}).json()
        assert page["total"] == 5
        pages.append([one["name"] for one in page["items"]])
        cursor = page["next"]
    assert pages == [["a0", "a1"], ["a2", "a3"], ["a4"]]


def test_origins_say_where_they_were_seen(store: Store) -> None:
    telemetry = InMemoryTelemetryStore()
    at = now()
    for name, seconds in (("pets/1.0", 0), ("shop/1.0", 60), ("secret/1.0", 90)):
        key = AllowedKey(name, "https://shop.example", True, "GET")
        telemetry.add_telemetry(let_in(AllowedDelta(key, 2.0, at - timedelta(seconds=seconds))))
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry) as api:
        create_pets(api.editor)
        create_shop(api.editor, "https://shop.example", "https://new.example", apis=("pets/1.0",))
        assert "origins" not in api.viewer.get("/v1/applications").json()["items"][0]

        [shop] = api.viewer.get("/v1/applications?seen=true").json()["items"]
        seen, unseen = shop["origins"]
        assert [one["api"] for one in seen["apis"]] == ["pets/1.0", "secret/1.0", "shop/1.0"]
        assert seen["last_seen"] == at.isoformat()
        assert unseen == {"origin": "https://new.example", "last_seen": None, "apis": []}

        assert api.viewer.get("/v1/applications?q=is:unseen").json()["total"] == 1
        etag = api.viewer.get(SHOP).headers["ETag"]
        body = {"javascript_origins": ["https://shop.example"], "apis": ["pets/1.0"]}
        assert api.editor.put(SHOP, json=body, headers={"If-Match": etag}).status_code == 200
        assert api.viewer.get("/v1/applications?q=is:unseen").json()["total"] == 0

        token = {"name": "limited", "role": "viewer", "apis": ["pets"]}
        with api.client(api.admin.post("/v1/tokens", json=token).json()["secret"]) as limited:
            [shop] = limited.get("/v1/applications?seen=true").json()["items"]
            assert [one["api"] for one in shop["origins"][0]["apis"]] == ["pets/1.0"]


def test_preview_of_an_application_changes_nothing(api: AdminApi) -> None:
    create_pets(api.editor, "https://pages.example")
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    path = f"{SHOP}/preview"
    draft = {"javascript_origins": ["https://new.example"], "apis": ["pets/1.0"]}
    [access] = api.viewer.post(path, json=draft).json()["access"]
    assert (access["gains"], access["loses"]) == (["https://new.example"], ["https://shop.example"])
    deleted = api.viewer.post(path, params={"delete": True}, json={})
    assert [one["after"] for one in deleted.json()["changes"]] == [None]
    assert deleted.json()["access"][0]["loses"] == ["https://shop.example"]
    assert api.viewer.post(f"{SHOP}x/preview", params={"delete": True}, json={}).status_code == 404
    assert api.viewer.post(path, json={"javascript_origins": ["no origin"]}).status_code == 422
    assert api.viewer.get(SHOP).json()["javascript_origins"] == ["https://shop.example"]
