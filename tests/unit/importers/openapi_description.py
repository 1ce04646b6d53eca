"""Descriptions of APIs for tests, and short forms of what is read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.found import Contents, FoundApi, FoundPolicy
from crossgate.importers.openapi.reader import read_openapi
from crossgate.importers.source import Source


def description(**fields: object) -> dict[str, object]:
    """A description by OpenAPI 3.1 with these fields."""
    return {"openapi": "3.1.0", "info": {"title": "Shop", "version": "2"}, "paths": {}} | fields


def swagger(**fields: object) -> dict[str, object]:
    """A description by Swagger 2.0 with these fields."""
    return {"swagger": "2.0", "info": {"title": "Shop", "version": "2"}, "paths": {}} | fields


def read(
    document: object, documents: Mapping[str, object] | None = None, name: str = "shop.json"
) -> Contents:
    """What the reader finds; references lead to ``documents`` by their URLs."""

    def open_document(reference: str, base: str) -> Source:
        if documents is None or reference not in documents:
            raise InvalidInput(
                [Diagnostic("reference-refused", "references are refused", "Leave it", Place(file=base))]
            )
        return source_of(documents[reference], reference)

    def source_of(content: object, source_name: str) -> Source:
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        return Source(source_name, data, open_document)

    return read_openapi(source_of(document, name))


def api_of(document: object, documents: Mapping[str, object] | None = None) -> FoundApi:
    """The only API in the document."""
    (api,) = read(document, documents).apis
    return api


def policy_of(document: object, documents: Mapping[str, object] | None = None) -> FoundPolicy:
    """The policy of the only API in the document."""
    policy = api_of(document, documents).cors
    assert policy is not None
    return policy


def codes(contents: Contents) -> list[str]:
    """The codes of the diagnostics, in their order."""
    return [diagnostic.code for diagnostic in contents.diagnostics]
