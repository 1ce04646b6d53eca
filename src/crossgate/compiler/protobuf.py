"""Protobuf, the same bytes for the same message."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from xds.core.v3.extension_pb2 import TypedExtensionConfig

from crossgate.compiler.resource import Resource


def serialise(message: Message) -> bytes:
    """The message's bytes; maps in a fixed order."""
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def resource(name: str, message: Message) -> Resource:
    """The xDS resource that carries ``message``."""
    return Resource.of(_type_url(message), name, serialise(message))


def pack(message: Message) -> Any:
    """The message as ``google.protobuf.Any``."""
    return Any(type_url=_type_url(message), value=serialise(message))


def extension(name: str, message: Message) -> TypedExtensionConfig:
    """The message as a named extension of the matching API."""
    return TypedExtensionConfig(name=name, typed_config=pack(message))


def _type_url(message: Message) -> str:
    return f"type.googleapis.com/{message.DESCRIPTOR.full_name}"


def seconds(value: float) -> Duration:
    """A duration of that many seconds."""
    whole = int(value)
    return Duration(seconds=whole, nanos=round((value - whole) * 1e9))
