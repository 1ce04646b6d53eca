"""Rebinding, pages of other origins, and bodies that nobody should have to read."""

from __future__ import annotations

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS, api_entry


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[x]", "a b"]
)
def test_a_name_that_is_not_ours_is_not_answered_to(api: AdminApi, host: str) -> None:
    answer = api.admin.get("/v1/apis", headers={"Host": host})

    assert answer.status_code == 421
    assert "items" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8090", "192.0.2.1"])
def test_localhost_and_addresses_are_answered_to(api: AdminApi, host: str) -> None:
    assert api.admin.get("/v1/apis", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_pages_of_other_origins_get_nothing_and_no_cors(api: AdminApi, origin: str) -> None:
    read = api.admin.get("/v1/apis", headers={"Origin": origin})
    wants = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    preflight = api.admin.options(PETS, headers=wants)

    assert (read.status_code, preflight.status_code) == (403, 403)
    for answer in (read, preflight):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_its_own_is_answered(api: AdminApi) -> None:
    assert api.admin.get("/v1/apis", headers={"Origin": api.url}).status_code == 200


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
def test_a_body_without_one_meaning_is_refused(api: AdminApi, body: bytes) -> None:
    answer = api.editor.put(PETS, content=body, headers=NEW)

    assert answer.status_code == 400
    assert answer.json()["diagnostics"][0]["code"] == "body-malformed"


def test_a_body_beyond_the_budget_is_refused_announced_or_not(api: AdminApi) -> None:
    piece = b" " * 1024 * 1024

    announced = api.editor.put(PETS, content=piece * 5, headers=NEW)
    unannounced = api.editor.put(PETS, content=(piece for _ in range(5)), headers=NEW)
    document = api.editor.post("/v1/plan", content=piece * 17)

    assert (announced.status_code, unannounced.status_code, document.status_code) == (413, 413, 413)


def test_a_path_that_is_no_text_is_refused(api: AdminApi) -> None:
    for path in ("/v1/applications/%FF", "/v1/applications/a%00b"):
        assert api.editor.get(path).status_code == 400


def test_other_methods_and_paths_are_problems_too(api: AdminApi) -> None:
    unknown, method = api.viewer.get("/v1/nothing"), api.viewer.patch(PETS, json=api_entry())

    assert (unknown.status_code, method.status_code) == (404, 405)
    assert unknown.headers["Content-Type"] == method.headers["Content-Type"] == "application/problem+json"
    assert "PUT" in method.headers["Allow"]
