"""Protobuf messages, always serialised to the same bytes."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from xds.core.v3.extension_pb2 import TypedExtensionConfig

from crossgate.compiler.resource import Resource, ResourceKey


def serialise(message: Message) -> bytes:
    """The message's bytes, with maps in a fixed order."""
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def resource(name: str, message: Message, needs: tuple[ResourceKey, ...] = ()) -> Resource:
    """The xDS resource that contains ``message``."""
    return Resource.of(type_url(type(message)), name, serialise(message), needs)


def pack(message: Message) -> Any:
    """The message as ``google.protobuf.Any``."""
    return Any(type_url=type_url(type(message)), value=serialise(message))


def extension(name: str, message: Message) -> TypedExtensionConfig:
    """The message as a named extension of Envoy's matching API."""
    return TypedExtensionConfig(name=name, typed_config=pack(message))


def type_url(message: type[Message]) -> str:
    """The name of the message's type in ``google.protobuf.Any``."""
    return f"type.googleapis.com/{message.DESCRIPTOR.full_name}"


def seconds(value: float) -> Duration:
    """A duration of ``value`` seconds, in whole milliseconds: Envoy's timers have no finer ones."""
    whole, milliseconds = divmod(round(value * 1000), 1000)
    return Duration(seconds=whole, nanos=milliseconds * 1_000_000)
