"""How a node of another process reports the states of its certificates: one gRPC call beside its telemetry.

The body is JSON. A control plane of version 0.1 does not know the method, which stops nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import grpc

from crossgate.service.certificates import MOST_CERTIFICATES, CertificateState, NodeCertificates

SERVICE: Final = "crossgate.v1.NodeReports"
METHOD: Final = "ReportCertificates"
_SECONDS: Final = 5.0
_LONGEST_NODE_ID: Final = 256


def certificate_services(certificates: NodeCertificates) -> tuple[grpc.GenericRpcHandler, ...]:
    """The service, for a gRPC server."""

    async def receive(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
        try:
            node, states = _parse(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, "expected the states of certificates as JSON"
            )
            raise AssertionError("abort raises") from None
        certificates.put(node, states)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(receive)
    return (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)


async def send_certificates(channel: grpc.aio.Channel, node: str, states: Sequence[CertificateState]) -> bool:
    """Report the states of a node; returns whether the control plane took them."""
    call = channel.unary_unary(f"/{SERVICE}/{METHOD}")
    body = json.dumps({"node": node, "certificates": [one.to_json() for one in states[:MOST_CERTIFICATES]]})
    try:
        await call(body.encode(), timeout=_SECONDS)
    except grpc.aio.AioRpcError:
        return False
    return True


def _parse(body: bytes) -> tuple[str, list[CertificateState]]:
    raw: Any = json.loads(body)
    node, found = raw["node"], raw["certificates"]
    if not isinstance(node, str) or not 0 < len(node) <= _LONGEST_NODE_ID or not isinstance(found, list):
        raise ValueError("expected a node and a list")
    return node, [CertificateState.from_json(one) for one in found[:MOST_CERTIFICATES]]
