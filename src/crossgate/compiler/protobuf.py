"""Protobuf, the same bytes for the same message, and messages put together from bytes.

A message copies what is put into it, whole, at every level of a tree. So what is nested deep, or alike in
thousands of resources, is kept as the bytes that stand for it on the wire and put together by joining them:
the bytes of a message are those of its fields, one after another, in any order.

Source: protobuf, encoding: length-delimited records.
"""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from xds.core.v3.extension_pb2 import TypedExtensionConfig

from crossgate.compiler.resource import Resource

_DELIMITED = 2


def serialise(message: Message) -> bytes:
    """The message's bytes; maps in a fixed order."""
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def field_tag(message: type[Message], field: str) -> bytes:
    """What stands before the field's length, for :func:`encode_field`; the field is a message or text."""
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | _DELIMITED)


def encode_field(tagged: bytes, body: bytes) -> bytes:
    """The field of that field_tag, with this content: among the bytes of a message, the field is set."""
    return tagged + _varint(len(body)) + body


@lru_cache(maxsize=4096)
def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def resource(name: str, message: Message) -> Resource:
    """The xDS resource that carries ``message``."""
    return Resource.of(type_url(type(message)), name, serialise(message))


def pack(message: Message) -> Any:
    """The message as ``google.protobuf.Any``."""
    return Any(type_url=type_url(type(message)), value=serialise(message))


def extension(name: str, message: Message) -> TypedExtensionConfig:
    """The message as a named extension of the matching API."""
    return TypedExtensionConfig(name=name, typed_config=pack(message))


def type_url(message: type[Message]) -> str:
    """What ``google.protobuf.Any`` calls messages of this type."""
    return f"type.googleapis.com/{message.DESCRIPTOR.full_name}"


def seconds(value: float) -> Duration:
    """A duration of that many seconds."""
    whole = int(value)
    return Duration(seconds=whole, nanos=round((value - whole) * 1e9))
