"""The OpenAPI document's schemas of objects: those of the document's own JSON Schema."""

from __future__ import annotations

import json
from typing import Any, Final

from crossgate.catalogue.document.entries import DocumentEntry

_PREFIX: Final = "#/components/schemas/"
LINTED: Final = ("ApiEntry", "ApplicationEntry", "CorsEntry")
"""Objects whose writes the linter speaks of."""


def object_schemas() -> dict[str, Any]:
    """By name, as their models are called: ``ApiEntry``, ``CorsEntry`` and the rest."""
    whole = DocumentEntry.model_json_schema(
        by_alias=True, mode="validation", ref_template=_PREFIX + "{model}"
    )
    found: dict[str, Any] = json.loads(json.dumps(whole["$defs"]))
    return found | {_linted(name): _with_findings(found[name]) for name in LINTED}


def _linted(name: str) -> str:
    return f"Linted{name}"


def _with_findings(schema: dict[str, Any]) -> dict[str, Any]:
    findings = {
        "description": "What the linter says of what was changed; left out if that is nothing.",
        "type": "array",
        "items": reference("Finding"),
    }
    return {**schema, "properties": {**schema["properties"], "findings": findings}}


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


def gives_linted(
    name: str, description: str = "As a document has it, and what the linter says."
) -> dict[str, Any]:
    """For a write's answer: the object, and findings if there are any."""
    return gives(_linted(name), description)
