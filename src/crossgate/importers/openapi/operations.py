"""The operations of a description.

Webhooks and callbacks are requests that the service sends; they are not operations of the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.openapi.references import Identity, Located, References
from crossgate.policy.names import ANY, is_token

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAX_SHOWN: Final = 100


class SpecificationVersion(StrEnum):
    """The version of the OpenAPI specification that a description follows."""

    SWAGGER_2 = "2.0"
    OPENAPI_3_0 = "3.0"
    OPENAPI_3_1 = "3.1"
    OPENAPI_3_2 = "3.2"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path."""

    method: str
    """As it is sent."""
    label: str
    """For people: ``GET /pets``."""
    place: Place
    """Of its method."""
    item: Located
    """The Path Item Object that declares it."""
    value: Located


def find_operations(
    references: References, root: Located, version: SpecificationVersion
) -> Iterator[Operation]:
    """Every operation once, however many paths refer to its path item."""
    visited: set[Identity] = set()
    for path, entry in references.entries(root, "paths"):
        if path.startswith("x-"):
            continue
        for item in _path_items(references, entry):
            if item.identity not in visited:
                visited.add(item.identity)
                yield from _operations_of(references, path, item, version, visited)


def shorten(text: str) -> str:
    """The beginning of a string of the description, for reasons: many of them may repeat it."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _path_items(references: References, entry: Located) -> Iterator[Located]:
    """The item, and the one that it refers to: a path item may have fields beside its reference.

    https://spec.openapis.org/oas/v3.1.1.html#path-item-object
    """
    yield entry
    found = references.follow(entry)
    if found is not None and found is not entry:
        yield found


def _operations_of(
    references: References, path: str, item: Located, version: SpecificationVersion, visited: set[Identity]
) -> Iterator[Operation]:
    label = shorten(path)
    for key, value in _fields(references, item):
        if key in _METHODS or (key == "query" and version is SpecificationVersion.OPENAPI_3_2):
            method = key.upper()
            operation = _operation(references, method, f"{method} {label}", item, value)
            if operation is not None:
                yield operation
        elif key == "additionalOperations" and version is SpecificationVersion.OPENAPI_3_2:
            operations = references.child(value)
            if operations is None or operations.identity in visited:
                continue
            visited.add(operations.identity)
            for method, additional in references.entries(operations):
                if not is_token(method) or method == ANY:
                    references.report(
                        Diagnostic(
                            "openapi-method",
                            "the method is not a token",
                            "Write a method of HTTP; this operation is ignored",
                            additional.place(key=True),
                            found=method,
                            severity=Severity.WARNING,
                        )
                    )
                    continue
                operation = _operation(references, method, f"{method} {label}", item, additional)
                if operation is not None:
                    yield operation
        elif key.lower() in _METHODS:
            references.report(
                Diagnostic(
                    "openapi-method",
                    "unknown field; methods are written in lower case",
                    f"Write {key.lower()}; this operation is ignored",
                    value.place(key=True),
                    found=key,
                    severity=Severity.WARNING,
                )
            )


def _fields(references: References, item: Located) -> Iterator[tuple[str, Located]]:
    """The fields of a path item itself, without those of the item that it refers to."""
    if isinstance(item.value, dict):
        for key, value in item.value.items():
            yield key, item.below(key, value)
    elif item.value is not None:
        references.report_shape(item, "a mapping")


def _operation(
    references: References, method: str, label: str, item: Located, value: Located
) -> Operation | None:
    """The operation; its own object may be in another document, which the standard does not provide for."""
    found = references.follow(value)
    if found is not None and found.value is not None and not isinstance(found.value, dict):
        references.report_shape(found, "a mapping")
        return None
    return Operation(method, label, value.place(key=True), item, value if found is None else found)
