"""The JSON Schema of documents, made from the models that read them."""

from __future__ import annotations

from typing import Final

from pydantic.json_schema import GenerateJsonSchema

from crossgate.catalogue.document.entries import DocumentEntry

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Without titles for fields: they would only repeat the keys."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def document_schema() -> dict[str, object]:
    """What editors complete and check documents with; the same for the same version of Crossgate.

    It refuses less than reading does: it can't say what must hold between the parts of a document.
    """
    schema = DocumentEntry.model_json_schema(by_alias=True, mode="validation", schema_generator=_Untitled)
    return {"$schema": DIALECT, **schema, "title": "Crossgate document"}
