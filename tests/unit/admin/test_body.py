from __future__ import annotations

import json
from http.client import HTTPConnection

import httpx
import pytest
from fastapi.routing import APIRoute
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS

from crossgate.admin.app import routes

MEBIBYTE = b" " * 2**20
ROUTES = [
    (method, route.path)
    for route in routes().routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff{}",
        b'{"type": "rest", "type": "soap"}',
        b'{"native_timeout": NaN}',
        b'{"native": "\\ud800"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
)
def test_ambiguous_or_malformed_body_is_rejected(api: AdminApi, body: bytes) -> None:
    answer = api.editor.put(PETS, content=body, headers=NEW)

    assert answer.status_code == 400
    assert answer.json()["diagnostics"][0]["code"] == "body-malformed"


def test_every_route_refuses_a_body_above_the_limit_before_it_arrives(api: AdminApi) -> None:
    refused = {route: _announce(api, *route, size=17 * 2**20) for route in ROUTES}

    assert refused == dict.fromkeys(ROUTES, (413, "body-too-large"))


def _announce(api: AdminApi, method: str, path: str, size: int) -> tuple[int, str]:
    """Send the head of a request; the status and the code that come back."""
    url = httpx.URL(api.url)
    connection = HTTPConnection(url.host, url.port or 80, timeout=60)
    try:
        connection.putrequest(method, path)
        connection.putheader("Authorization", api.admin.headers["Authorization"])
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.load(answer)["diagnostics"][0]["code"]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "mebibytes"),
    [("PUT", PETS, 5), ("POST", "/v1/explain", 5), ("POST", "/v1/tokens", 5), ("POST", "/v1/plan", 17)],
)
def test_unannounced_body_is_read_up_to_the_limit(
    api: AdminApi, method: str, path: str, mebibytes: int
) -> None:
    refused = api.admin.request(method, path, content=(MEBIBYTE for _ in range(mebibytes)), headers=NEW)

    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/v1/tokens", b"{"), ("PUT", PETS, b"{"), ("POST", "/v1/apply", b"[")],
)
def test_role_is_checked_before_the_body_is_read(api: AdminApi, method: str, path: str, body: bytes) -> None:
    refused = api.viewer.request(method, path, content=body, headers=NEW)

    assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (403, "role-insufficient")


def test_explain_and_tokens_read_unambiguous_json(api: AdminApi) -> None:
    def post(path: str, body: bytes) -> httpx.Response:
        return api.admin.post(path, content=body)

    assert post("/v1/explain", b'{"api": "a/1", "api": "b/1"}').status_code == 400
    assert post("/v1/tokens", b'{"name": "a", "name": "b", "role": "admin"}').status_code == 400
    wrong = post("/v1/explain", b'{"api": 1, "orign": "x"}')
    assert [one["path"] for one in wrong.json()["diagnostics"]] == ["$.api", "$.orign"]
    unknown = wrong.json()["diagnostics"][1]
    assert (unknown["message"], unknown["found"]) == ("unknown key", "orign")


def test_the_errors_of_a_body_are_bounded(api: AdminApi) -> None:
    keys = {f"key{number}": 1 for number in range(20_000)}
    origins = {"cors": {"allowed_origins": ["bad origin"] * 20_000}}
    long_key: dict[str, object] = {"cors": {"k" * 100_000: {}, "allowed_origins": []}}
    answers = [
        api.viewer.post("/v1/explain", json=keys),
        api.editor.put(PETS, json=keys, headers=NEW),
        api.editor.put(PETS, json=origins, headers=NEW),
        api.editor.put(PETS, json=long_key, headers=NEW),
        api.viewer.post("/v1/check", json={**keys, "apis": [{"name": "a"}] * 20_000}),
        api.viewer.get("/v1/apis?" + "&".join(f"k{number}=" for number in range(5_000))),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 200, 422]
    assert [len(answer.json()["diagnostics"]) <= 1001 for answer in answers] == [True] * 6
    assert [len(answer.content) < 2**20 for answer in answers] == [True] * 6
    for answer in (*answers[:3], *answers[4:]):
        assert answer.json()["diagnostics"][-1]["code"] == "more-errors"


def test_an_unknown_key_of_a_model_is_named(api: AdminApi) -> None:
    [one] = api.viewer.post("/v1/explain", json={"orign": "x", "path": "/"}).json()["diagnostics"]

    assert (one["code"], one["path"], one["found"]) == ("unknown-key", "$.orign", "orign")
    assert one["remedy"].startswith("Did you mean origin? The keys are api, ")
