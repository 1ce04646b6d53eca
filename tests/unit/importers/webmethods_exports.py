"""Exports of the tests: folders as archives, and what an import gives by the names of its objects."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from crossgate.diagnostics import Diagnostic
from crossgate.importers.source import Source

DATA = Path(__file__).parents[2] / "data/imports/webmethods"


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def archive_of(folder: str) -> Source:
    root = DATA / folder
    files = {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }
    return Source(f"{folder}.zip", zipped(files))


def file_source(name: str) -> Source:
    return Source(name, (DATA / name).read_bytes())


def json_source(document: object) -> Source:
    return Source("export.json", json.dumps(document).encode())


def shown(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """``warning method-not-needed: OPTIONS`` of each, sorted."""
    return sorted(f"{one.severity.value} {one.code}: {one.found}" for one in diagnostics)


def by_name(entries: object) -> dict[str, Any]:
    assert isinstance(entries, list)
    return {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in entries}


def cors_action(**values: list[str]) -> dict[str, object]:
    """A CORS policy action in the shape of all versions."""
    parameters = [{"templateKey": key, "values": value} for key, value in values.items()]
    return {
        "id": "action",
        "names": [{"value": "CORS", "locale": "en"}],
        "templateKey": "cors",
        "parameters": [{"templateKey": "corsAttributes", "parameters": parameters}],
    }


def export(*assets: object, policies: list[str] | None = None, **api: object) -> Source:
    """One API with a policy, whose responseProcessing stage has the action ``action``; and other assets."""
    return json_source(
        [
            {
                "apiName": "pets",
                "apiVersion": "1.0",
                "type": "REST",
                "id": "api",
                "nativeEndpoint": [{"uri": "https://pets.example.com/v2"}],
                "policies": ["policy"] if policies is None else policies,
                **api,
            },
            {
                "id": "policy",
                "policyScope": "SERVICE",
                "active": False,
                "policyEnforcements": [
                    {"stageKey": "responseProcessing", "enforcements": [{"enforcementObjectId": "action"}]}
                ],
            },
            *assets,
        ]
    )


def global_policy(scope: Mapping[str, object], *, active: bool = True) -> list[object]:
    """A global CORS policy that allows one origin, and its action."""
    return [
        {
            "id": "global",
            "names": [{"value": "Global CORS", "locale": "English"}],
            "policyScope": "GLOBAL",
            "global": True,
            "active": active,
            "scope": scope,
            "policyEnforcements": [
                {"stageKey": "responseProcessing", "enforcements": [{"enforcementObjectId": "global-action"}]}
            ],
        },
        {**cors_action(allowedOrigins=["https://global.example.com"]), "id": "global-action"},
    ]
