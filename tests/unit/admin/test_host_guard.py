"""DNS rebinding, other origins and malformed paths."""

from __future__ import annotations

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import PETS


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[x]", "a b"]
)
def test_unknown_host_is_rejected(api: AdminApi, host: str) -> None:
    answer = api.admin.get("/v1/apis", headers={"Host": host})

    assert answer.status_code == 421
    assert "items" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8090", "192.0.2.1"])
def test_localhost_and_addresses_are_accepted(api: AdminApi, host: str) -> None:
    assert api.admin.get("/v1/apis", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_other_origins_are_rejected_without_cors_headers(api: AdminApi, origin: str) -> None:
    read = api.admin.get("/v1/apis", headers={"Origin": origin})
    wants = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    preflight = api.admin.options(PETS, headers=wants)

    assert (read.status_code, preflight.status_code) == (403, 403)
    for answer in (read, preflight):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_own_origin_is_accepted(api: AdminApi) -> None:
    assert api.admin.get("/v1/apis", headers={"Origin": api.url}).status_code == 200


def test_malformed_path_is_rejected(api: AdminApi) -> None:
    for path in ("/v1/applications/%FF", "/v1/applications/a%00b"):
        assert api.editor.get(path).status_code == 400
