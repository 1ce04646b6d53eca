"""Groups of refusals over REST: lists, one group, dismissals, and what each token sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.refusals import Collected, batch, delta, group_key
from tests.unit.admin.entries import NEW, api_entry, create_pets, policy_entry

from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.ports import TelemetryBatch
from crossgate.service.refusals import OtherRefusals
from crossgate.store import Store

SHOP = group_key()
OTHERS = group_key(origin="https://other.example", method="PUT", headers=("x-one", "x-two"))
STOCK = group_key("stock/2", observed=True)
SERVER = group_key(SERVER_LEVEL, "https://evil.example")
HOSTILE = "https://a\x1b[31m\u202e\ud800<b>=cmd()\r\n"
ANY = {"If-Match": "*"}


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore, collected: Collected) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry, recent=collected) as running:
        create_pets(running.editor, "https://app.example.com", "http://shop.example.com")
        entry = api_entry(cors=policy_entry("https://app.example.com") | {"mode": "observe"})
        assert running.editor.put("/v1/apis/stock/2", json=entry, headers=NEW).status_code == 201
        telemetry.add_telemetry(
            batch(delta(SHOP, 30), delta(OTHERS, 20, ago=600), delta(STOCK, 10), delta(SERVER, 5))
        )
        yield running


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def found(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_most_frequent_groups_come_first(api: AdminApi) -> None:
    body = found(api.viewer.get("/v1/refusals"))

    assert [one["id"] for one in body["items"]] == [SHOP.id, OTHERS.id, STOCK.id, SERVER.id]
    assert body["next"] is None
    first = body["items"][0]
    assert (first["api"], first["origin"], first["reason"], first["method"], first["headers"]) == (
        "pets/1.0",
        "https://shop.example.com",
        "origin-refused",
        "GET",
        [],
    )
    assert (first["count"], first["error"], first["state"], first["observed"]) == (30, 0, "open", False)
    assert (first["nearest"], first["difference"]) == ("http://shop.example.com", "scheme http, not https")
    assert (first["path"], first["user_agents"]) == ("/gateway/pets/1.0/list", ["Chrome"])
    assert body["items"][1]["headers"] == ["x-one", "x-two"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"api": "pets/1.0"}, [SHOP, OTHERS]),
        ({"api": "server-level"}, [SERVER]),
        ({"origin": "OTHER"}, [OTHERS]),
        ({"observed": "true"}, [STOCK]),
        ({"observed": "false", "api": "pets/1.0"}, [SHOP, OTHERS]),
        ({"reason": "method-refused"}, []),
        ({"state": "open"}, [SHOP, OTHERS, STOCK, SERVER]),
        ({"state": ["dismissed", "reopened"]}, []),
        ({"since": "2020-01-01T00:00:00"}, [SHOP, OTHERS, STOCK, SERVER]),
        ({"since": "9999-12-31T23:59:59-23:00"}, []),
        ({"filter": "api:pets is:open"}, [SHOP, OTHERS]),
        ({"filter": "x-two"}, [OTHERS]),
        ({"filter": "method:put", "api": "pets"}, [OTHERS]),
        ({"filter": "sort:recent api:pets"}, [SHOP, OTHERS]),
        ({"sort": "recent", "api": "pets"}, [SHOP, OTHERS]),
    ],
)
def test_filters(api: AdminApi, query: dict[str, str], expected: list[Any]) -> None:
    assert ids(api.viewer.get("/v1/refusals", params=query)) == [one.id for one in expected]


def test_groups_seen_since_a_time(api: AdminApi, collected: Collected) -> None:
    since = found(api.viewer.get(f"/v1/refusals/{SHOP.id}"))["last_seen"]
    assert OTHERS.id not in ids(api.viewer.get("/v1/refusals", params={"since": since}))

    # It was seen again, which is not stored yet.
    collected.report(delta(OTHERS, 2, ago=-5))
    again = found(api.viewer.get("/v1/refusals", params={"since": since, "origin": "other"}))["items"]
    assert [(one["id"], one["count"]) for one in again] == [(OTHERS.id, 22)]


def test_pages(api: AdminApi) -> None:
    first = found(api.viewer.get("/v1/refusals", params={"limit": 3}))
    second = found(api.viewer.get("/v1/refusals", params={"limit": 3, "cursor": first["next"]}))

    assert [one["id"] for one in first["items"] + second["items"]] == [
        SHOP.id,
        OTHERS.id,
        STOCK.id,
        SERVER.id,
    ]
    assert second["next"] is None
    for cursor in ("x", "bm90IGEgbnVtYmVy", "!"):
        assert api.viewer.get("/v1/refusals", params={"cursor": cursor}).status_code == 422


def test_a_cursor_of_another_order_is_invalid(api: AdminApi) -> None:
    by_count = found(api.viewer.get("/v1/refusals", params={"limit": 1}))["next"]
    by_clients = found(api.viewer.get("/v1/refusals", params={"limit": 1, "sort": "clients"}))["next"]
    for cursor, order in ((by_count, "clients"), (by_clients, "count"), (by_clients, "recent")):
        refused = api.viewer.get("/v1/refusals", params={"cursor": cursor, "sort": order})
        assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (422, "cursor-invalid")


def test_parts_of_a_list_and_how_many_there_are(api: AdminApi) -> None:
    api.editor.post(f"/v1/refusals/{STOCK.id}/dismiss", json={"reason": "bot"})
    body = found(api.viewer.get("/v1/refusals", params={"filter": "is:open", "limit": 1, "offset": 1}))
    assert [one["id"] for one in body["items"]] == [OTHERS.id]
    assert (body["total"], body["offset"]) == (3, 1)
    assert body["states"] == {"open": 3, "allowed": 0, "dismissed": 1, "reopened": 0}


def test_a_filter_that_is_wrong_says_what_was_meant(api: AdminApi) -> None:
    refused = api.viewer.get("/v1/refusals", params={"filter": "pets:1 is:opn"})
    assert refused.status_code == 422
    assert [one["remedy"] for one in refused.json()["diagnostics"]] == [
        "Did you mean api:pets?",
        "Did you mean is:open?",
    ]


def test_one_group_with_the_cause_and_the_flow(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    former = group_key(origin="http://shop.example.com")
    telemetry.add_telemetry(batch(delta(former, 4), delta(replace(former, preflight=False), 2)))
    policy = policy_entry("https://app.example.com")
    assert api.editor.put("/v1/apis/pets/1.0/policy", json=policy, headers=ANY).status_code == 200

    body = found(api.viewer.get(f"/v1/refusals/{former.id}", params={"changes": "false"}))

    assert body["changes"] == []
    cause = body["cause"]
    assert (cause["place"], cause["removed"], cause["alike"]) == (
        "allowed_origins",
        ["http://shop.example.com"],
        1,
    )
    assert body["since_revision"] == cause["revision"]
    assert (body["flow"]["flow"], body["flow"]["failed"]) == ("preflight", 2)
    listed = {one["id"]: one for one in found(api.viewer.get("/v1/refusals"))["items"]}
    assert listed[former.id]["since_revision"] == cause["revision"]
    assert listed[SHOP.id]["since_revision"] is None


def test_what_is_not_stored_yet_is_shown(api: AdminApi, collected: Collected) -> None:
    new = group_key(origin="https://new.example")
    collected.report(delta(SHOP, 5), delta(new, 100, variance=400.0))

    body = found(api.viewer.get("/v1/refusals", params={"api": "pets/1.0"}))

    counts = {one["id"]: (one["count"], one["error"]) for one in body["items"]}
    assert counts == {new.id: (100, 39), SHOP.id: (35, 0), OTHERS.id: (20, 0)}
    assert found(api.viewer.get(f"/v1/refusals/{new.id}"))["count"] == 100
    refused = api.editor.post(f"/v1/refusals/{new.id}/dismiss", json={"reason": "bot"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    collected.groups.clear()
    assert api.viewer.get(f"/v1/refusals/{new.id}").status_code == 404


def test_refusals_without_groups_are_counted(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    seen = delta(SHOP).last_seen
    other = OtherRefusals("pets/1.0", "origin-refused", False, 10, 1000.0, 100.0, seen)
    unmatched = OtherRefusals(SERVER_LEVEL, "origin-refused", False, 1, 1.0, 0.0, seen)
    telemetry.add_telemetry(
        TelemetryBatch("test", batch().hour, {}, others=[other, unmatched]),
    )

    assert [
        (one["api"], one["count"], one["error"]) for one in found(api.viewer.get("/v1/refusals"))["others"]
    ] == [
        ("pets/1.0", 1000, 20),
        ("server-level", 1, 0),
    ]
    assert found(api.viewer.get("/v1/refusals", params={"observed": "true"}))["others"] == []


def test_dismiss_and_reopen(api: AdminApi) -> None:
    path = f"/v1/refusals/{SHOP.id}"
    body = {"reason": "bot", "note": "  a crawler "}

    dismissed = found(api.editor.post(f"{path}/dismiss", json=body))

    assert (dismissed["state"], dismissed["id"]) == ("dismissed", SHOP.id)
    decision = dismissed["decision"]
    assert (decision["kind"], decision["reason"], decision["note"], decision["author"]) == (
        "dismissed",
        "bot",
        "a crawler",
        "test-editor",
    )
    assert decision["revision"] == 2
    assert found(api.viewer.get(path))["state"] == "dismissed"
    assert ids(api.viewer.get("/v1/refusals", params={"state": "dismissed"})) == [SHOP.id]
    assert SHOP.id not in ids(api.viewer.get("/v1/refusals", params={"state": "open"}))
    reopened = found(api.editor.post(f"{path}/reopen"))
    assert (reopened["state"], reopened["decision"]) == ("open", None)
    # The catalogue stays as it is.
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 2


def test_a_dismissed_group_returns_after_a_change(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    path = f"/v1/refusals/{SHOP.id}"
    assert found(api.editor.post(f"{path}/dismiss", json={"reason": "retired"}))["state"] == "dismissed"
    telemetry.add_telemetry(batch(delta(SHOP, 1, ago=-1)))
    assert found(api.viewer.get(path))["state"] == "dismissed"

    policy = policy_entry("https://app.example.com", "https://new.example")
    changed = api.editor.put("/v1/apis/pets/1.0/policy", json=policy, headers=ANY)
    assert changed.status_code == 200
    telemetry.add_telemetry(batch(delta(SHOP, 1, ago=-2)))

    body = found(api.viewer.get(path))
    assert (body["state"], body["revision"], body["decision"]["reason"]) == ("reopened", 3, "retired")


def test_an_origin_that_was_added_by_hand_counts_as_allowed(api: AdminApi) -> None:
    policy = policy_entry("https://app.example.com", "https://shop.example.com")
    assert api.editor.put("/v1/apis/pets/1.0/policy", json=policy, headers=ANY).status_code == 200

    body = found(api.viewer.get(f"/v1/refusals/{SHOP.id}"))

    assert (body["state"], body["revision"], body["decision"]) == ("allowed", 3, None)
    assert body["now"] == {"kind": "allowed", "reason": ""}


def test_invalid_bodies_are_refused(api: AdminApi) -> None:
    path = f"/v1/refusals/{SHOP.id}"
    for suffix, body in (
        ("dismiss", {}),
        ("dismiss", {"reason": "boring"}),
        ("dismiss", {"reason": "bot", "note": "a\x1b[31m"}),
        ("dismiss", {"reason": "bot", "note": "x" * 2001}),
        ("dismiss", {"reason": "bot", "notes": ""}),
        ("allow", {"change": 0}),
        ("allow", {"change": "1"}),
    ):
        refused = api.editor.post(f"{path}/{suffix}", json=body, headers=ANY)
        assert refused.status_code == 422, (suffix, body, refused.text)
        assert refused.json()["diagnostics"]
    assert found(api.viewer.get(path))["state"] == "open"
    assert api.editor.post("/v1/refusals/none/dismiss", json={"reason": "bot"}).status_code == 404
    assert api.viewer.get("/v1/refusals/none").status_code == 404
    assert api.viewer.get("/v1/refusals", params={"sort": "x"}).status_code == 422


def test_viewers_decide_nothing(api: AdminApi) -> None:
    for suffix, body in (("dismiss", {"reason": "bot"}), ("reopen", None), ("allow", {})):
        refused = api.viewer.post(f"/v1/refusals/{SHOP.id}/{suffix}", json=body, headers=ANY)
        assert (refused.status_code, refused.json()["type"]) == (
            403,
            "urn:crossgate:problem:role-insufficient",
        )


def test_a_limited_token_sees_its_apis_only(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    seen = delta(SHOP).last_seen
    others = [
        OtherRefusals(name, "origin-refused", False, 1, 1.0, 0.0, seen)
        for name in ("pets/1.0", "stock/2", SERVER_LEVEL)
    ]
    telemetry.add_telemetry(TelemetryBatch("test", batch().hour, {}, others=others))
    # A pattern that covers the word in the place of an API, too.
    for apis, expected in ((["stock"], [STOCK]), (["server*", "pets"], [SHOP, OTHERS])):
        secret, _ = api.tokens.create(f"limited-{apis[0][:2]}", Role.EDITOR, apis=apis)
        with api.client(secret) as client:
            body = found(client.get("/v1/refusals"))
            assert [one["id"] for one in body["items"]] == [one.id for one in expected]
            assert [one["api"] for one in body["others"]] == [expected[0].api]
            for hidden in {SHOP, STOCK, SERVER} - set(expected):
                assert client.get(f"/v1/refusals/{hidden.id}").status_code == 404
                for suffix, sent in (("dismiss", {"reason": "bot"}), ("reopen", None), ("allow", {})):
                    answer = client.post(f"/v1/refusals/{hidden.id}/{suffix}", json=sent, headers=ANY)
                    assert answer.status_code == 404, answer.text
                assert ids(client.get("/v1/refusals", params={"api": hidden.api})) == []
            shown = client.post(f"/v1/refusals/{expected[0].id}/dismiss", json={"reason": "bot"})
            assert shown.status_code == 200


def test_a_limited_token_previews_the_changes_that_it_is_shown(api: AdminApi) -> None:
    for name, apis in (("shared", ["pets/1.0", "stock/2"]), ("web", ["pets/1.0"])):
        entry = {"javascript_origins": ["https://a.example.net"], "apis": apis}
        assert api.editor.put(f"/v1/applications/{name}", json=entry, headers=NEW).status_code == 201
    path = f"/v1/refusals/{SHOP.id}"
    all_of_them = [one["sentence"] for one in found(api.viewer.get(path))["changes"]]
    secret, _ = api.tokens.create("ours", Role.EDITOR, apis=["pets"])
    with api.client(secret) as client:
        shown = [one["sentence"] for one in found(client.get(path))["changes"]]
        previews = [client.post(f"{path}/preview", json={"change": one + 1}) for one in range(len(shown))]
        assert [found(one)["change"]["sentence"] for one in previews] == shown
        assert client.post(f"{path}/preview", json={"change": len(shown) + 1}).status_code == 404
    assert shown != all_of_them[: len(shown)], "a hidden change stands between those that are shown"


def test_what_requests_sent_leaves_as_ascii(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    key = group_key(origin=HOSTILE, headers=("\u202ex", "=cmd()"))
    telemetry.add_telemetry(batch(delta(key, 1000)))

    for answer in (
        api.viewer.get("/v1/refusals"),
        api.viewer.get(f"/v1/refusals/{key.id}"),
        api.editor.post(f"/v1/refusals/{key.id}/dismiss", json={"reason": "attack"}),
        api.editor.post(f"/v1/refusals/{key.id}/reopen"),
    ):
        assert answer.status_code == 200
        assert answer.content.isascii()
        assert b"\x1b" not in answer.content
    assert found(api.viewer.get("/v1/refusals"))["items"][0]["origin"] == HOSTILE


def test_a_decision_reads_one_group_only(
    api: AdminApi, telemetry: InMemoryTelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    # A list of 10,000 groups takes a second of processor time.
    monkeypatch.delattr(InMemoryTelemetryStore, "all_refusals")

    for action, sent, state in (("dismiss", {"reason": "bot"}, "dismissed"), ("reopen", None, "open")):
        answer = api.editor.post(f"/v1/refusals/{SHOP.id}/{action}", json=sent)
        assert (answer.status_code, answer.json()["state"]) == (200, state)


def test_reads_have_etags(api: AdminApi) -> None:
    seen = api.viewer.get("/v1/refusals")

    again = api.viewer.get("/v1/refusals", headers={"If-None-Match": seen.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
