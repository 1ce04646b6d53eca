"""Settings that Envoy would refuse are refused before they are stored, and the gateway serves on."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.certificates import every_pair, good_pair
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.ports import free_ports
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets, policy_entry

pytestmark = pytest.mark.live

APP = "https://app.example"
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with store_gateway(folder, "--data", "data", "--concurrency", "1") as started:
        create_pets(started.admin, APP)
        yield started


@pytest.fixture
def gateway(running: StoreGateway) -> StoreGateway:
    """The gateway with the settings of its start."""
    assert running.admin.put("/v1/settings", json={}, headers=ANY).status_code == 200
    body = {"listen": f"127.0.0.1:{running.port}"}
    assert running.admin.put("/v1/gateway", json=body, headers=ANY).status_code == 200
    eventually(lambda: running.preflight(APP) == 200)
    return running


def put(gateway: StoreGateway, **values: object) -> httpx.Response:
    body = {**gateway.admin.get("/v1/gateway").json(), **values}
    return gateway.admin.put("/v1/gateway", json=body, headers=ANY)


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(one["code"], one["path"]) for one in answer.json()["diagnostics"]]


def tls(pair: str, folder: Path) -> Mapping[str, str]:
    certificate, key = every_pair()[pair][0].write(folder, pair)
    return {"certificate": str(certificate), "key": str(key)}


def newest(gateway: StoreGateway) -> int:
    return int(gateway.admin.get("/v1/revisions?limit=1").json()["items"][0]["number"])


def test_missing_and_mismatched_files_are_refused(gateway: StoreGateway, tmp_path: Path) -> None:
    before = newest(gateway)
    missing = {"certificate": str(tmp_path / "a.pem"), "key": str(tmp_path / "a.key")}
    assert codes(put(gateway, tls=missing, native_ca=str(tmp_path / "b.pem"))) == [
        ("tls-file-unreadable", "$.tls.certificate"),
        ("tls-file-unreadable", "$.tls.key"),
        ("tls-file-unreadable", "$.native_ca"),
    ]
    assert codes(put(gateway, tls=tls("a certificate of another key", tmp_path))) == [
        ("tls-key-mismatch", "$.tls.key")
    ]
    assert newest(gateway) == before
    assert gateway.preflight(APP) == 200


def test_an_access_log_that_is_not_a_regular_file_is_refused(gateway: StoreGateway, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    for name in ("pipe.log", "none/access.log"):
        log = {"file": str(tmp_path / name)}
        assert codes(put(gateway, access_log=log)) == [("access-log-unusable", "$.access_log.file")]
    assert codes(put(gateway, access_log={"file": str(tmp_path / ".bashrc")})) == [
        ("access-log-name", "$.access_log.file")
    ]
    assert put(gateway, access_log={"file": str(tmp_path / "access.log")}).status_code == 200
    applied(gateway)
    assert (tmp_path / "access.log").read_bytes() == b""
    assert gateway.preflight(APP) == 200


def test_an_address_that_cannot_be_bound_is_refused(gateway: StoreGateway) -> None:
    admin_port = httpx.URL(gateway.url).port
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        for host, port, code in (
            ("192.0.2.1", gateway.port, "listen-not-here"),
            ("127.0.0.1", taken.getsockname()[1], "listen-port-taken"),
            ("127.0.0.1", admin_port, "listen-port-taken"),
            ("0.0.0.0", admin_port, "listen-port-taken"),
        ):
            assert codes(put(gateway, listen=f"{host}:{port}")) == [(code, "$.listen")]
    assert gateway.preflight(APP) == 200


def test_an_address_that_the_own_listener_holds_is_accepted(gateway: StoreGateway) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        assert put(gateway, listen=f"{host}:{gateway.port}").status_code == 200
        applied(gateway)
        assert gateway.preflight(APP) == 200


def applied(gateway: StoreGateway) -> None:
    """Wait until the node has decided on the newest revision, and require that it applied it."""
    path = f"/v1/revisions/{newest(gateway)}"
    eventually(
        lambda: (
            [one["outcome"] for one in gateway.admin.get(path).json()["nodes"]] in (["applied"], ["rejected"])
        )
    )
    assert gateway.admin.get(path).json()["nodes"][0]["outcome"] == "applied"


def test_plan_check_apply_and_rollback_refuse_it_too(gateway: StoreGateway, tmp_path: Path) -> None:
    admin = gateway.admin
    good = tls("good", tmp_path)
    assert put(gateway, tls=good).status_code == 200
    with_tls = newest(gateway)
    assert put(gateway, tls=None).status_code == 200
    Path(good["key"]).unlink()

    listen = admin.get("/v1/gateway").json()["listen"]
    document: dict[str, Any] = {"gateway": {"listen": listen, "tls": good}, "apis": [], "applications": []}
    refused = [("tls-file-unreadable", "$.gateway.tls.key")]
    assert codes(admin.post("/v1/plan", json=document)) == refused
    assert codes(admin.post("/v1/apply", json=document, headers=ANY)) == refused
    assert codes(admin.post(f"/v1/revisions/{with_tls}/rollback", headers=ANY)) == refused
    checked = admin.post("/v1/check", json=document).json()
    assert (checked["valid"], [one["code"] for one in checked["diagnostics"]]) == (False, [refused[0][0]])
    assert newest(gateway) == with_tls + 1

    good_pair().write(tmp_path, "good")
    again = admin.post(f"/v1/revisions/{with_tls}/rollback", headers=ANY, params={"confirm": "true"})
    assert again.status_code == 200


def test_a_certificate_is_served_and_an_expired_one_is_a_finding(
    gateway: StoreGateway, tmp_path: Path
) -> None:
    expired = put(gateway, tls=tls("expired", tmp_path))
    assert expired.status_code == 200
    [finding] = expired.json()["findings"]
    assert (finding["code"], finding["path"]) == ("tls-certificate-expired", "$.tls.certificate")

    good = tls("good", tmp_path)
    assert "findings" not in put(gateway, tls=good).json()
    applied(gateway)
    trusting = ssl.create_default_context(cafile=good["certificate"])
    with httpx.Client(verify=trusting, trust_env=False) as client:
        url = f"https://127.0.0.1:{gateway.port}/gateway/absent/1"
        answer = client.get(
            url, headers={"Host": "gateway.test"}, extensions={"sni_hostname": "gateway.test"}
        )
    assert answer.status_code == 404


def test_settings_on_top_of_files_that_are_broken_by_now_are_refused(
    gateway: StoreGateway, tmp_path: Path
) -> None:
    good = tls("good", tmp_path)
    assert put(gateway, tls=good).status_code == 200
    applied(gateway)
    Path(good["certificate"]).write_bytes(b"")
    prefix = "watt.server.cors."
    server = {f"{prefix}enabled": True, f"{prefix}allowedOrigins": APP}
    # They change the listener, which reads its certificate again.
    answer = gateway.admin.put("/v1/settings", json=server, headers=ANY)
    assert codes(answer) == [("tls-file-unreadable", "$.gateway.tls.certificate")]
    # Public origins do not: what this write does not change is not judged.
    assert put(gateway, public_origins=["https://me.example"]).status_code == 200


def test_a_native_service_cannot_be_the_gateway_itself(gateway: StoreGateway) -> None:
    admin_port = httpx.URL(gateway.url).port
    before = newest(gateway)
    for native in (
        f"http://127.0.0.1:{gateway.port}",
        f"http://[::ffff:127.0.0.1]:{admin_port}/v1",
        f"http://0.0.0.0:{admin_port}",
        f"http://localhost:{admin_port}",
    ):
        loop = gateway.admin.put("/v1/apis/loop/1", json=api_entry(native=native), headers=NEW)
        assert codes(loop) == [("native-is-gateway", "$.native")]
        moved = gateway.admin.put(PETS, json=api_entry(native=native), headers=ANY)
        assert codes(moved) == [("native-is-gateway", "$.native")]
    document = {"apis": [{"name": "loop", "version": "1", **api_entry(native=native)}]}
    refused = [("native-is-gateway", "$.apis['loop/1'].native")]
    assert codes(gateway.admin.post("/v1/plan", json=document)) == refused
    assert codes(gateway.admin.post("/v1/apply", json=document, headers=ANY)) == refused
    assert newest(gateway) == before


def test_an_api_that_breaks_a_new_rule_stays_and_is_reported(gateway: StoreGateway) -> None:
    [port] = free_ports(1)
    native = f"http://127.0.0.1:{port}"
    assert gateway.admin.put("/v1/apis/old/1", json=api_entry(native=native), headers=NEW).status_code == 201
    moved = put(gateway, listen=f"127.0.0.1:{port}")
    assert moved.status_code == 200
    [finding] = moved.json()["findings"]
    assert (finding["code"], finding["severity"]) == ("native-is-gateway", "warning")
    assert finding["path"] == "$.apis['old/1'].native"

    edited = api_entry(native=f"{native}/base", cors=policy_entry(APP))
    assert gateway.admin.put("/v1/apis/old/1", json=edited, headers=ANY).status_code == 200
    assert gateway.admin.delete("/v1/apis/old/1", headers=ANY).status_code == 204
    # Undoing the deletion brings the API back, as a change like any.
    rolled = gateway.admin.post(f"/v1/revisions/{newest(gateway) - 1}/rollback", headers=ANY)
    assert codes(rolled) == [("native-is-gateway", "$.apis['old/1'].native")]


def test_native_services_in_denied_networks_are_refused(gateway: StoreGateway) -> None:
    admin = gateway.admin
    old = api_entry(native="http://10.1.2.3")
    assert admin.put("/v1/apis/inner/1", json=old, headers=NEW).status_code == 201
    listed = put(gateway, denied_native_networks=["169.254.0.0/16", "10.0.0.0/8", "127.0.0.53"])
    assert listed.status_code == 200
    assert [(one["code"], one["path"]) for one in listed.json()["findings"]] == [
        ("native-denied", "$.apis['inner/1'].native")
    ]
    for native in (
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]",
        "https://10.9.9.9",
        "http://127.0.0.53:9101",
    ):
        metadata = admin.put("/v1/apis/metadata/1", json=api_entry(native=native), headers=NEW)
        assert codes(metadata) == [("native-denied", "$.native")]
        assert codes(admin.put("/v1/apis/inner/1", json=api_entry(native=native), headers=ANY))
    # What was there before the list can be edited, and stays.
    assert admin.put("/v1/apis/inner/1/policy", json=policy_entry(APP), headers=NEW).status_code == 201
    assert admin.delete("/v1/apis/inner/1", headers=ANY).status_code == 204


def test_without_an_own_envoy_nothing_of_this_machine_is_judged(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with store_gateway(tmp_path, "--data", "data", "--no-envoy", port=port) as gateway:
        missing = {"certificate": "/nowhere/a.pem", "key": "/nowhere/a.key"}
        assert put(gateway, tls=missing, listen="192.0.2.1:443").status_code == 200
