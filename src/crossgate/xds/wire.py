"""Between the stream's plain values and the protobuf messages of delta discovery. Decides nothing."""

from __future__ import annotations

from typing import Any as Message

from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2

from crossgate.xds.messages import Request, Send
from crossgate.xds.renewal import mark_for


def request_of(message: Message) -> Request:
    """The DeltaDiscoveryRequest ``message`` as a value."""
    error = message.error_detail.message if message.HasField("error_detail") else None
    return Request(
        type_url=message.type_url,
        subscribe=tuple(message.resource_names_subscribe),
        unsubscribe=tuple(message.resource_names_unsubscribe),
        held=dict(message.initial_resource_versions),
        nonce=message.response_nonce,
        error=error,
    )


def response_of(send: Send) -> Message:
    """The DeltaDiscoveryResponse that ``send`` asks for."""
    mark = mark_for(send.type_url)
    return discovery_pb2.DeltaDiscoveryResponse(
        type_url=send.type_url,
        nonce=send.nonce,
        removed_resources=send.removed,
        resources=[
            discovery_pb2.Resource(
                name=resource.name,
                version=resource.version,
                resource=any_pb2.Any(type_url=resource.type_url, value=resource.body + mark),
            )
            for resource in send.resources
        ],
    )
