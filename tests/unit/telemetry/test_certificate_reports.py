"""The states of a node's certificates, over a real gRPC connection."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.certificates import CertificateState, NodeCertificates
from crossgate.telemetry.certificate_reports import (
    METHOD,
    SERVICE,
    certificate_services,
    send_certificates,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
STATES = (
    CertificateState("/etc/ca.pem", not_after=NOW, since=NOW),
    CertificateState(
        "/etc/a.pem",
        "/etc/a.key",
        ("a.example", "10.0.0.1"),
        None,
        current=False,
        problems=(
            Diagnostic("tls-key-invalid", "no", "Do", Place(("key",)), "/etc/a.key", Severity.WARNING),
        ),
        since=NOW,
    ),
)


async def served(folder: Path, *services: grpc.GenericRpcHandler) -> tuple[grpc.aio.Server, grpc.aio.Channel]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(services)
    address = f"unix:{folder}/control-plane.sock"
    server.add_insecure_port(address)
    await server.start()
    return server, grpc.aio.insecure_channel(address)


def test_a_control_plane_knows_what_a_node_sent(tmp_path: Path) -> None:
    async def report() -> None:
        certificates = NodeCertificates()
        changes: list[None] = []
        certificates.watch(lambda: changes.append(None))
        server, channel = await served(tmp_path, *certificate_services(certificates))
        for _ in range(2):
            assert await send_certificates(channel, "n1", STATES)
        assert certificates.of("n1") == STATES
        assert len(changes) == 1
        certificates.keep({"n2"})
        assert certificates.of("n1") == ()
        await channel.close()
        await server.stop(None)

    asyncio.run(report())


def test_a_control_plane_that_does_not_know_the_method_is_no_obstacle(tmp_path: Path) -> None:
    async def report() -> None:
        server, channel = await served(tmp_path)
        assert not await send_certificates(channel, "n1", STATES)
        await channel.close()
        await server.stop(None)
        assert not await send_certificates(grpc.aio.insecure_channel("unix:/nowhere"), "n1", STATES)

    asyncio.run(report())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps({"node": "", "certificates": []}).encode(),
        json.dumps({"node": "n", "certificates": {}}).encode(),
        json.dumps({"node": "n", "certificates": [{}]}).encode(),
        json.dumps({"node": "n", "certificates": [STATES[0].to_json() | {"since": "now"}]}).encode(),
        json.dumps({"node": "n", "certificates": [STATES[0].to_json() | {"problems": [7]}]}).encode(),
        json.dumps({"node": "n", "certificates": [STATES[0].to_json() | {"names": {}}]}).encode(),
    ],
)
def test_another_body_is_refused(body: bytes, tmp_path: Path) -> None:
    async def report() -> None:
        certificates = NodeCertificates()
        server, channel = await served(tmp_path, *certificate_services(certificates))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(f"/{SERVICE}/{METHOD}")(body)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert certificates.of("n") == ()
        await channel.close()
        await server.stop(None)

    asyncio.run(report())
