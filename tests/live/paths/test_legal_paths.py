"""Legal paths reach the native service byte for byte, and their responses have CORS headers."""

from __future__ import annotations

import pytest
from tests.live.edge.requests import GOOD, GRANTED, cors_of
from tests.live.in_process_gateway import LiveGateway
from tests.live.paths.endpoints import BASE, MAIN_ENDPOINTS
from tests.live.paths.sending import send_all
from tests.paths.legal_paths import LEGAL_PATHS

pytestmark = pytest.mark.live


@pytest.mark.parametrize("endpoint", MAIN_ENDPOINTS)
def test_a_legal_path_is_forwarded_unchanged(gateway: LiveGateway, server_level: bool, endpoint: str) -> None:
    by_server = {"access-control-allow-origin": GOOD}
    granted = by_server if server_level else {} if endpoint == "/gateway/open/1" else GRANTED
    found = [
        (response.status, response.text, cors_of(response))
        for _, response in send_all(gateway.port, [endpoint + path for path in LEGAL_PATHS])
    ]
    assert found == [(200, BASE + path, granted) for path in LEGAL_PATHS]
