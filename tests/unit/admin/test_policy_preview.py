"""A preview says what saving a draft would do, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.catalogues import api_with_policy, catalogue
from tests.refusals import batch, delta, group_key, now
from tests.unit.admin.entries import PETS, api_entry, create_pets, create_shop

from crossgate.catalogue.document import read_document, write_document
from crossgate.service.file_store import FileStore
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.refusals import AllowedDelta, AllowedKey
from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import Store

OLD = "https://old.example.com"
NEW = "https://shop.example.com"
PREVIEW = f"{PETS}/policy/preview"


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry) as running:
        create_pets(running.editor, OLD)
        yield running


def preview(api: AdminApi, policy: dict[str, Any] | None, **more: object) -> Any:
    answer = api.viewer.post(PREVIEW, json={"policy": policy, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_entry_has_a_verdict_and_every_error_its_place(api: AdminApi) -> None:
    origins = [OLD, "https://shop.example.com/", {"regex": r"https://.*example\.com"}]
    found = preview(api, {"allowed_origins": origins, "allowed_methods": ["GET", "TRACE"], "max_age": -1})
    assert [one["verdict"] and one["verdict"]["words"] for one in found["origins"]] == [
        "Only this origin",
        None,
        "Unsafe: evilexample.com passes",
    ]
    assert [one["path"] for one in found["errors"]] == [
        "$.allowed_origins[1]",
        "$.allowed_methods[1]",
        "$.max_age",
    ]
    refusing = [one for one in found["findings"] if one["refuses"]]
    # The entry before it is left out, and the place is still that in the draft.
    assert [(one["path"], one["witness"]) for one in refusing] == [
        ("$.allowed_origins[2]", "https://evilexample.com")
    ]
    assert not found["valid"]


def test_a_preview_says_who_gains_and_who_loses(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    passed = AllowedDelta(AllowedKey("pets/1.0", OLD, preflight=True, method="GET"), 9.0, now())
    older = delta(group_key(origin=NEW, method="POST"), 50, ago=3 * 86400)
    telemetry.add_telemetry(
        replace(
            batch(
                delta(group_key(origin=NEW), 30),
                delta(group_key(origin="https://evil.example"), 12),
                older,
            ),
            allowed=[passed],
        )
    )
    found = preview(api, {"allowed_origins": [NEW], "allowed_methods": ["GET"]})
    assert found["valid"]
    assert found["access"] == {"before": "policy", "after": "policy", "gains": [NEW], "loses": [OLD]}
    assert found["effect"] == {
        "refusals": 42,
        "turned": 30,
        "refused": 9,
        "gains": [{"origin": NEW, "clients": 0, "requests": 30}],
        "loses": [{"origin": OLD, "clients": None, "requests": 9}],
        "unknown": 0,
    }
    assert f"-    - {OLD}" in found["patch"]
    assert [one["key"] for one in found["objects"]] == ["pets/1.0"]
    assert api.viewer.get(f"{PETS}/policy").json()["allowed_origins"] == [OLD]


def test_a_draft_that_changes_nothing_has_its_findings(api: AdminApi) -> None:
    found = preview(api, api.viewer.get(f"{PETS}/policy").json())
    assert found["objects"] == []
    assert found["patch"] == ""
    assert found["access"] is None
    assert {one["code"] for one in found["findings"]} >= {"maxage-unset"}


def test_origins_of_applications_are_listed(api: AdminApi) -> None:
    create_shop(api.editor, NEW, "https://a.example.org", apis=("pets/1.0",))
    found = preview(api, {"allowed_origins": ["https://*.example.org"]})["application_origins"]
    assert [(one["origin"], one["verdict"]["words"], one["also"]) for one in found] == [
        (NEW, "Only this origin", None),
        ("https://a.example.org", "Only this origin", "https://*.example.org"),
    ]


def test_accepted_findings_stay_or_are_withdrawn(api: AdminApi) -> None:
    origin = "http://kiosk.example.com"
    policy = {"allowed_origins": [origin], "allowed_methods": ["GET"], "allow_credentials": True}
    accept = {"allow": [{"code": "http-origin", "entry": origin, "reason": "no certificate"}]}
    found = preview(api, policy, lint=accept)
    assert found["valid"]
    assert [(one["code"], one["reason"], one["finding"]["path"]) for one in found["accepted"]] == [
        ("http-origin", "no certificate", "$.allowed_origins[0]")
    ]
    assert not preview(api, policy, lint={})["valid"]
    wrong = preview(api, policy, lint={"allow": [{"code": "http-origin", "entry": origin}]})
    assert [one["path"] for one in wrong["errors"]] == ["$.lint.allow[0]"]


def test_a_draft_that_was_begun_with_another_policy_is_refused(api: AdminApi) -> None:
    read = api.viewer.get(f"{PETS}/policy")
    body = {"policy": read.json()}
    etag = {"If-Match": read.headers["ETag"]}
    first = api.viewer.post(PREVIEW, json=body, headers=etag)
    assert first.status_code == 200
    assert first.headers["ETag"] == read.headers["ETag"]
    changed = api.editor.put(f"{PETS}/policy", json={"allowed_origins": [NEW]}, headers=etag)
    assert changed.status_code == 200
    second = api.viewer.post(PREVIEW, json=body, headers=etag)
    assert second.status_code == 412
    assert second.json()["found"] == changed.headers["ETag"].strip('"')


def test_a_policy_can_be_added_and_removed(api: AdminApi) -> None:
    removed = preview(api, None)
    assert removed["access"] == {"before": "policy", "after": "native", "gains": [], "loses": []}
    etag = api.viewer.get(PETS).headers["ETag"]
    assert api.editor.put(PETS, json=api_entry(), headers={"If-Match": etag}).status_code == 200
    added = api.viewer.post(
        PREVIEW,
        json={"policy": {"allowed_origins": [NEW], "mode": "observe"}},
        headers={"If-None-Match": "*"},
    )
    assert added.status_code == 200, added.text
    assert added.json()["access"]["after"] == "observed"


def test_an_unknown_api_and_an_unknown_key_are_refused(api: AdminApi) -> None:
    assert api.viewer.post("/v1/apis/none/1/policy/preview", json={"policy": {}}).status_code == 404
    assert api.viewer.post(PREVIEW, json={"polcy": {}}).status_code == 422


def test_a_gateway_that_runs_a_file_gets_its_patch(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    text = f"""\
apis:
  - name: pets
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins:
        - {OLD}   # the shop before
        - https://a.example.com
      allowed_methods: [GET, POST]
      max_age: 600
"""
    file.write_text(text)
    catalogue = read_document(text).catalogue
    assert catalogue is not None
    with running_admin_api(FileStore(str(file), catalogue), InMemoryTokenStore()) as running:
        draft = {"allowed_origins": ["https://a.example.com", NEW], "allowed_methods": ["GET"]}
        found = preview(running, draft)["file"]
    assert (found["file"], found["line"]) == (str(file), 8)
    changed = [line for line in found["patch"].splitlines()[2:] if line[0] in "+-"]
    assert sorted(changed) == sorted(
        [
            f"-        - {OLD}   # the shop before",
            f"+        - {NEW}",
            "-      allowed_methods: [GET, POST]",
            "-      max_age: 600",
            "+      allowed_methods: [GET]",
        ]
    )


def test_the_patch_of_a_file_shows_no_neighbours_to_a_limited_token(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    held = catalogue([api_with_policy("pets"), api_with_policy("stock")])
    file.write_text(write_document(held))
    path = "/v1/apis/pets/1/policy/preview"
    with running_admin_api(FileStore(str(file), held), InMemoryTokenStore()) as running:
        assert "stock" in running.viewer.post(path, json={"policy": None}).json()["file"]["patch"]
        secret, _ = running.tokens.create("ours", Role.EDITOR, apis=["pets"])
        with running.client(secret) as limited:
            seen = limited.post(path, json={"policy": None})
    assert (seen.status_code, seen.json()["file"]["patch"]) == (200, None)
    assert "stock" not in seen.text
