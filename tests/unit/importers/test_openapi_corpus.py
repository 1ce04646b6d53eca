"""Descriptions of known services: what is read from each is what a person read in it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import pytest
import yaml
from tests.source import ROOT

from crossgate.importers.found import Found
from crossgate.importers.kinds import KINDS
from crossgate.importers.openapi.reader import read_openapi
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

FOLDER = ROOT / "tests" / "data" / "imports" / "openapi"
EXPECTED = cast(
    "Mapping[str, Mapping[str, object]]",
    yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8")),
)
OPTIONS = ImportOptions(natives={"": "http://127.0.0.1:9101"}, origins=("https://shop.example.com",))


def source_at(path: Path) -> Source:
    def open_file(reference: str, base: str) -> Source:
        return source_at(Path(posixpath.normpath(Path(base).parent / reference)))

    return Source(str(path), path.read_bytes(), open_file)


def values(found: Iterable[Found[str]]) -> list[str]:
    return sorted({one.value for one in found})


def test_every_description_has_an_expectation() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.is_file()} - {"README.md", "expected.yaml"}
    assert files | {"digitalocean/openapi.yml"} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_description_is_read_as_a_person_reads_it(name: str) -> None:
    contents = read_openapi(source_at(FOLDER / name))
    (api,) = contents.apis
    policy = api.cors
    assert policy is not None
    expected: dict[str, object] = {
        **{key: [] for key in ("allow_headers", "expose_headers", "native_cors", "codes")},
        **EXPECTED[name],
    }
    if not expected["natives"]:
        expected["codes"] = ["openapi-server"]
    found = {
        "name": api.name.value,
        "version": api.version.value,
        "natives": [one.value for one in api.natives],
        "methods": values(policy.methods),
        "allow_headers": values(policy.allow_headers),
        "expose_headers": values(policy.expose_headers),
        "native_cors": values(api.native_cors),
        "codes": [one.code for one in contents.diagnostics],
    }
    for key in ("methods", "allow_headers", "expose_headers", "native_cors"):
        expected[key] = sorted(cast("list[str]", expected[key]))
    assert found == expected
    assert policy.origins == ()
    assert policy.credentials is None
    assert all(one.place.line for one in (*policy.methods, *policy.allow_headers, *policy.expose_headers))


@pytest.mark.parametrize("name", EXPECTED)
def test_an_imported_description_passes_the_linter_and_is_stable(name: str) -> None:
    source = source_at(FOLDER / name)
    assert [kind.name for kind in KINDS if kind.recognises(source)] == ["openapi"]
    imported = import_sources([source], options=OPTIONS)
    assert [one for one in imported.findings if one.diagnostic.severity == "error"] == []
    assert import_sources([source], options=OPTIONS).document == imported.document
