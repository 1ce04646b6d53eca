"""Nodes over REST: which revision each enforces, what it rejected, and another attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.reported_nodes import MESSAGE, ReportedNodes, enforcing, lagging, rejecting
from tests.unit.admin.entries import create_pets

from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.certificates import CertificateState
from crossgate.service.permission import Role
from crossgate.service.rejection_causes import find_rejection_cause
from crossgate.store import Store


@pytest.fixture
def nodes() -> ReportedNodes:
    return ReportedNodes(
        enforcing("fra-1"), rejecting("fra-2", api="pets/1.0"), lagging("sin-1", apis=["pets/1.0"])
    )


@pytest.fixture
def api(store: Store, nodes: ReportedNodes) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, nodes=nodes) as running:
        create_pets(running.editor, "https://app.example.com")
        yield running


def limited(api: AdminApi, *apis: str, role: Role = Role.EDITOR) -> httpx.Client:
    secret, _ = api.tokens.create(f"limited-{apis}", role, apis=apis)
    return api.client(secret)


def test_each_node_has_its_state_and_its_distance(api: AdminApi) -> None:
    body = api.viewer.get("/v1/nodes").json()
    assert (body["head"], body["apis"], body["address"]) == (1, 1, "127.0.0.1:18000")
    shown = [(one["node"], one["state"], one["behind"], one["apis_applied"]) for one in body["items"]]
    assert shown == [("fra-1", "enforced", 0, 1), ("fra-2", "partly", 0, 0), ("sin-1", "behind", 1, 0)]
    assert [one["behind_since"] is None for one in body["items"]] == [True, True, False]


def test_a_rejection_says_what_it_means_and_what_to_do(api: AdminApi) -> None:
    (rejection,) = api.viewer.get("/v1/nodes").json()["items"][1]["rejections"]
    assert (rejection["message"], rejection["revision"], rejection["keeps"]) == (MESSAGE, 1, 0)
    assert "limits regular expressions to 100, and this one has 143" in rejection["cause"]
    assert "`crossgate node`" in rejection["remedy"]


def test_a_limited_caller_counts_its_own_apis_only(api: AdminApi) -> None:
    with limited(api, "other") as other, limited(api, "pets") as pets:
        body = other.get("/v1/nodes").json()
        assert (body["apis"], body["items"][1]["apis_applied"], body["items"][1]["rejections"]) == (0, 0, [])
        assert len(pets.get("/v1/nodes").json()["items"][1]["rejections"]) == 1


def test_what_a_node_rejected_is_sent_again(api: AdminApi, nodes: ReportedNodes) -> None:
    answer = api.editor.post("/v1/nodes/fra-2/retry")
    assert (answer.status_code, answer.json()) == (200, {"node": "fra-2", "resources": 1})
    assert nodes.retried == [("fra-2", [("ScopedRouteConfiguration", "pets/1.0")])]
    with limited(api, "other") as other:
        assert other.post("/v1/nodes/fra-2/retry").json()["resources"] == 0


def test_who_cannot_retry(api: AdminApi) -> None:
    assert api.viewer.post("/v1/nodes/fra-2/retry").status_code == 403
    assert api.editor.post("/v1/nodes/none/retry").status_code == 404


def test_the_status_names_the_state_of_each_node(api: AdminApi) -> None:
    body = api.viewer.get("/v1/status").json()
    assert [one["state"] for one in body["nodes"]] == ["enforced", "partly", "behind"]
    assert body["nodes_behind"] == 2


@pytest.mark.parametrize(
    ("message", "cause", "remedy"),
    [
        (
            "Error adding/updating listener(s) gateway: cannot bind '127.0.0.1:8080': Address already in use",
            "Another program on the node's machine listens at 127.0.0.1:8080",
            "Stop that program",
        ),
        ("gateway: cannot bind '0.0.0.0:443': Permission denied", "0.0.0.0:443", "CAP_NET_BIND_SERVICE"),
        ("Invalid path: /etc/ssl/site.pem", "", ""),
        ("invalid path: /etc/ssl/site.pem", "/etc/ssl/site.pem cannot be read", "Copy the file there"),
        ("Protobuf message (type x) has unknown fields", "its version is another one", "`crossgate node`"),
        ("something new", "", ""),
    ],
)
def test_known_messages(message: str, cause: str, remedy: str) -> None:
    found = find_rejection_cause(message)
    assert cause in found.cause
    assert remedy in found.remedy
    assert bool(found.cause) == bool(cause)


def test_certificates_are_shown_and_not_to_a_limited_caller(api: AdminApi, nodes: ReportedNodes) -> None:
    problem = Diagnostic("tls-key-mismatch", "no", "Do", Place(("key",)), "/etc/a.key")
    now = datetime.now(UTC)
    state = CertificateState(
        "/etc/a.pem", "/etc/a.key", ("a.example",), now, current=False, problems=(problem,), since=now
    )
    nodes.set(replace(enforcing("fra-1"), certificates=(state,)))
    [shown] = api.viewer.get("/v1/nodes").json()["items"][0]["certificates"]
    assert (shown["certificate"], shown["names"], shown["current"]) == ("/etc/a.pem", ["a.example"], False)
    assert [(one["code"], one["found"]) for one in shown["problems"]] == [("tls-key-mismatch", "/etc/a.key")]
    status = api.viewer.get("/v1/status").json()
    assert datetime.fromisoformat(status["certificates_expire"]) == now
    assert status["certificate_problems"] == 1
    with limited(api, "pets") as pets:
        assert pets.get("/v1/nodes").json()["items"][0]["certificates"] == []
        hidden = pets.get("/v1/status").json()
        assert (hidden["certificates_expire"], hidden["certificate_problems"]) == (None, 0)
