"""The OpenAPI document's schemas of objects: those of the document's own JSON Schema."""

from __future__ import annotations

import json
from typing import Any, Final

from crossgate.catalogue.document.entries import DocumentEntry

_PREFIX: Final = "#/components/schemas/"


def object_schemas() -> dict[str, Any]:
    """By name, as their models are called: ``ApiEntry``, ``CorsEntry`` and the rest."""
    whole = DocumentEntry.model_json_schema(
        by_alias=True, mode="validation", ref_template=_PREFIX + "{model}"
    )
    found: dict[str, Any] = json.loads(json.dumps(whole["$defs"]))
    return found


def reference(name: str) -> dict[str, str]:
    """The schema of that name."""
    return {"$ref": _PREFIX + name}


def takes(name: str) -> dict[str, Any]:
    """For a route: its body is one such object."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference(name)}}}}


def takes_document() -> dict[str, Any]:
    """For a route: its body is a document, in YAML or JSON."""
    text = {"schema": {"type": "string"}, "example": "apis: []\n"}
    whole = {"schema": {"type": "object"}, "example": {"apis": []}}
    return {
        "requestBody": {"required": True, "content": {"application/yaml": text, "application/json": whole}}
    }


def gives(name: str, description: str = "As a document has it.") -> dict[str, Any]:
    """For a route's answer: one such object."""
    return {"description": description, "content": {"application/json": {"schema": reference(name)}}}
