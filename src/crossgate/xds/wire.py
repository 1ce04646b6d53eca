"""Translates between the stream's plain values and the protobuf messages of delta discovery. Decides nothing.

Scoped routes get a mark that differs each time they are sent. Envoy 1.40 reads the scoped routes of a
response one by one, remembers the hash of each, and activates all at the end. If one of them is invalid,
those before it are remembered but not active. Sent again with equal bytes, they look unchanged: Envoy skips
them and still acknowledges the response. The rejected response may have come over an earlier connection, from
another control plane, so no memory here could tell when the mark is needed. Clusters and listeners are
activated one by one and need no mark.
"""

from __future__ import annotations

import secrets
from typing import Any as Message

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2, struct_pb2

from crossgate.xds.messages import DiscoveryRequest, DiscoveryResponse
from crossgate.xds.resource_types import SCOPED_ROUTES

MARK_METADATA = "crossgate.delivery"
"""The key in the route configuration's metadata under which a config dump shows the mark."""


def request_of(message: Message) -> DiscoveryRequest:
    """The DeltaDiscoveryRequest ``message`` as a value."""
    error = message.error_detail.message if message.HasField("error_detail") else None
    return DiscoveryRequest(
        type_url=message.type_url,
        subscribe=tuple(message.resource_names_subscribe),
        unsubscribe=tuple(message.resource_names_unsubscribe),
        held=dict(message.initial_resource_versions),
        nonce=message.response_nonce,
        error=error,
    )


def response_of(response: DiscoveryResponse) -> Message:
    """The DeltaDiscoveryResponse message for ``response``."""
    mark = _mark() if response.type_url == SCOPED_ROUTES else b""
    return discovery_pb2.DeltaDiscoveryResponse(
        type_url=response.type_url,
        nonce=response.nonce,
        removed_resources=response.removed,
        resources=[
            discovery_pb2.Resource(
                name=resource.name,
                version=resource.version,
                resource=any_pb2.Any(type_url=resource.type_url, value=resource.body + mark),
            )
            for resource in response.resources
        ],
    )


def _mark() -> bytes:
    """Bytes to append to each scoped route of one response.

    Serialised messages that are concatenated are merged (Protocol Buffers, "Encoding", last one wins), so the
    mark becomes part of the route configuration, which every scope must hold inline.
    """
    mark = struct_pb2.Struct()
    mark["id"] = secrets.token_hex(8)
    metadata = base_pb2.Metadata(filter_metadata={MARK_METADATA: mark})
    message = scoped_route_pb2.ScopedRouteConfiguration(
        route_configuration=route_pb2.RouteConfiguration(metadata=metadata)
    )
    body: bytes = message.SerializeToString()
    return body
