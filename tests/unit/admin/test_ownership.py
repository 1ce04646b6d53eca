"""Owners and labels over REST: written, read, and filtered by."""

from __future__ import annotations

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, SHOP, api_entry


@pytest.fixture
def listed(api: AdminApi) -> AdminApi:
    for name, owner, labels in (
        ("carts", "Team A", {"team": "a"}),
        ("cards", "team b", {"team": "b", "env": "test"}),
        ("pets", None, None),
    ):
        more = {} if owner is None else {"owner": owner, "labels": labels}
        made = api.editor.put(f"/v1/apis/{name}/1", json=api_entry(**more), headers=NEW)
        assert made.status_code == 201, made.text
        made = api.editor.put(f"/v1/applications/of {name}", json=more, headers=NEW)
        assert made.status_code == 201, made.text
    return api


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["cards", "carts", "pets"]),
        ({"owner": "TEAM A"}, ["carts"]),
        ({"owner": "team"}, []),
        ({"selector": "team"}, ["cards", "carts"]),
        ({"selector": "team,env!=test"}, ["carts"]),
        ({"selector": "!team"}, ["pets"]),
        ({"owner": "Team B", "selector": "env=test"}, ["cards"]),
        ({"q": "label:team=b"}, ["cards"]),
        ({"q": "owner:b"}, ["cards"]),
    ],
)
def test_lists_are_filtered_by_owner_and_labels(
    listed: AdminApi, query: dict[str, str], names: list[str]
) -> None:
    apis = listed.viewer.get("/v1/apis", params=query).json()
    assert [one["api"]["name"] for one in apis["items"]] == names
    applications = listed.viewer.get("/v1/applications", params=query).json()
    assert [one["name"] for one in applications["items"]] == [f"of {name}" for name in names]
    assert apis["total"] == applications["total"] == len(names)


@pytest.mark.parametrize("path", ["/v1/apis", "/v1/applications"])
@pytest.mark.parametrize("selector", ["", "team in (a,b)"])
def test_an_invalid_selector_is_refused(api: AdminApi, path: str, selector: str) -> None:
    refused = api.viewer.get(path, params={"selector": selector})
    assert refused.status_code == 422
    assert {(one["code"], one["path"]) for one in refused.json()["diagnostics"]} == {
        ("selector-invalid", "$.query.selector")
    }


def test_invalid_owners_and_labels_are_placed(api: AdminApi) -> None:
    refused = api.editor.put(SHOP, json={"owner": " x", "labels": {"a b": "x", "team": 1}}, headers=NEW)
    assert [(one["code"], one["path"]) for one in refused.json()["diagnostics"]] == [
        ("owner-invalid", "$.owner"),
        ("label-key-invalid", "$.labels['a b']"),
        ("wrong-type", "$.labels.team"),
    ]
