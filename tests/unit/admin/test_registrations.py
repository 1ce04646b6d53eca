"""Applications are registered with APIs, several at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.catalogues import api_with_policy, application, catalogue
from tests.unit.admin.entries import NEW, SHOP, api_entry, create_pets, create_shop, policy_entry

from crossgate.catalogue.document import write_document
from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore

PATH, PREVIEW = "/v1/registrations", "/v1/registrations/preview"
ORIGIN = "https://shop.example"


@pytest.fixture
def api(api: AdminApi) -> AdminApi:
    create_pets(api.editor, "https://pages.example")
    entry = api_entry(cors=policy_entry("https://pages.example"))
    assert api.editor.put("/v1/apis/cats/1.0", json=entry, headers=NEW).status_code == 201
    create_shop(api.editor, ORIGIN, apis=("pets/1.0",))
    return api


def pairs(*keys: str) -> list[dict[str, str]]:
    return [{"application": "shop", "api": key} for key in keys]


BODY: dict[str, Any] = {"register": pairs("cats/1.0"), "remove": pairs("pets/1.0")}


def test_preview_shows_who_gains_and_loses_and_changes_nothing(api: AdminApi) -> None:
    previewed = api.viewer.post(PREVIEW, json=BODY)
    assert (previewed.status_code, previewed.headers["ETag"]) == (200, '"revision-3"')
    plan = previewed.json()
    assert [(one["api"], one["gains"], one["loses"]) for one in plan["access"]] == [
        ("cats/1.0", [ORIGIN], []),
        ("pets/1.0", [], [ORIGIN]),
    ]
    assert [(one["key"], one["after"]["apis"]) for one in plan["changes"]] == [("shop", ["cats/1.0"])]
    assert api.viewer.get(SHOP).json()["apis"] == ["pets/1.0"]


def test_cells_become_one_revision(api: AdminApi) -> None:
    etag = api.viewer.post(PREVIEW, json=BODY).headers["ETag"]
    assert api.viewer.post(PATH, json=BODY, headers={"If-Match": etag}).status_code == 403
    assert api.editor.post(PATH, json=BODY).status_code == 428
    changed = api.editor.post(PATH, params={"message": "move"}, json=BODY, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["revision"]) == (200, 4)
    assert api.viewer.get(SHOP).json()["apis"] == ["cats/1.0"]
    assert api.viewer.get("/v1/revisions/4").json()["message"] == "move"

    stale = api.editor.post(PATH, json=BODY, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["found"]) == (412, "revision-4")
    again = api.editor.post(PATH, json=BODY, headers={"If-Match": "*"})
    assert (again.status_code, again.json()["changed"], again.json()["revision"]) == (200, False, 4)


def test_every_unknown_name_is_reported(api: AdminApi) -> None:
    body = {
        "register": [{"application": "nobody", "api": "cats/1.0"}, *pairs("none/1.0", "cats/1.0")],
        "remove": pairs("cats/1.0"),
    }
    for path, headers in ((PREVIEW, {}), (PATH, {"If-Match": "*"})):
        refused = api.editor.post(path, json=body, headers=headers)
        assert refused.status_code == 422
        assert [(one["code"], one["path"]) for one in refused.json()["diagnostics"]] == [
            ("application-unknown", "$.register[0].application"),
            ("api-unknown", "$.register[1].api"),
            ("registration-contradictory", "$.remove[0]"),
        ]
    assert api.editor.post(PREVIEW, json={"register": [{"application": "shop"}]}).status_code == 422
    assert api.editor.post(PREVIEW, json={"unregister": pairs("pets/1.0")}).status_code == 422


def test_limited_token_changes_applications_within_its_limit(api: AdminApi) -> None:
    created = api.admin.post("/v1/tokens", json={"name": "cats", "role": "editor", "apis": ["cats"]})
    with api.client(created.json()["secret"]) as limited:
        body = {"register": pairs("cats/1.0")}
        assert limited.post(PATH, json=body, headers={"If-Match": "*"}).status_code == 422
        both = {"apis": ["pets/1.0", "cats/1.0"], "javascript_origins": [ORIGIN]}
        assert api.editor.put(SHOP, json=both, headers={"If-Match": "*"}).status_code == 200
        refused = limited.post(PATH, json={"remove": pairs("cats/1.0")}, headers={"If-Match": "*"})
        assert (refused.status_code, "pets" in refused.text) == (403, False), refused.text


def test_file_mode_previews_with_the_patch_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    held = catalogue([api_with_policy("pets")], [application("shop", ORIGIN)])
    file.write_text(f"# ours\n{write_document(held)}", encoding="utf-8")
    with running_admin_api(FileStore(str(file), held), InMemoryTokenStore()) as api:
        body = {"register": [{"application": "shop", "api": "pets/1"}]}
        plan = api.editor.post(PREVIEW, json=body).json()
        assert plan["access"][0]["gains"] == [ORIGIN]
        assert "+  apis: [pets/1]" in plan["file"]["patch"].replace("  apis:", "  apis:")
        assert api.editor.post(PATH, json=body, headers={"If-Match": "*"}).status_code == 409
