"""A company moves from other gateways: what it had is imported, checked, planned, applied and compared.

Beside each configuration stands a table of requests, with what its gateway answers by its own source or
documentation. Crossgate decides the same, or the import's report lists the difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.command import crossgate
from tests.live.admin.store_gateway import StoreGateway, store_gateway
from tests.native_services import ScriptedNative
from tests.unit.importers.foreign import DATA
from tests.unit.importers.webmethods_exports import DATA as WEBMETHODS
from tests.unit.importers.webmethods_exports import archive_of

from crossgate.catalogue.document import load_document

pytestmark = pytest.mark.live

_KONG: Final = DATA / "kong" / "team"
_SPRING: Final = DATA / "spring-cloud-gateway" / "team"


@dataclass(frozen=True, slots=True)
class _Moved:
    """A gateway that serves what was imported."""

    gateway: StoreGateway
    native: ScriptedNative
    endpoints: dict[str, str]
    """The first endpoint of each API, by its key."""
    report: list[dict[str, Any]]
    """The diagnostics of the imports."""


def _sources(folder: Path) -> list[Path]:
    export = folder / "export.zip"
    export.write_bytes(archive_of("team").data)
    return [_KONG / "kong.yaml", _SPRING / "application.yml", export]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Moved]:
    folder = tmp_path_factory.mktemp("moving-over")
    with ExitStack() as stack:
        native = stack.enter_context(ScriptedNative())
        document = folder / "gateway.yaml"
        sources = [str(one) for one in _sources(folder)]
        options = ["--native", f"http://127.0.0.1:{native.port}", "-o", str(document)]
        imported = crossgate("import", *sources, *options, "--json")
        assert imported.returncode == 1, imported.stderr
        assert crossgate("check", str(document)).returncode in (0, 1)

        written = document.read_bytes()
        again = crossgate("import", *sources, *options)
        assert document.read_bytes() == written, again.stdout

        gateway = stack.enter_context(store_gateway(folder, "--data", "data", "--concurrency", "1"))
        remote = ["--server", gateway.url, "--token", gateway.token]
        planned = crossgate("plan", str(document), *remote, "--json")
        assert planned.returncode == 1, planned.stderr
        apis = [one["key"] for one in json.loads(planned.stdout)["changes"] if one["kind"] == "api"]
        assert len(apis) == 20
        applied = crossgate("apply", str(document), *remote, "--yes", "--wait")
        assert applied.returncode == 0, applied.stderr
        catalogue = load_document(document).catalogue
        assert catalogue is not None
        endpoints = {key: api.endpoints[0] for key, api in catalogue.apis.items()}
        yield _Moved(gateway, native, endpoints, json.loads(imported.stdout)["diagnostics"])


def _requests() -> list[dict[str, Any]]:
    tables = (_KONG / "requests.json", _SPRING / "requests.json")
    rows = [row for table in tables for row in json.loads(table.read_text(encoding="utf-8"))]
    documented = json.loads((WEBMETHODS / "expected/team.requests.json").read_text(encoding="utf-8"))
    return [*rows, *map(_as_row, documented["requests"])]


def _as_row(documented: dict[str, Any]) -> dict[str, Any]:
    """A request of the table for the export, which has statuses, in the form of the other tables."""
    preflight, status = documented.get("preflight"), documented["status"]
    return {
        "api": documented["api"],
        "path": None,
        "method": "OPTIONS" if preflight else documented["method"],
        "origin": documented.get("origin"),
        "request_method": preflight,
        "request_headers": documented.get("headers"),
        "allowed": status if status == "forwarded" else status == 200 and "origin" in documented,
        "status": 200 if status == "forwarded" else status,
    }


@pytest.mark.parametrize("row", _requests(), ids=lambda row: f"{row['api']} {row['method']} {row['origin']}")
def test_requests_are_decided_as_before_or_listed(moved: _Moved, row: dict[str, Any]) -> None:
    names = {
        "Access-Control-Request-Method": "request_method",
        "Access-Control-Request-Headers": "request_headers",
    }
    headers = {} if row["origin"] is None else {"Origin": row["origin"]}
    headers |= {name: row[key] for name, key in names.items() if row[key]}
    before = len(moved.native.log.seen())

    answer = moved.gateway.traffic_client.request(
        row["method"], row["path"] or moved.endpoints[row["api"]], headers=headers
    )

    arrived = len(moved.native.log.seen()) > before
    has_origin = row["origin"] is not None
    allowed = has_origin and answer.headers.get("Access-Control-Allow-Origin") in (row["origin"], "*")
    decided: object = "forwarded" if arrived and has_origin and not allowed else allowed
    if decided != row["allowed"]:
        assert row.get("listed") in {one["code"] for one in moved.report}, (answer.status_code, answer.text)
    else:
        assert "listed" not in row, "listed as a difference, but decided as before"
    assert answer.status_code == row.get("status", answer.status_code)
    assert arrived == (
        (row["method"] != "OPTIONS" or row["allowed"] == "forwarded") and answer.status_code not in (403, 405)
    )
