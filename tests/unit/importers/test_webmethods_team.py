"""A whole export: the decisions after the import are those that the product's documentation says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.command import crossgate
from tests.unit.importers.webmethods_exports import DATA, archive_of

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.reader import merge_sections, read_sections, refuse_files
from crossgate.importers.result import Imported
from crossgate.policy import Answer, EffectivePolicy, Request, decide
from crossgate.service.imports import import_sources

REQUESTS = json.loads((DATA / "expected/team.requests.json").read_text())["requests"]


@pytest.fixture(scope="module")
def imported() -> Imported:
    return import_sources([archive_of("team")])


@pytest.fixture(scope="module")
def policies(imported: Imported) -> dict[str, EffectivePolicy | None]:
    text = yaml.safe_dump(dict(imported.document))
    sections, errors = read_sections(yaml.safe_load(text), None, refuse_files)
    assert errors == []
    assert sections is not None
    catalogue = merge_sections([sections], gateway=None, settings=sections)
    associations = Associations.of(catalogue.applications)
    return {
        key: None if api.cors is None else EffectivePolicy.of(api.cors, associations.origins(key))
        for key, api in catalogue.apis.items()
    }


def test_the_import_is_valid_and_changes_nothing_the_second_time(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(archive_of("team").data)
    first = crossgate("import", "export.zip", "-o", "gateway.yaml", cwd=tmp_path)
    assert first.returncode == 1
    assert "export.zip: webmethods (recognised)" in first.stderr + first.stdout
    written = (tmp_path / "gateway.yaml").read_text()
    assert (
        "gateway.yaml: valid, APIs: 8, applications: 5"
        in crossgate("check", "gateway.yaml", cwd=tmp_path).stdout
    )
    for options in ((), ("--update",)):
        crossgate("import", "export.zip", "-o", "gateway.yaml", *options, cwd=tmp_path)
        assert (tmp_path / "gateway.yaml").read_text() == written


@pytest.mark.parametrize("case", REQUESTS, ids=[f"{at} {one['api']}" for at, one in enumerate(REQUESTS)])
def test_a_request_is_decided_as_the_documentation_says(
    policies: dict[str, EffectivePolicy | None], case: dict[str, Any]
) -> None:
    preflight = case.get("preflight", "")
    request = Request(
        "OPTIONS" if preflight else case["method"],
        origin=case.get("origin", ""),
        request_method=preflight,
        request_headers=case.get("headers", ""),
    )
    policy = policies[case["api"]]
    decision = decide(policy, request)
    if case["status"] == "forwarded":
        assert policy is None
        return
    assert policy is not None
    if isinstance(decision, Answer):
        assert decision.status == case["status"]
        assert decision.body == case.get("body", decision.body)
    else:
        assert case["status"] == 200
        assert not preflight
        assert bool(decision.headers) == ("origin" in case)
