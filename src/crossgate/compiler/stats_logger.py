"""The configuration of Envoy's logger that counts, with the fields that xds-protos 1.85 lacks.

The statistics of a listener are deleted when it has been replaced and has drained: a logger with a
``stat_prefix`` loses all its counters then. Loggers with a ``stats_scope`` of the same ``sharing_name`` share
one scope, which lives as long as any of them does; a new listener is there before the old one ends.

`envoy --mode validate` crashes at its end if there is such a scope: see :mod:`crossgate.compiler.standalone`.
"""

from __future__ import annotations

from typing import Any as Message
from typing import Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_PACKAGE: Final = "envoy.extensions.access_loggers.stats.v3"
_Field = descriptor_pb2.FieldDescriptorProto
_SHARING_NAME: Final = "crossgate"


def _declare() -> type[Message]:
    """Declare the messages as far as they are used, in the pool in which protobuf looks for JSON's types.

    Field numbers are those of the descriptors in Envoy 1.40's binary.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="crossgate/stats_access_logger.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )

    def add(message: str, **fields: tuple[int, str]) -> None:
        declared = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            field = declared.field.add(name=name, number=number, type=_Field.TYPE_STRING)
            field.label = _Field.LABEL_REPEATED if kind.startswith("*") else _Field.LABEL_OPTIONAL
            if kind:
                field.type, field.type_name = _Field.TYPE_MESSAGE, kind.removeprefix("*")

    add("Scope", prefix=(5, ""), sharing_name=(6, ""))
    add("Tag", name=(1, ""), value_format=(2, ""))
    add("Stat", name=(1, ""), tags=(2, f"*.{_PACKAGE}.Tag"))
    add("Counter", stat=(1, f".{_PACKAGE}.Stat"), value_fixed=(3, ".google.protobuf.UInt64Value"))
    add("Config", stats_scope=(6, f".{_PACKAGE}.Scope"), counters=(4, f"*.{_PACKAGE}.Counter"))
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Config"))


_Config: Final = _declare()


def count_routes(prefix: str) -> Message:
    """A logger of the type ``envoy.access_loggers.stats``: counters ``PREFIX.decisions.route.NAME``."""
    config = _Config()
    config.stats_scope.prefix = prefix
    config.stats_scope.sharing_name = f"{_SHARING_NAME} {prefix}"
    counter = config.counters.add()
    counter.stat.name = "decisions"
    counter.stat.tags.add(name="route", value_format="%ROUTE_NAME%")
    counter.value_fixed.value = 1
    return config
