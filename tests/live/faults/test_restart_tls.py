"""Certificates are renewed while one Envoy takes the place of another, and clients notice nothing."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from tests.command import CommandProcess
from tests.live.admin.store_gateway import eventually
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.document import PREFLIGHT, SIMPLE, Document, version_of
from tests.live.faults.load import load
from tests.raw_http import http1
from tests.renewals import RenewedPair, held_by, served, untrusting

pytestmark = pytest.mark.live

STEERED = "New connections go to the new Envoy"


def test_certificates_are_renewed_during_and_after_a_restart(document: Document, tmp_path: Path) -> None:
    """Both Envoys get the renewed pair; after a restart that failed, the old one gets the next, too."""
    pair = RenewedPair(tmp_path)
    settings = json.loads(document.at(1))
    settings["gateway"]["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
    file = tmp_path / "gateway.yaml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    options = ("--admin", "off", "--health", "off", "--concurrency", "1")
    with CommandProcess(tmp_path, "run", str(file), *options, before=("setsid",)) as gateway:
        gateway.wait_for("Crossgate serves")
        old = gateway.envoy_pid
        with load(document.port, [PREFLIGHT], version_of, clients=2, pause=0.01, tls=untrusting()):
            # It stays with the old Envoy until its next response, which closes it.
            with http1(document.port, untrusting()) as kept:
                gateway.process.send_signal(signal.SIGHUP)
                gateway.wait_for("Envoy is draining")
                renewed = pair.renew()
                eventually(lambda: served(document.port) == renewed)
                eventually(lambda: held_by(old) == {renewed})
                assert version_of(kept.send(SIMPLE)) == 1
            assert wait_for_end(old, 60)

            # The next program has no certificate, and the Envoy before goes on with the last good one.
            pair.key.write_bytes(b"")
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for("Start failed")
            assert "$.gateway.tls.key" in gateway.output
            assert served(document.port) == renewed
            renewed = pair.renew()
            eventually(lambda: served(document.port) == renewed)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for(STEERED, 2)
            assert served(document.port) == renewed
        assert "Traceback" not in gateway.output
