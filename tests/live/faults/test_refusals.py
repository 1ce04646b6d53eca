"""Failures at the start or later: a port in use, or a resource that Envoy rejects."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import pytest
from tests.certificates import every_pair, good_pair
from tests.command import CommandProcess, running_gateway
from tests.live.faults.document import SIMPLE, Document, save, version_of
from tests.raw_http import http1

from crossgate.store import SqliteDirectory, open_store

pytestmark = pytest.mark.live


def test_a_taken_port_is_reported_with_its_process(document: Document, file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", document.port)):
        code, output = CommandProcess(tmp_path, "run", str(file)).wait_until_ended()
    assert code == 2
    assert f"port {document.port} is in use by" in output
    assert f"(pid {os.getpid()})" in output
    assert "$.gateway.listen" in output
    assert "Traceback" not in output


def test_a_gateway_on_the_port_of_another_is_refused(file: Path, tmp_path: Path) -> None:
    with running_gateway(file, "--concurrency", "1") as first:
        code, output = CommandProcess(tmp_path, "run", str(file)).wait_until_ended()
        assert code == 2
        assert f"(pid {first.envoy_pid})" in output


def test_a_start_that_cannot_serve_its_certificate_gives_the_reason(
    document: Document, file: Path, tmp_path: Path
) -> None:
    changed = json.loads(document.at(1))
    changed["gateway"]["tls"] = {"certificate": "gateway.pem", "key": "gateway.key"}
    save(file, json.dumps(changed, indent=1))
    every_pair()["an encrypted key"][0].write(tmp_path)
    code, output = CommandProcess(tmp_path, "run", str(file), "--concurrency", "1").wait_until_ended()
    assert code == 2
    assert "Crossgate serves" not in output
    assert re.search(
        r"gateway\.yaml:\d+:\d+ \$\.gateway\.tls\.key: error: the private key is encrypted", output
    )
    assert "Traceback" not in output


def test_a_start_with_a_pipe_as_its_access_log_is_refused(
    document: Document, file: Path, tmp_path: Path
) -> None:
    """Envoy would wait for a reader of the pipe, and never start."""
    os.mkfifo(tmp_path / "access.log")
    changed = json.loads(document.at(1))
    changed["gateway"]["access_log"] = {"file": "access.log"}
    save(file, json.dumps(changed, indent=1))
    code, output = CommandProcess(tmp_path, "run", str(file), "--concurrency", "1").wait_until_ended()
    assert code == 2
    assert re.search(r"gateway\.yaml:\d+:\d+ \$\.gateway\.access_log\.file: error: cannot write", output)
    assert "it is a pipe" in output


def test_an_address_that_cannot_be_bound_is_not_stored(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        process = CommandProcess(tmp_path, "run", "--data", str(data), "--listen", listen, "--admin", "off")
        code, output = process.wait_until_ended()
    assert (code, "listen-port-taken" in output) == (2, True)
    with open_store(SqliteDirectory(data)) as store:
        assert store.catalogue.head.revision == 0


def test_a_saved_change_that_the_machine_cannot_serve_is_refused_whole(
    document: Document, file: Path
) -> None:
    with running_gateway(file, "--concurrency", "1") as gateway, http1(document.port) as connection:
        changed = json.loads(document.at(2, native_ca="absent.pem"))
        changed["apis"].insert(
            0, {"name": "loop", "version": "1", "type": "rest", "native": f"http://localhost:{document.port}"}
        )
        save(file, json.dumps(changed, indent=1))
        gateway.wait_for("Change refused: the last valid configuration stays in force")
        # The last diagnostic: those before it are printed then.
        gateway.wait_for("[native-is-gateway]")
        assert re.search(r"yaml:\d+:\d+ \$\.gateway\.native_ca: error: cannot read the file", gateway.output)
        assert re.search(r"yaml:\d+:\d+ \$\.apis\[0\]\.native: error: .* own listener", gateway.output)
        assert version_of(connection.send(SIMPLE)) == 1

        save(file, document.at(3))
        gateway.wait_for("Change enforced")
        assert version_of(connection.send(SIMPLE)) == 3


def test_what_a_document_had_before_the_start_is_reported_and_served(document: Document, file: Path) -> None:
    looping = json.loads(document.at(1))
    looping["apis"].append(
        {"name": "loop", "version": "1", "type": "rest", "native": f"http://0.0.0.0:{document.port}"}
    )
    save(file, json.dumps(looping, indent=1))
    with running_gateway(file, "--concurrency", "1") as gateway, http1(document.port) as connection:
        gateway.wait_for("1 native service has an address that changes may not use")
        gateway.wait_for("$.apis[1].native: warning: the native service is the gateway's own listener")
        assert version_of(connection.send(SIMPLE)) == 1
        looping["apis"][1]["native_timeout"] = 5
        save(file, json.dumps(looping, indent=1))
        gateway.wait_for("Change enforced")


def test_authorities_that_cannot_be_used_are_reported_and_affect_nothing_else(
    document: Document, file: Path, tmp_path: Path
) -> None:
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(good_pair().certificate)
    file.write_text(document.at(1, native_ca="authorities.pem"), encoding="utf-8")
    with running_gateway(file, "--concurrency", "1") as gateway, http1(document.port) as connection:
        # Envoy reads the file with the first native service that needs it.
        authorities.write_text("no certificate\n", encoding="utf-8")
        changed = json.loads(document.at(2, native_ca="authorities.pem"))
        changed["apis"].append(
            {"name": "safe", "version": "1", "type": "rest", "native": "https://127.0.0.1:9"}
        )
        save(file, json.dumps(changed))
        gateway.wait_for(f"Certificate unusable: {authorities}; connections that need it fail")
        gateway.wait_for("$.gateway.native_ca: error: no PEM certificate found")
        gateway.wait_for("Change enforced")
        assert version_of(connection.send(SIMPLE)) == 2
        authorities.write_bytes(good_pair().certificate)
        gateway.wait_for("Certificate usable again")

        save(file, document.at(3))
        gateway.wait_for("Change enforced", times=2)
        assert version_of(connection.send(SIMPLE)) == 3
