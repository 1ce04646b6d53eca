"""The units of `deploy/systemd` in a real systemd: started, reloaded under load, killed, stopped."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from examples.natives.http_message import Answer, Request, Response
from examples.natives.service import Service
from tests.certificates import good_pair
from tests.live.faults.document import PREFLIGHT, SIMPLE, Document, version_of
from tests.live.faults.load import load
from tests.own_systemd import OwnSystemd, own_systemd
from tests.raw_http import http1

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
NAMES: Final = ("crossgate", "crossgate-control-plane", "crossgate-node")
PORT: Final = 8080
_SECONDS: Final = 90.0


def eventually(condition: Callable[[], bool], systemd: OwnSystemd) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, systemd.logs()
        time.sleep(0.05)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[OwnSystemd]:
    """A systemd with the units as they are; drop-ins let two of them serve a file."""
    units = {f"systemd/system/{name}.service": (UNITS / f"{name}.service").read_text() for name in NAMES}
    command = "/opt/crossgate/bin/crossgate"
    for name, start in {
        "crossgate": f"{command} run /etc/crossgate/gateway.yaml --no-console-link",
        "crossgate-control-plane": f"{command} serve /etc/crossgate/gateway.yaml --xds-mode 0660",
    }.items():
        units[f"systemd/system/{name}.service.d/file.conf"] = f"[Service]\nExecStart=\nExecStart={start}\n"
    with own_systemd(tmp_path, units) as running, running.network(), Service("path", _path) as native:
        save(running, Document(PORT, native.port).at(1))
        yield running


def _path(request: Request) -> Answer:
    return Response(200, (), request.path.encode())


def save(systemd: OwnSystemd, text: str) -> None:
    folder = systemd.root / "etc" / "crossgate"
    folder.mkdir(exist_ok=True)
    (folder / "gateway.yaml").write_text(text)


def test_one_service_is_reloaded_under_load(systemd: OwnSystemd) -> None:
    systemd.run("systemctl", "start", "crossgate")
    assert systemd.show("crossgate", "ActiveState") == "active"
    assert "serves" in systemd.show("crossgate", "StatusText")
    pid = systemd.show("crossgate", "MainPID")
    user = Path(f"{systemd.root}/proc/{pid}/status").read_text()
    assert "\nUid:\t0" not in user
    assert "\nNoNewPrivs:\t1" in user
    log = systemd.root / "var/log/crossgate.log"
    with load(PORT, (PREFLIGHT, SIMPLE), version_of) as traffic:
        traffic.wait_for_more(100)
        systemd.run("systemctl", "reload", "crossgate")
        eventually(lambda: "New connections go to the new Envoy" in log.read_text(), systemd)
        traffic.wait_for_more(100)
        eventually(lambda: systemd.show("crossgate", "ActiveState") == "active", systemd)
    assert systemd.show("crossgate", "MainPID") == pid
    assert systemd.show("crossgate", "NRestarts") == "0"
    systemd.run("systemctl", "stop", "crossgate")
    assert systemd.show("crossgate", "Result") == "success"
    assert systemd.show("crossgate", "ExecMainStatus") == "0"
    assert "Traceback" not in log.read_text()
    assert "steering-unavailable" not in log.read_text()


def test_a_killed_control_plane_takes_no_traffic_along(systemd: OwnSystemd) -> None:
    systemd.run("systemctl", "start", "--no-block", "crossgate-node")
    eventually(lambda: systemd.show("crossgate-node", "ActiveState") == "activating", systemd)
    systemd.run("systemctl", "start", "crossgate-control-plane")
    eventually(lambda: systemd.show("crossgate-node", "ActiveState") == "active", systemd)
    with load(PORT, (PREFLIGHT, SIMPLE), version_of) as traffic:
        traffic.wait_for_more(50)
        pid = systemd.show("crossgate-control-plane", "MainPID")
        systemd.run("systemctl", "kill", "--signal=KILL", "crossgate-control-plane")
        traffic.wait_for_more(100)
        eventually(
            lambda: (
                systemd.show("crossgate-control-plane", "ActiveState") == "active"
                and systemd.show("crossgate-control-plane", "MainPID") != pid
            ),
            systemd,
        )
        native = json.loads((systemd.root / "etc/crossgate/gateway.yaml").read_text())["apis"][0]["native"]
        save(systemd, Document(PORT, urlsplit(native).port or 0).at(2))
        traffic.wait_for(2)
    assert systemd.show("crossgate-node", "NRestarts") == "0"
    tokens = list((systemd.root / "var/lib/private/crossgate").glob("*.token"))
    assert len(tokens) == 1
    systemd.run("systemctl", "stop", "crossgate-node", "crossgate-control-plane")
    for name in ("crossgate-node", "crossgate-control-plane"):
        assert systemd.show(name, "ExecMainStatus") == "0"


def test_a_start_that_cannot_serve_fails(systemd: OwnSystemd) -> None:
    text = (systemd.root / "etc/crossgate/gateway.yaml").read_text()
    save(systemd, text.replace("127.0.0.1:8080", "192.0.2.1:8080"))
    systemd.run("systemctl", "start", "crossgate", check=False)
    assert systemd.show("crossgate", "ExecMainStatus") == "2"
    assert "listen-not-here" in systemd.logs()
    save(systemd, text.replace("127.0.0.1:8080", "127.0.0.1:80"))
    systemd.run("systemctl", "restart", "crossgate", check=False)
    assert "listen-not-permitted" in systemd.logs()
    low = systemd.root / "etc/systemd/system/crossgate.service.d/low.conf"
    low.write_text(
        "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nPrivateUsers=no\n"
    )
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "restart", "crossgate")
    with http1(80) as connection:
        assert version_of(connection.send(SIMPLE)) == 1


def test_the_unit_as_it_is_serves_a_store_and_then_a_certificate_of_a_group(systemd: OwnSystemd) -> None:
    drop_ins = systemd.root / "etc/systemd/system/crossgate.service.d"
    (drop_ins / "file.conf").unlink()
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "start", "crossgate")
    with http1(PORT) as connection:
        assert connection.send(SIMPLE).status == 404
    token = "var/lib/private/crossgate/first-token"
    eventually(lambda: (systemd.root / token).exists(), systemd)
    systemd.run("systemctl", "stop", "crossgate")

    folder = systemd.root / "etc" / "crossgate"
    with (systemd.root / "etc" / "group").open("a") as groups:
        groups.write("crossgate-tls:x:990:\n")
    certificate, key = good_pair().write(folder)
    for file in (certificate, key):
        os.chown(file, 0, 990)
        file.chmod(0o640)
    document = json.loads((folder / "gateway.yaml").read_text())
    document["gateway"]["tls"] = {"certificate": "gateway.pem", "key": "gateway.key"}
    save(systemd, json.dumps(document))
    start = "/opt/crossgate/bin/crossgate run /etc/crossgate/gateway.yaml"
    (drop_ins / "tls.conf").write_text(
        f"[Service]\nExecStart=\nExecStart={start}\nSupplementaryGroups=crossgate-tls\n"
    )
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "start", "crossgate")
    context = ssl.create_default_context(cadata=certificate.read_text())
    with (
        socket.create_connection(("127.0.0.1", PORT)) as plain,
        context.wrap_socket(plain, server_hostname="gateway.test") as encrypted,
    ):
        assert encrypted.version() in ("TLSv1.2", "TLSv1.3")
