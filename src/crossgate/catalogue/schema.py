"""The JSON Schema of documents and the tables of the reference, made from the tables of fields."""

from __future__ import annotations

from typing import Any, Final

from crossgate.catalogue.fields import DOCUMENT
from crossgate.record import Definitions, Field, Record, Schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document_schema() -> dict[str, object]:
    """What editors complete and check documents with; the same for the same version of Crossgate.

    It refuses less than reading does: it can't express what must hold between the parts of a document.
    """
    definitions = Definitions()
    schema = {**DOCUMENT.object_schema(definitions), "title": "Crossgate document"}
    return {"$schema": DIALECT, "$defs": dict(sorted(definitions.schemas.items())), **schema}


def object_schemas(prefix: str) -> dict[str, Schema]:
    """The schemas of a document's objects by name, which refer to each other with that prefix."""
    definitions = Definitions(prefix)
    DOCUMENT.object_schema(definitions)
    return definitions.schemas


def nested_records() -> list[Record[Any]]:
    """Every record inside a document."""
    definitions = Definitions()
    DOCUMENT.object_schema(definitions)
    return list(definitions.records.values())


def field_table(record: Record[Any]) -> str:
    """The reference's table of a record's keys, in Markdown."""
    rows = (f"| `{field.name}` | {_escape(field.doc)} | {_default(field)} |" for field in record.fields)
    return "\n".join(["| key | value | default |", "|---|---|---|", *rows])


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default_doc:
        return _escape(field.default_doc)
    default = field.kind.write(field.default)
    match default:
        case bool():
            return str(default).lower()
        case int() | float():
            return f"{default}"
        case str() if default:
            return f"`{default}`"
        case _:
            return "none"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
