"""Two native services that log their requests, and a gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.live.in_process_gateway import LiveGateway, live_gateway
from tests.native_services import ScriptedNative


@pytest.fixture(scope="module")
def pet() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


@pytest.fixture(scope="module")
def petstore() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


@pytest.fixture(scope="module")
def gateway() -> Iterator[LiveGateway]:
    with live_gateway() as running:
        yield running
