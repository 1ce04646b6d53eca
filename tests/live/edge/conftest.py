"""Two native services that log what they see, and a gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.live.inside import LiveGateway, live_gateway
from tests.natives import OddNative


@pytest.fixture(scope="module")
def pet() -> Iterator[OddNative]:
    with OddNative() as service:
        yield service


@pytest.fixture(scope="module")
def petstore() -> Iterator[OddNative]:
    with OddNative() as service:
        yield service


@pytest.fixture(scope="module")
def gateway() -> Iterator[LiveGateway]:
    with live_gateway() as running:
        yield running
