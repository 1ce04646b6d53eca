"""Bytes that differ each time they are sent, for the one kind of resource that needs it.

Envoy 1.40 goes through the scoped routes of a response one by one, remembers the hash of each, and puts them
all to use at the end. When one in the middle is refused, those before it are remembered but not in use; sent
again unchanged they look familiar, are skipped, and yet acknowledged. The refusal may have been on an earlier
connection, to another control plane. So scoped routes never travel twice with equal bytes. Clusters and
listeners are put to use one by one and need no such thing.
"""

from __future__ import annotations

import secrets

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from google.protobuf import struct_pb2

from crossgate.xds.kinds import SCOPED_ROUTES

METADATA = "crossgate.delivery"
"""The key in the route configuration's metadata under which a config dump shows the mark."""


def mark_for(type_url: str) -> bytes:
    """What to append to the bodies of one response so that they are new to Envoy; empty for most kinds.

    Serialised messages that are joined end to end are merged (Protocol Buffers, "Encoding", last one wins),
    so the mark becomes a part of the route configuration, which every scope must hold inline.
    """
    if type_url != SCOPED_ROUTES:
        return b""
    mark = struct_pb2.Struct()
    mark["id"] = secrets.token_hex(8)
    metadata = base_pb2.Metadata(filter_metadata={METADATA: mark})
    message = scoped_route_pb2.ScopedRouteConfiguration(
        route_configuration=route_pb2.RouteConfiguration(metadata=metadata)
    )
    body: bytes = message.SerializeToString()
    return body
