"""Protobuf messages that no package contains, declared as far as they are read or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Message
from typing import Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = descriptor_pb2.FieldDescriptorProto
Messages = Mapping[str, Mapping[str, tuple[int, Field.Type.ValueType | str, bool]]]
"""By message and field: number, scalar type or a message of the same table, whether it is repeated."""
_PACKAGE: Final = "crossgate"


def declare_message(messages: Messages, name: str) -> Message:
    """The class of one of the messages. Fields are optional: what is set is sent, zero included."""
    file = descriptor_pb2.FileDescriptorProto(name=name, package=_PACKAGE, syntax="proto2")
    for message, fields in messages.items():
        declared = file.message_type.add(name=message)
        for field_name, (number, kind, repeated) in fields.items():
            label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            field = declared.field.add(name=field_name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind
    # A pool of its own: the full names are nobody else's.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
