"""Records: objects described by one table of fields, which reads, writes and documents them.

A `Field` names a key, the kind of its value, its default and its documentation. A `Record` is a table of
fields and a class. From it come the object behind a raw mapping (`Record.read`), the raw mapping behind an
object (`Record.write`) and the JSON Schema of both (`Record.schema`). Raw values are what YAML and JSON give:
strings, numbers, booleans, None, lists and mappings with string keys.

Reading reports every error at once. Nothing about places or remedies is computed before there is an error, so
thousands of stored objects are read quickly at a start.
"""

from crossgate.record.errors import Invalid, as_found, quote_remedy, unknown_keys, wrong_type
from crossgate.record.kinds import (
    AsIs,
    Boolean,
    CheckedKind,
    Choice,
    Definitions,
    ListOf,
    Named,
    Nullable,
    Number,
    OneOrMore,
    Pairs,
    Parsed,
    Remedy,
    Schema,
    Text,
    ValueKind,
    WholeNumber,
)
from crossgate.record.table import REQUIRED, Delegated, Field, Record

__all__ = [
    "REQUIRED",
    "AsIs",
    "Boolean",
    "CheckedKind",
    "Choice",
    "Definitions",
    "Delegated",
    "Field",
    "Invalid",
    "ListOf",
    "Named",
    "Nullable",
    "Number",
    "OneOrMore",
    "Pairs",
    "Parsed",
    "Record",
    "Remedy",
    "Schema",
    "Text",
    "ValueKind",
    "WholeNumber",
    "as_found",
    "quote_remedy",
    "unknown_keys",
    "wrong_type",
]
