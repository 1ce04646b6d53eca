"""``crossgate schema``: the document's JSON Schema, for editors."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of documents, for editors that complete and check YAML."""
    from crossgate.catalogue.schema import document_schema
    from crossgate.cli.output.console import print_json

    print_json(document_schema())
