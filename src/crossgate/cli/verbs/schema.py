"""``crossgate schema``: the JSON Schema of documents."""

from __future__ import annotations

from crossgate.catalogue.schema import document_schema
from crossgate.cli.output.console import print_json


def schema() -> None:
    """Print the JSON Schema of documents, for editors that complete and check YAML."""
    print_json(document_schema())
