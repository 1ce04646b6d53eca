"""A plan says what it would have made of recorded requests: over REST, and in the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.command import crossgate
from tests.refusals import batch, delta, group_key, now
from tests.unit.admin.entries import create_pets

from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.service.errors import StoreUnavailable
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.ports import StoredRefusals
from crossgate.service.refusals import AllowedDelta, AllowedKey
from crossgate.store import Store

OLD = "https://old.example.com"
NEW = "https://shop.example.com"
REFUSED = group_key(origin=NEW)
HOSTILE = group_key(origin="https://a\x1b[31m\u202e\ud800<b>=cmd()", method="\x07")
UNSEEN = group_key(SERVER_LEVEL, NEW)
ALLOWED = AllowedDelta(AllowedKey("pets/1.0", OLD, True, "GET"), 20.0, now())
DOCUMENT = f"""
apis:
  - name: pets
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins: ["{NEW}"]
      allowed_methods: [GET]
"""


class FailingTelemetry(InMemoryTelemetryStore):
    def all_refusals(self, known: StoredRefusals | None = None) -> StoredRefusals:
        del known
        raise StoreUnavailable("the database does not answer", "Retry")


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry) as running:
        create_pets(running.editor, OLD)
        yield running


def replay(client: httpx.Client) -> Any:
    answer = client.post("/v1/plan", content=DOCUMENT)
    assert answer.status_code == 200, answer.text
    return answer.json()["replay"]


def test_a_plan_says_which_refusals_it_turns_and_which_allowed_origins_it_refuses(
    api: AdminApi, telemetry: InMemoryTelemetryStore
) -> None:
    telemetry.add_telemetry(replace(batch(delta(REFUSED, 30, variance=4.0)), allowed=[ALLOWED]))
    common = {"api": "pets/1.0", "preflight": True, "method": "GET", "headers": []}
    assert replay(api.viewer) == {
        "gained": [
            {
                **common,
                "id": REFUSED.id,
                "origin": NEW,
                "count": 30,
                "error": 4,
                "before": "refused",
                "after": "allowed",
                "reason": "",
            }
        ],
        "lost": [
            {
                **common,
                "id": None,
                "origin": OLD,
                "count": 20,
                "error": None,
                "before": "allowed",
                "after": "refused",
                "reason": "origin-refused",
            }
        ],
        "gained_requests": 30,
        "lost_requests": 20,
        "omitted": 0,
        "unknown": 0,
        "unknown_requests": 0,
    }


def test_without_records_there_is_no_replay(api: AdminApi) -> None:
    assert replay(api.viewer) is None


def test_a_limited_token_sees_its_apis_only(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(REFUSED, 30), delta(UNSEEN), delta(group_key("stock/2"))))
    secret, _ = api.tokens.create("pets", Role.EDITOR, apis=("pets",))
    with api.client(secret) as client:
        assert [one["id"] for one in replay(client)["gained"]] == [REFUSED.id]
    foreign, _ = api.tokens.create("stock", Role.EDITOR, apis=("stock",))
    with api.client(foreign) as client:
        refused = client.post("/v1/plan", content=DOCUMENT)
    assert refused.status_code == 403
    assert NEW not in refused.text


def test_a_plan_needs_no_records(store: Store) -> None:
    with running_admin_api(store.catalogue, store.tokens, telemetry=FailingTelemetry()) as api:
        create_pets(api.editor, OLD)
        assert replay(api.viewer) is None


def test_what_requests_sent_is_escaped(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(REFUSED, 30), delta(HOSTILE)))
    answer = api.viewer.post("/v1/plan", content=DOCUMENT.replace(f'"{NEW}"', "'*'"))
    assert answer.text.isascii()
    assert "\x1b" not in answer.text


def test_the_command_prints_the_replay(
    api: AdminApi, telemetry: InMemoryTelemetryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.add_telemetry(replace(batch(delta(REFUSED, 30)), allowed=[ALLOWED]))
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT, encoding="utf-8")
    secret, _ = api.tokens.create("command", Role.VIEWER)
    monkeypatch.setenv("CROSSGATE_TOKEN", secret)
    planned = crossgate("plan", file, "--server", api.url)
    assert planned.returncode == 1, planned.stderr
    assert f"    + pets/1.0: {NEW}, preflight for GET: 30 refused, would be allowed" in planned.stdout
    assert (
        f"    - pets/1.0: {OLD}, preflight for GET: about 20 allowed, would be refused (origin-refused)"
        in planned.stdout
    )
    as_json = crossgate("plan", file, "--server", api.url, "--json")
    assert json.loads(as_json.stdout)["replay"]["gained_requests"] == 30
