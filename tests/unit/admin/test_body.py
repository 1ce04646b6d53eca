from __future__ import annotations

import pytest
from tests.admin_api import AdminApi
from tests.unit.admin.entries import NEW, PETS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff{}",
        b'{"type": "rest", "type": "soap"}',
        b'{"native_timeout": NaN}',
        b'{"native": "\\ud800"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
)
def test_ambiguous_or_malformed_body_is_rejected(api: AdminApi, body: bytes) -> None:
    answer = api.editor.put(PETS, content=body, headers=NEW)

    assert answer.status_code == 400
    assert answer.json()["diagnostics"][0]["code"] == "body-malformed"


def test_body_above_the_limit_is_rejected(api: AdminApi) -> None:
    piece = b" " * 1024 * 1024

    announced = api.editor.put(PETS, content=piece * 5, headers=NEW)
    unannounced = api.editor.put(PETS, content=(piece for _ in range(5)), headers=NEW)
    document = api.editor.post("/v1/plan", content=piece * 17)

    assert (announced.status_code, unannounced.status_code, document.status_code) == (413, 413, 413)
