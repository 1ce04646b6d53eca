"""The assets of an export: APIs, policies, policy actions, applications and aliases, recognised by shape.

An archive has one asset a file, without wrapper. The REST API of the product wraps them, one by one or in
lists: ``{"apiResponse": {"api": …}}``, ``{"policyAction": [{…}, …]}``. Both are read alike, lists too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from crossgate.importers.cursor import Cursor
from crossgate.importers.report import Report


class AssetKind(StrEnum):
    """The kinds of assets that matter to CORS; the names are those of an archive's folders."""

    API = "API"
    POLICY = "Policy"
    POLICY_ACTION = "PolicyAction"
    APPLICATION = "Application"
    ASSOCIATION = "RegisteredApplication"
    ALIAS = "Alias"


_WRAPPERS: Final = frozenset(
    {
        "apiResponse", "api", "apis", "policy", "policies", "policyAction", "policyActions", "application",
        "applications", "registeredApplication", "registeredApplications", "alias", "aliases",
    }
)  # fmt: skip
_MAX_DEPTH: Final = 8
"""Of lists and wrappers around an asset."""


@dataclass(slots=True)
class ExportAssets:
    """The assets of a document by kind, and by id where they have one."""

    apis: dict[str, Cursor] = field(default_factory=dict)
    policies: dict[str, Cursor] = field(default_factory=dict)
    actions: dict[str, Cursor] = field(default_factory=dict)
    applications: dict[str, Cursor] = field(default_factory=dict)
    associations: list[Cursor] = field(default_factory=list)
    aliases: dict[str, Cursor] = field(default_factory=dict)
    """By their names: variables refer to these."""

    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.apis or self.policies or self.actions or self.applications or self.aliases)


def collect_assets(roots: Iterable[Cursor], report: Report) -> ExportAssets:
    """All assets below the roots. Of several with one id, the one that says the most counts."""
    assets = ExportAssets()
    by_kind = {
        AssetKind.API: assets.apis,
        AssetKind.POLICY: assets.policies,
        AssetKind.POLICY_ACTION: assets.actions,
        AssetKind.APPLICATION: assets.applications,
        AssetKind.ALIAS: assets.aliases,
    }
    for root in roots:
        for kind, asset in find_assets(root):
            if kind is AssetKind.ASSOCIATION:
                assets.associations.append(asset)
                continue
            known = by_kind[kind]
            name = _identity(kind, asset, len(known))
            earlier = known.get(name)
            known[name] = asset if earlier is None else _fuller(earlier, asset, kind, report)
    return assets


def find_assets(asset: Cursor, depth: int = 0) -> Iterator[tuple[AssetKind, Cursor]]:
    """The assets at and below the value."""
    if depth > _MAX_DEPTH:
        return
    for entry in asset.entries():
        yield from find_assets(entry, depth + 1)
    if not isinstance(asset.value, Mapping):
        return
    kind = _kind_of(asset.value)
    if kind is not None:
        yield kind, asset
        return
    for key, value in asset.items():
        if key in _WRAPPERS:
            yield from find_assets(value, depth + 1)


def _kind_of(asset: Mapping[str, object]) -> AssetKind | None:
    keys = asset.keys()
    if "apiName" in keys:
        return AssetKind.API
    if "policyEnforcements" in keys or "policyScope" in keys:
        return AssetKind.POLICY
    if "templateKey" in keys:
        return AssetKind.POLICY_ACTION
    if "apiIds" in keys and "applicationId" in keys:
        return AssetKind.ASSOCIATION
    if (
        keys & {"jsOrigins", "isSuspended", "applicationID", "consumingAPIs", "accessTokens"}
        and "name" in keys
    ):
        return AssetKind.APPLICATION
    if "name" in keys and "type" in keys and keys & {"value", "endPointURI"}:
        return AssetKind.ALIAS
    return None


def _identity(kind: AssetKind, asset: Cursor, number: int) -> str:
    if kind is AssetKind.ALIAS:
        return asset["name"].text or f"#{number}"
    found = asset.first("id", "applicationID").text
    if found is None and kind is AssetKind.API:
        found = f"{asset['apiName'].text} {asset['apiVersion'].text}"
    return found or f"#{number}"


def _fuller(one: Cursor, other: Cursor, kind: AssetKind, report: Report) -> Cursor:
    """The list of all APIs has only a part of what an API's own answer has."""
    fuller, rest = (other, one) if _size(other) > _size(one) else (one, other)
    values = dict(fuller.items())
    if any(key not in values or values[key].value != value.value for key, value in rest.items()):
        report.warning(
            "asset-repeated",
            f"two assets of the kind {kind.value} have one id, and differ: the one that says more counts",
            "Export again, or remove the one that is out of date",
            rest.place,
            fuller.first("id", "applicationID", "name").text,
        )
    return fuller


def _size(asset: Cursor) -> int:
    return len(asset.value) if isinstance(asset.value, Mapping) else 0
