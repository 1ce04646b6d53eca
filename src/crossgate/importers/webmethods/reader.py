"""Reads exports: an archive, one asset, or answers of the product's REST API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Contents, Found, FoundApi
from crossgate.importers.kind import Kind
from crossgate.importers.report import Report
from crossgate.importers.source import Source
from crossgate.importers.webmethods.apis import read_apis
from crossgate.importers.webmethods.applications import read_applications
from crossgate.importers.webmethods.archive import is_archive, member_names, read_archive
from crossgate.importers.webmethods.assets import AssetKind, ExportAssets, collect_assets, find_assets
from crossgate.importers.webmethods.cors_action import TEMPLATE
from crossgate.importers.webmethods.policies import ApiPolicies

_MANIFEST: Final = "APIGatewayAssets.acdl"
MAX_VALUES: Final = 4_000_000
"""Commas and opening brackets in all assets that are read; 64 MiB of public exports have half as many."""
_PREFIXES: Final = tuple(f"{kind.value}." for kind in AssetKind)


def recognises_export(source: Source) -> bool:
    """Whether it is an export archive, its manifest, or JSON with an asset."""
    if is_archive(source.data):
        return any(_is_wanted(name) or _base(name) == _MANIFEST for name in member_names(source.data))
    if b"<asset_composite" in source.data[:4096]:
        return True
    return any(
        kind is not AssetKind.ALIAS for tree in source.parsed for kind, _ in find_assets(Cursor.root(tree))
    )


def read_export(source: Source) -> Contents:
    """The APIs and applications of an export."""
    report = Report()
    assets = collect_assets(_roots(source, report), report)
    if not assets.any():
        raise InvalidInput(
            [
                *report.diagnostics,
                Diagnostic(
                    "nothing-found",
                    "the document has no API, policy or application of the product",
                    "Import the export archive (a zip), or the answer of GET /apis/ID or GET /applications",
                    Place(file=source.name),
                ),
            ]
        )
    policies = ApiPolicies(assets, report)
    apis = read_apis(assets, policies, report)
    applications = read_applications(assets, report)
    if assets.apis:
        policies.report_unused()
    else:
        apis = tuple(_apis_of_actions(assets, policies, report))
    return Contents(apis, applications, diagnostics=tuple(report.diagnostics))


def _roots(source: Source, report: Report) -> Iterator[Cursor]:
    if not is_archive(source.data):
        if source.data.lstrip()[:1] == b"<":
            raise InvalidInput([_manifest(source)])
        for tree in source.trees:
            yield Cursor.root(tree)
        return
    assets = list(read_archive(source.data, source.name, _is_wanted))
    # A value of three bytes takes 60 bytes of memory and more, and all assets are kept for their places.
    if sum(content.count(mark) for _, content in assets for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise InvalidInput([_too_many_values(source)])
    for name, content in assets:
        member = Source(f"{source.name}:{name}", content)
        for tree in member.trees:
            yield Cursor.root(tree)
    for name in member_names(source.data):
        if name.lower().endswith(".zip"):
            report.warning(
                "archive-nested",
                "an archive in the archive is not read",
                "Import it by itself",
                Place(file=source.name),
                name,
            )


def _too_many_values(source: Source) -> Diagnostic:
    return Diagnostic(
        "archive-size",
        "the archive has too many values in its assets",
        "Export fewer APIs at once",
        Place(file=source.name),
    )


def _manifest(source: Source) -> Diagnostic:
    return Diagnostic(
        "archive-manifest",
        "this is the manifest of an export, not the export",
        "Zip the folder in which it is, with APIGatewayAssets.acdl at the top, and import the zip",
        Place(file=source.name),
    )


def _is_wanted(name: str) -> bool:
    """Whether the member is an asset that matters; those with secrets are never unpacked."""
    return _base(name).startswith(_PREFIXES)


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _apis_of_actions(assets: ExportAssets, policies: ApiPolicies, report: Report) -> Iterator[FoundApi]:
    """An API for each CORS action of a document without any API."""
    for identity, action in assets.actions.items():
        if action["templateKey"].value != TEMPLATE:
            continue
        name = action["names"][0]["value"]
        report.warning(
            "policy-without-api",
            "the document has a CORS policy, and no API: the policy is that of an API of its own",
            "Name the API with --name, and its native service with --native",
            action["templateKey"].place,
        )
        yield FoundApi(
            identity,
            Found(name.text or TEMPLATE, name.place, "name of the policy action"),
            Found("1.0", action["templateKey"].place, "no API in the document"),
            Found(ApiType.REST, action["templateKey"].place, "no API in the document"),
            cors=policies.read_cors(action),
        )


WEBMETHODS: Final = Kind(
    "webmethods",
    "webMethods API Gateway export",
    "APIs, their CORS policies and applications, from an export archive (zip), one asset, or answers of the "
    "REST API.",
    recognises_export,
    read_export,
)
