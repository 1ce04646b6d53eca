"""Tokens that are limited to some APIs: what they show and what they change."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, api_entry, policy_entry

OURS, THEIRS = "/v1/apis/team-a-pets/1.0", "/v1/apis/team-b-shop/2.0"
ANY = {"If-Match": "*"}
ORIGIN = "https://ours.example"


@pytest.fixture
def ours(api: AdminApi) -> Iterator[httpx.Client]:
    """An editor of the APIs of team A, among those of team B."""
    for path in (OURS, THEIRS):
        entry = api_entry(cors=policy_entry("https://pages.example"))
        assert api.editor.put(path, json=entry, headers=NEW).status_code == 201
    for name, apis in (
        ("web", ["team-a-pets/1.0"]),
        ("shared", ["team-a-pets/1.0", "team-b-shop/2.0"]),
        ("foreign", ["team-b-shop/2.0"]),
        ("idle", []),
    ):
        body = {"javascript_origins": [f"https://{name}.example"], "apis": apis}
        assert api.editor.put(f"/v1/applications/{name}", json=body, headers=NEW).status_code == 201
    with api.client(limited(api, "editor")) as client:
        yield client


def limited(api: AdminApi, role: str) -> str:
    body = {"name": f"a-{role}", "role": role, "apis": ["team-a-*"]}
    created = api.admin.post("/v1/tokens", json=body)
    assert (created.status_code, created.json()["apis"]) == (201, ["team-a-*"])
    return str(created.json()["secret"])


def test_no_response_shows_an_api_outside_of_the_limit(ours: httpx.Client) -> None:
    reads = [
        ours.get(path)
        for path in (
            "/v1/apis",
            "/v1/apis?name=team-b",
            OURS,
            f"{OURS}/policy",
            "/v1/applications",
            "/v1/applications?api=team-b-shop/2.0",
            "/v1/applications/shared",
            "/v1/export",
            "/v1/gateway",
            "/v1/settings",
            "/v1/nodes",
        )
    ]
    assert {one.status_code for one in reads} == {200}
    assert not [one.url for one in reads if "team-b" in one.text or "foreign" in one.text]
    assert [one["key"] for one in reads[0].json()["items"]] == ["team-a-pets/1.0"]
    assert [one["name"] for one in reads[4].json()["items"]] == ["shared", "web"]
    assert reads[6].json()["apis"] == ["team-a-pets/1.0"]

    for path in (THEIRS, f"{THEIRS}/policy", "/v1/applications/foreign", "/v1/applications/idle"):
        assert ours.get(path).status_code == 404
    for path in ("/v1/revisions", "/v1/revisions/1", "/v1/export?revision=2", "/v1/export?revision=99"):
        refused = ours.get(path)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:crossgate:problem:token-limited")


def test_explain_knows_the_apis_within_the_limit_only(ours: httpx.Client) -> None:
    allowed = ours.post("/v1/explain", json={"api": "team-a-pets/1.0", "origin": "https://shared.example"})
    assert allowed.json()["decision"]["reason"] == "origin-allowed"
    for theirs in ({"api": "team-b-shop/2.0"}, {"path": "/gateway/team-b-shop/2.0/x"}):
        nobodys = {name: value.replace("shop", "none") for name, value in theirs.items()}
        answers = [ours.post("/v1/explain", json=request) for request in (theirs, nobodys)]
        assert {one.status_code // 100 for one in answers} == {4}
        assert answers[0].text.replace("shop", "none") == answers[1].text


def test_changes_within_the_limit(ours: httpx.Client) -> None:
    policy = policy_entry(ORIGIN)
    web = {"javascript_origins": ["https://new.example"], "apis": ["team-a-pets/1.0"]}
    changed = [
        ours.put(f"{OURS}/policy", json=policy, headers=ANY),
        ours.put("/v1/apis/team-a-new/1.0", json=api_entry(), headers=NEW),
        ours.put("/v1/applications/web", json=web, headers=ANY),
        ours.put("/v1/applications/web/apis/team-a-new/1.0", headers=ANY),
        ours.post("/v1/applications/web/suspend", headers=ANY),
        ours.delete("/v1/applications/web", headers=ANY),
        ours.delete("/v1/apis/team-a-new/1.0", headers=ANY),
    ]
    assert [one.status_code for one in changed] == [200, 201, 200, 200, 200, 204, 204]


def test_changes_outside_of_the_limit_are_refused(ours: httpx.Client, api: AdminApi) -> None:
    before = api.admin.get("/v1/export").text
    stolen = {"javascript_origins": ["https://evil.example"], "apis": ["team-b-shop/2.0"]}
    refused = [
        ours.put(THEIRS, json=api_entry(), headers=ANY),
        ours.put("/v1/apis/other/1.0", json=api_entry(), headers=NEW),
        ours.put("/v1/apis/team-a/1.0", json=api_entry(), headers=NEW),
        ours.put("/v1/applications/new", json=stolen, headers=NEW),
        ours.put("/v1/applications/new", json={**stolen, "apis": ["team-b-none/1.0"]}, headers=NEW),
        ours.put("/v1/applications/foreign", json=stolen, headers=ANY),
        ours.put("/v1/applications/foreign", json={"apis": ["team-a-pets/1.0"]}, headers=ANY),
        ours.put("/v1/applications/idle", json={"apis": ["team-a-pets/1.0"]}, headers=NEW | ANY),
        ours.put("/v1/applications/new", json={}, headers=NEW),
        ours.post("/v1/applications/shared/suspend", headers=ANY),
        ours.delete("/v1/applications/shared", headers=ANY),
        ours.delete("/v1/applications/shared/apis/team-a-pets/1.0", headers=ANY),
        ours.post("/v1/revisions/1/rollback", headers=ANY),
        ours.post("/v1/revisions/6/rollback", headers=ANY),
        ours.post("/v1/revisions/99/rollback", headers=ANY),
        ours.put("/v1/applications/shared/apis/team-a-pets/1.0", headers=ANY),
        ours.put("/v1/applications/shared/apis/team-a-pets/1.0", headers={"If-Match": '"beef"'}),
        ours.put("/v1/gateway", json={}, headers=ANY),
        ours.put("/v1/settings", json={}, headers=ANY),
        ours.get("/v1/tokens"),
    ]
    for answer in refused:
        assert answer.status_code == 403
        sent = answer.request.url.path + answer.request.read().decode()
        assert not [
            one
            for one in ("team-b-shop", "foreign", "idle", "shared")
            if one in answer.text and one not in sent
        ]
    missing = [
        ours.delete(THEIRS, headers=ANY),
        ours.put(f"{THEIRS}/policy", json={}, headers=ANY),
        ours.post("/v1/applications/foreign/resume", headers=ANY),
        ours.put("/v1/applications/web/apis/team-b-shop/2.0", headers=ANY),
    ]
    assert {one.status_code for one in missing} == {404}
    assert api.admin.get("/v1/export").text == before


def test_no_error_tells_whether_something_outside_of_the_limit_exists(ours: httpx.Client) -> None:
    for condition in (NEW, ANY, {"If-Match": '"wrong"'}):
        answers = [
            ours.put(path, json=api_entry(), headers=condition).json()
            for path in (THEIRS, THEIRS.replace("shop", "none"))
        ]
        details = [str(one).replace("shop", "").replace("none", "") for one in answers]
        assert details[0] == details[1]


@pytest.mark.parametrize("unknown", ["team-a-shop/2.0", "team-a-0/0"])
def test_no_remedy_names_an_api_outside_of_the_limit(ours: httpx.Client, api: AdminApi, unknown: str) -> None:
    api.editor.put("/v1/apis/a-first/1.0", json=api_entry(), headers=NEW)
    body = {"javascript_origins": [ORIGIN], "apis": [unknown]}

    (found,) = ours.put("/v1/applications/new", json=body, headers=NEW).json()["diagnostics"]

    assert found["code"] == "unknown-api"
    assert "team-a-pets/1.0" in found["remedy"]
    assert "team-b" not in found["remedy"]
    assert "a-first" not in found["remedy"]


def test_documents_within_the_limit(ours: httpx.Client, api: AdminApi) -> None:
    exported = ours.get("/v1/export").text
    assert "name: web" in exported
    # Without the API of the others, an admin who applies it would take the application from them.
    assert "name: shared" not in exported
    for pruned in ("false", "true"):
        again = ours.post("/v1/plan", content=exported, params={"prune": pruned})
        assert again.json()["changes"] == []

    entry = "{name: team-a-cats, version: '1', type: rest, native: 'http://127.0.0.1:9101'}"
    document = f"apis:\n  - {entry}\n"
    assert api.editor.delete("/v1/applications/shared", headers=ANY).status_code == 204
    planned = ours.post("/v1/plan", content=document, params={"prune": "true"})
    assert [(one["action"], one["key"]) for one in planned.json()["changes"]] == [
        ("add", "team-a-cats/1"),
        ("remove", "team-a-pets/1.0"),
        ("remove", "web"),
    ]

    foreign = document.replace("team-a-cats", "team-b-cats")
    for path in ("/v1/check", "/v1/plan", "/v1/apply"):
        refused = ours.post(path, content=foreign, headers=ANY)
        assert refused.status_code == 403
        assert [one["path"] for one in refused.json()["diagnostics"]] == ["$.apis['team-b-cats/1']"]
    settings = ours.post("/v1/apply", content="gateway: {native_ca: /etc/x.pem}\n", headers=ANY)
    assert (settings.status_code, settings.json()["type"]) == (403, "urn:crossgate:problem:role-insufficient")
    assert "team-b-shop/2.0" in api.admin.get("/v1/export").text


def test_an_export_with_a_selector_can_be_applied_again(ours: httpx.Client, api: AdminApi) -> None:
    shared = {"apis": ["team-a-pets/1.0", "team-b-shop/2.0"], "labels": {"team": "a"}}
    assert api.editor.put("/v1/applications/shared", json=shared, headers=ANY).status_code == 200
    assert ours.put(OURS, json={**api_entry(), "labels": {"team": "a"}}, headers=ANY).status_code == 200
    web = {"apis": ["team-a-pets/1.0"], "labels": {"team": "a"}}
    assert ours.put("/v1/applications/web", json=web, headers=ANY).status_code == 200

    exported = ours.get("/v1/export", params={"selector": "team=a"}).text

    assert "name: web" in exported
    assert "shared" not in exported
    query = {"selector": "team=a", "prune": "true"}
    assert ours.post("/v1/plan", content=exported, params=query).json()["changes"] == []


def test_an_editor_can_apply_a_document_that_leaves_the_gateway_as_it_is(api: AdminApi) -> None:
    gateway = {"listen": "127.0.0.1:8099", "public_origins": ["https://gateway.example.com"]}
    assert api.admin.put("/v1/gateway", json=gateway, headers=ANY).status_code == 200
    assert (
        api.editor.post("/v1/apply", content=api.editor.get("/v1/export").text, headers=ANY).status_code
        == 200
    )
    for document, parameters in (("gateway: {}\n", {}), ("apis: []\n", {"prune": "true"})):
        refused = api.editor.post("/v1/apply", content=document, headers=ANY, params=parameters)
        assert refused.status_code == 403
        assert "$.gateway" in [one["path"] for one in refused.json()["diagnostics"]]
        assert api.viewer.post("/v1/plan", content=document, params=parameters).json()["changes"]
    assert api.editor.post("/v1/revisions/0/rollback", headers=ANY).status_code == 403
    assert api.admin.post("/v1/revisions/0/rollback", headers=ANY).status_code == 200


def test_limits_that_cannot_be(api: AdminApi) -> None:
    for role, apis, codes in (
        ("editor", ["team a", "*-pets", "pets/1.0", ""], ["token-apis-invalid"] * 4),
        ("admin", ["team-a-*"], ["token-admin-limited"]),
    ):
        refused = api.admin.post("/v1/tokens", json={"name": "x", "role": role, "apis": apis})
        assert refused.status_code == 422
        assert [one["code"] for one in refused.json()["diagnostics"]] == codes


@pytest.mark.parametrize(
    "section",
    [
        {"settings": {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": ORIGIN}},
        {"gateway": {"public_origins": [ORIGIN]}},
        {"gateway": {"underscore_headers": "allow"}},
    ],
)
@pytest.mark.parametrize("path", ["/v1/plan", "/v1/check", "/v1/apply"])
def test_no_plan_for_the_whole_gateway_shows_what_is_outside_of_the_limit(
    ours: httpx.Client, section: dict[str, object], path: str
) -> None:
    refused = ours.post(path, json=section, headers=ANY)
    assert refused.status_code == 403
    assert "team-b" not in refused.text
