"""Requests that the control plane sends through its own Envoy: they agree with what was computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.live.admin.store_gateway import eventually, store_gateway
from tests.unit.admin.entries import create_pets

pytestmark = pytest.mark.live

APP = "https://app.example"
BODY = {"api": "pets/1.0", "path": "/gateway/pets/1.0/x", "script": True}


def test_a_sent_request_agrees_with_the_decision(tmp_path: Path) -> None:
    with store_gateway(tmp_path, "--data", str(tmp_path / "data"), "--concurrency", "1") as gateway:
        create_pets(gateway.admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)

        def send(**changed: object) -> dict[str, Any]:
            answer = gateway.admin.post("/v1/explain/send", json={**BODY, **changed})
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        refused = send(origin="https://evil.example", method="PUT")
        assert [(one["method"], one["status"], one["disagreements"]) for one in refused["sent"]] == [
            ("OPTIONS", 403, [])
        ]
        assert refused["needs_confirmation"] is False
        unconfirmed = send(origin=APP, method="GET")
        assert unconfirmed["sent"] == []
        assert unconfirmed["needs_confirmation"] is True
        confirmed = send(origin=APP, method="GET", confirm_native=True)
        [one] = confirmed["sent"]
        assert one["disagreements"] == []
        assert one["stage"] == "request"
        smuggled = gateway.admin.post(
            "/v1/explain/send", json={**BODY, "origin": "https://a.example\r\nX-Evil: 1", "method": "GET"}
        )
        assert smuggled.status_code == 422
