"""A gateway that runs from a file can be read, not written."""

from __future__ import annotations

from tests.admin_api import running_admin_api
from tests.catalogues import api, catalogue

from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore

PETS = "/v1/apis/pets/1.0"


def test_file_store_is_read_only() -> None:
    store = FileStore("/etc/gateway.yaml", catalogue([api("pets")]))
    with running_admin_api(store, InMemoryTokenStore()) as running:
        assert running.viewer.get(PETS).json()["name"] == "pets"
        assert "pets" in running.viewer.get("/v1/export").text
        assert running.viewer.get("/v1/revisions").json() == {"items": [], "next": None}
        assert running.viewer.post("/v1/plan", content="apis: []\n", params={"prune": "true"}).json()[
            "changes"
        ]
        newest = running.viewer.get("/v1/export", params={"revision": 1})
        assert (newest.status_code, "pets" in newest.text) == (200, True)
        assert running.viewer.get("/v1/revisions/1").status_code == 404
        match_any = {"If-Match": "*"}
        refused = [
            running.viewer.get("/v1/export", params={"revision": 0}),
            running.editor.put(f"{PETS}/policy", json={}, headers={"If-None-Match": "*"}),
            running.editor.delete(PETS, headers=match_any),
            running.admin.put("/v1/gateway", json={}, headers=match_any),
            running.editor.post("/v1/apply", content="apis: []\n", headers=match_any),
            running.editor.post("/v1/revisions/0/rollback", headers=match_any),
            # Whatever else is wrong with a write, no other advice would help.
            running.editor.put(f"{PETS}/policy", json={"mistyped": 1}),
            running.editor.delete("/v1/apis/none/1.0"),
            running.admin.put("/v1/settings", content="no JSON"),
        ]

    for answer in refused:
        assert answer.status_code == 409
        assert "/etc/gateway.yaml" in answer.json()["detail"]
