"""Reads OpenAPI descriptions: Swagger 2.0, OpenAPI 3.0, 3.1 and 3.2.

- https://spec.openapis.org/oas/v2.0.html
- https://spec.openapis.org/oas/v3.0.4.html
- https://spec.openapis.org/oas/v3.1.1.html
- https://spec.openapis.org/oas/v3.2.0.html
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.build import DEFAULT_VERSION
from crossgate.importers.found import Contents, Found, FoundApi
from crossgate.importers.kind import Kind
from crossgate.importers.openapi.headers import OperationHeaders
from crossgate.importers.openapi.operations import SpecificationVersion, find_operations
from crossgate.importers.openapi.references import Located, References
from crossgate.importers.openapi.security import SecuritySchemes
from crossgate.importers.openapi.servers import Servers
from crossgate.importers.openapi.suggestion import Suggestion
from crossgate.importers.openapi.vendor_extensions import read_vendor_extensions
from crossgate.importers.source import Source
from crossgate.importers.tree import Tree

_VERSION_KEYS: Final = ("openapi", "swagger", "swaggerVersion")
_VERSION: Final = re.compile(r"([0-9]+\.[0-9]+)(?:[.-].*)?", re.DOTALL)
_READ: Final = ", ".join(SpecificationVersion)


def recognises_openapi(source: Source) -> bool:
    """Whether one of the documents has the key of a version of Swagger or OpenAPI."""
    return any(_version_key(tree) is not None for tree in source.parsed)


def read_openapi(source: Source) -> Contents:
    """The API of each description in the source.

    Raises:
        InvalidInput: a document is not a description of a version that is read.

    """
    if not source.trees:
        raise InvalidInput([_unknown(Place(file=source.name), None)])
    refused = [one for one in map(_version_of, source.trees) if isinstance(one, Diagnostic)]
    if refused:
        raise InvalidInput(refused)
    references = References()
    apis: list[FoundApi] = []
    for index, tree in enumerate(source.trees):
        version = _version_of(tree)
        if isinstance(version, SpecificationVersion):
            root = Located(tree.root, source, tree)
            apis.append(_read_api(references, root, version, str(index)))
    return Contents(apis=tuple(apis), diagnostics=tuple(references.diagnostics))


def _version_key(tree: Tree) -> str | None:
    if not isinstance(tree.root, dict):
        return None
    return next((key for key in _VERSION_KEYS if isinstance(tree.root.get(key), str | int | float)), None)


def _version_of(tree: Tree) -> SpecificationVersion | Diagnostic:
    key = _version_key(tree)
    if key is None:
        return _unknown(tree.place(), None)
    written = str(tree.get(key))
    found = _VERSION.fullmatch("2.0" if written == "2" else written)
    version = found[1] if found else ""
    if version not in list(SpecificationVersion) or (version == SpecificationVersion.SWAGGER_2) != (
        key == "swagger"
    ):
        return _unknown(tree.place(key), f"{key}: {written}")
    return SpecificationVersion(version)


def _unknown(place: Place, found: str | None) -> Diagnostic:
    return Diagnostic(
        "openapi-version",
        f"not a description of a version that is read: {_READ}",
        'Write swagger: "2.0", or openapi with one of the other versions, at the top of the document',
        place,
        found=found,
    )


def _read_api(references: References, root: Located, version: SpecificationVersion, api_id: str) -> FoundApi:
    suggestion = Suggestion(references)
    headers = OperationHeaders(references, root, version, suggestion)
    security = SecuritySchemes(references, root, version)
    servers = Servers(references, root, version)
    for operation in find_operations(references, root, version):
        headers.add(operation)
        security.add(operation)
        servers.add(operation)
    security.suggest(suggestion)
    vendor = read_vendor_extensions(root.tree)
    for diagnostic in vendor.diagnostics:
        references.report(diagnostic)
    key = _version_key(root.tree) or ""
    return FoundApi(
        id=api_id,
        name=_name(references, root),
        version=_api_version(references, root),
        type=Found(ApiType.REST, root.place(key), f"description by {key} {version}"),
        natives=servers.natives(),
        cors=suggestion.policy() if vendor.policy is None else vendor.policy,
        native_cors=(*suggestion.native_cors, *vendor.native_cors),
    )


def _name(references: References, root: Located) -> Found[str]:
    title = references.string(root, "info", "title")
    if title is not None and isinstance(title.value, str) and title.value.strip():
        return Found(title.value, title.place(), "info.title")
    name = PurePosixPath(root.source.name).stem.strip("<>") or "api"
    references.report(
        Diagnostic(
            "openapi-title",
            "the description has no title",
            "Give the API a name with --name",
            root.place("info"),
            found=name,
            severity=Severity.WARNING,
        )
    )
    return Found(name, root.place("info"), "name of the file")


def _api_version(references: References, root: Located) -> Found[str]:
    version = references.child(root, "info", "version")
    if version is not None and isinstance(version.value, str) and version.value.strip():
        return Found(version.value, version.place(), "info.version")
    if version is not None and isinstance(version.value, int | float) and not isinstance(version.value, bool):
        references.report(
            Diagnostic(
                "openapi-version-number",
                "the API's version is a number: zeros at its end are lost",
                "Quote it, or give it with --api-version",
                version.place(),
                found=str(version.value),
                severity=Severity.INFO,
            )
        )
        return Found(str(version.value), version.place(), "info.version")
    references.report(
        Diagnostic(
            "openapi-version-missing",
            "the description has no version of the API",
            "Give it with --api-version",
            root.place("info"),
            found=DEFAULT_VERSION,
            severity=Severity.WARNING,
        )
    )
    return Found(DEFAULT_VERSION, root.place("info"), "default version")


OPENAPI: Final = Kind(
    "openapi",
    "OpenAPI description",
    "An API with a suggested policy: methods, headers and credentials of its operations, without origins.",
    recognises_openapi,
    read_openapi,
)
