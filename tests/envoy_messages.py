"""Unpacks Envoy's protobuf messages, packed ones inside included."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from crossgate.compiler.resource import Resource


def message_of(resource: Resource) -> Message:
    """The message in a resource."""
    return unpacked(Any(type_url=resource.type_url, value=resource.body))


def unpacked(packed: Any) -> Message:
    """The message in an ``Any``."""
    kind = GetMessageClass(Default().FindMessageTypeByName(packed.type_url.rpartition("/")[2]))
    message: Message = kind.FromString(packed.value)
    return message


def all_within(message: Message) -> Iterator[Message]:
    """The message and every message inside it, packed ones too."""
    if isinstance(message, Any):
        yield from all_within(unpacked(message))
        return
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in _values(value):
            if isinstance(one, Message):
                yield from all_within(one)


def _values(value: object) -> Iterator[object]:
    if isinstance(value, Message):
        yield value
    elif hasattr(value, "values"):
        yield from value.values()
    else:
        yield from value  # type: ignore[misc]  # a repeated field
