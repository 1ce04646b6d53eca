from __future__ import annotations

from tests.admin_api import AdminApi

PREFIX = "watt.server.cors."


def test_gateway_settings(api: AdminApi) -> None:
    read = api.viewer.get("/v1/gateway")
    assert read.json() == {"listen": "127.0.0.1:8080"}

    body = {"listen": "127.0.0.1:8099", "public_origins": ["https://gateway.example.com"]}
    changed = api.admin.put("/v1/gateway", json=body, headers={"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json()) == (200, body)
    assert api.viewer.get("/v1/gateway").headers["ETag"] == changed.headers["ETag"]

    refused = api.admin.put("/v1/gateway", json={"listen": "localhost"}, headers={"If-Match": "*"})
    assert [one["path"] for one in refused.json()["diagnostics"]] == ["$.listen"]


def test_listen_stays_if_a_write_omits_it(api: AdminApi) -> None:
    """An address that nobody wrote must not take the gateway away from its clients."""
    before = {"listen": "127.0.0.1:8099", "public_origins": ["https://gateway.example.com"]}
    assert api.admin.put("/v1/gateway", json=before, headers={"If-Match": "*"}).status_code == 200

    put = api.admin.put("/v1/gateway", json={"native_ca": None}, headers={"If-Match": "*"})
    assert put.json() == {"listen": "127.0.0.1:8099"}
    for document, parameters in (
        ("gateway: {limits: {max_head_kib: 128}}\n", {}),
        ("gateway: {}\n", {}),
        ("apis: []\n", {"prune": "true"}),
    ):
        for path in ("/v1/plan", "/v1/apply"):
            answer = api.admin.post(path, content=document, headers={"If-Match": "*"}, params=parameters)
            assert answer.status_code == 200, answer.text
        assert api.viewer.get("/v1/gateway").json()["listen"] == "127.0.0.1:8099"
    moved = api.admin.post(
        "/v1/apply", content="gateway: {listen: 127.0.0.1:8098}\n", headers={"If-Match": "*"}
    )
    assert moved.status_code == 200
    assert api.viewer.get("/v1/gateway").json() == {"listen": "127.0.0.1:8098"}


def test_server_settings(api: AdminApi) -> None:
    read = api.viewer.get("/v1/settings")
    assert read.json() == {}

    body = {f"{PREFIX}enabled": True, f"{PREFIX}allowedOrigins": "https://a.example.com"}
    changed = api.admin.put("/v1/settings", json=body, headers={"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json()) == (200, body | {"findings": changed.json()["findings"]})
    assert api.viewer.get("/v1/settings").json() == body


def test_unknown_setting_and_file_setting_are_rejected(api: AdminApi) -> None:
    for name in ("allowedOrigins", "nonsense"):
        body = {f"{PREFIX}enabled": False, f"{PREFIX}{name}": "file:/etc/passwd"}
        refused = api.admin.put("/v1/settings", json=body, headers={"If-Match": "*"})
        assert refused.status_code == 422
        assert refused.json()["diagnostics"][0]["path"] == f"$['{PREFIX}{name}']"
        assert "root:" not in refused.text
