"""What a document may change and remove: within its scope, and much of it only if that is confirmed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, api_entry

ANY = {"If-Match": "*"}
OURS = {"selector": "team=a"}


def entry(name: str, team: str = "", **more: object) -> dict[str, Any]:
    labels = {"labels": {"team": team}} if team else {}
    return {"name": name, "version": "1", **api_entry(), **labels, **more}


def document(*apis: dict[str, Any], **more: object) -> str:
    return yaml.safe_dump({"apis": list(apis), **more})


def apply(client: httpx.Client, text: str, **query: str) -> httpx.Response:
    return client.post("/v1/apply", content=text, params=query, headers=ANY)


def names(api: AdminApi) -> list[str]:
    listed = api.viewer.get("/v1/apis", params={"limit": "500"}).json()["items"]
    return [one["api"]["name"] for one in listed]


def refusals(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(one["code"], one["path"]) for one in answer.json()["diagnostics"]]


def confirmations(body: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["code"], one["found"]) for one in body["confirmation"]]


@pytest.fixture
def teams(api: AdminApi) -> AdminApi:
    """Two APIs and an application of team a, and 244 objects of others."""
    ours = [entry(f"a-{number}", "a") for number in range(2)]
    theirs = [entry(f"b-{number:03}", "b" if number % 2 else "") for number in range(240)]
    consumers = [{"name": "web-a", "labels": {"team": "a"}}, *({"name": f"web-{at}"} for at in range(4))]
    assert apply(api.editor, document(*ours, *theirs, applications=consumers)).status_code == 200
    return api


def test_the_prune_of_one_team_does_not_erase_the_others(teams: AdminApi) -> None:
    ours = document(entry("a-0", "a", native_timeout=5.0))

    refused = apply(teams.editor, ours, prune="true")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:crossgate:problem:unconfirmed"
    assert len(names(teams)) == 242

    within = apply(teams.editor, ours, prune="true", **OURS)
    assert (within.status_code, within.json()["modified"], within.json()["removed"]) == (200, 1, 2)
    assert names(teams) == ["a-0", *(f"b-{number:03}" for number in range(240))]
    assert teams.viewer.get("/v1/applications").json()["total"] == 4


@pytest.mark.parametrize("path", ["/v1/check", "/v1/plan", "/v1/apply"])
def test_every_object_outside_of_the_selector_is_an_error(teams: AdminApi, path: str) -> None:
    before = teams.admin.get("/v1/export").text
    text = document(
        entry("new", "a"),
        entry("a-1", "b"),
        entry("b-001", "a"),
        entry("b-002"),
        applications=[{"name": "web-1", "labels": {"team": "a"}}, {"name": "new"}],
        gateway={"listen": "127.0.0.1:8080", "ready_path": True},
        settings={"watt.server.cors.enabled": False},
    )
    refused = teams.admin.post(path, content=text, params=OURS, headers=ANY)
    assert refused.status_code == (200 if path == "/v1/check" else 422)
    assert refusals(refused) == [
        ("selector-mismatch", "$.apis['a-1/1'].labels"),
        ("selector-takes-over", "$.apis['b-001/1'].labels"),
        ("selector-mismatch", "$.apis['b-002/1'].labels"),
        ("selector-takes-over", "$.applications['web-1'].labels"),
        ("selector-mismatch", "$.applications.new.labels"),
        ("selector-excludes-section", "$.gateway"),
        ("selector-excludes-section", "$.settings"),
    ]
    assert teams.admin.get("/v1/export").text == before


def test_sections_of_the_gateway_may_be_there_unchanged(teams: AdminApi) -> None:
    exported = yaml.safe_load(teams.viewer.get("/v1/export").text)
    text = document(entry("a-0", "a"), gateway=exported["gateway"])
    assert apply(teams.editor, text, **OURS).status_code == 200
    ready = document(entry("a-0", "a"), gateway={"ready_path": True})
    assert apply(teams.admin, ready).status_code == 200
    assert apply(teams.admin, document(entry("a-0", "a")), prune="true", **OURS).status_code == 200
    assert teams.admin.get("/v1/gateway").json()["ready_path"] is True


def test_an_unlimited_prune_resets_the_sections_and_a_selected_one_does_not(api: AdminApi) -> None:
    assert apply(api.admin, document(entry("a-0", "a"), gateway={"ready_path": True})).status_code == 200
    assert apply(api.admin, document(entry("a-0", "a")), prune="true", selector="team").status_code == 200
    assert api.admin.get("/v1/gateway").json()["ready_path"] is True
    assert apply(api.admin, document(entry("a-0", "a")), prune="true").status_code == 200
    assert "ready_path" not in api.admin.get("/v1/gateway").json()


def test_a_limited_token_with_a_selector_prunes_what_both_cover(teams: AdminApi) -> None:
    for name in ("b-other", "c-other"):
        made = teams.editor.put(
            f"/v1/apis/{name}/1", json={**api_entry(), "labels": {"team": "c"}}, headers=NEW
        )
        assert made.status_code == 201
    body = {"name": "b", "role": "editor", "apis": ["b-*"]}
    secret = teams.admin.post("/v1/tokens", json=body).json()["secret"]
    with teams.client(secret) as ours:
        assert apply(ours, document(), prune="true", selector="team=c").json()["removed"] == 1
        assert "c-other" in names(teams)
        refused = apply(ours, document(), prune="true")
    assert refused.status_code == 409
    assert len(names(teams)) == 243


def test_an_empty_selector_is_refused(teams: AdminApi) -> None:
    refused = apply(teams.editor, document(), prune="true", selector="")
    assert (refused.status_code, refusals(refused)) == (422, [("selector-invalid", "$.query.selector")])


def test_what_is_used_by_others_is_not_pruned(api: AdminApi) -> None:
    used = {"name": "web", "apis": ["a-0/1"], "labels": {"team": "b"}}
    assert apply(api.editor, document(entry("a-0", "a"), applications=[used])).status_code == 200
    refused = apply(api.editor, document(), prune="true", **OURS)
    assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (409, "api-in-use")


@pytest.mark.parametrize(
    ("there", "left", "asks"),
    [(6, 0, True), (5, 0, False), (60, 54, False), (60, 53, True), (61, 54, True)],
)
def test_a_plan_that_removes_much_needs_confirmation(
    api: AdminApi, there: int, left: int, asks: bool
) -> None:
    every = [entry(f"a-{number:02}", "a") for number in range(there)]
    # The objects of others do not count: to a team, its own are all.
    others = [entry(f"b-{number:02}", "b") for number in range(100)]
    assert apply(api.editor, document(*every, *others)).status_code == 200
    text = document(*every[:left])
    planned = api.viewer.post("/v1/plan", content=text, params={"prune": "true", **OURS})
    found = confirmations(planned.json())
    assert found == ([("many-removed", f"{there - left} of {there}")] if asks else [])

    without = apply(api.editor, text, prune="true", **OURS)
    assert without.status_code == (409 if asks else 200)
    if asks:
        assert confirmations(without.json()) == found
        assert len(names(api)) == there + 100
        assert apply(api.editor, text, prune="true", confirm="true", **OURS).json()["removed"] == there - left


@pytest.mark.parametrize(
    ("gateway", "paths"),
    [
        ({"listen": "127.0.0.1:8181"}, ["$.gateway.listen"]),
        ({"tls": {"certificate": "/c.pem", "key": "/k.pem"}}, ["$.gateway.tls"]),
        ({"ready_path": True}, []),
    ],
)
def test_a_plan_that_changes_the_listener_needs_confirmation(
    api: AdminApi, gateway: dict[str, object], paths: list[str]
) -> None:
    listen = {"listen": "127.0.0.1:8099"}
    # Nobody is served yet.
    assert apply(api.admin, document(entry("a-0"), gateway=listen)).status_code == 200
    text = document(entry("a-0"), gateway=listen | gateway)
    planned = api.admin.post("/v1/plan", content=text).json()
    assert [one["path"] for one in planned["confirmation"]] == paths
    refused = apply(api.admin, text)
    assert refused.status_code == (409 if paths else 200)
    assert apply(api.admin, text, confirm="true").status_code == 200


def test_a_rollback_passes_the_same_gate(api: AdminApi) -> None:
    assert apply(api.admin, document(entry("a-0"))).status_code == 200
    many = [entry(f"a-{number}") for number in range(8)]
    listen = {"listen": "127.0.0.1:8099"}
    assert apply(api.admin, document(*many, gateway=listen), confirm="true").status_code == 200

    planned = api.admin.get("/v1/revisions/1/rollback").json()
    assert confirmations(planned) == [
        ("many-removed", "7 of 8"),
        ("listener-changed", "127.0.0.1:8080"),
    ]
    refused = api.admin.post("/v1/revisions/1/rollback", headers=ANY)
    assert refused.status_code == 409
    assert confirmations(refused.json()) == confirmations(planned)
    assert len(names(api)) == 8
    done = api.admin.post("/v1/revisions/1/rollback", headers=ANY, params={"confirm": "true"})
    assert (done.status_code, len(names(api))) == (200, 1)
