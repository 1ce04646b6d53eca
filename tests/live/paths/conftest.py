"""A gateway in front of one native service, by API policies and by server-level CORS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import GOOD, POLICY, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.live.paths.echoing_native import EchoingNative
from tests.live.paths.endpoints import BASE

from crossgate.catalogue.model import NativeService
from crossgate.policy import build_policy

_TABLE = build_policy(allowed_origins=[GOOD, *(f"https://app{number}.example.com" for number in range(20))])
_OBSERVED = build_policy(allowed_origins=[GOOD], mode="observe")


@pytest.fixture(scope="module")
def native() -> Iterator[EchoingNative]:
    with EchoingNative() as service:
        yield service


@pytest.fixture(scope="module", params=[False, True], ids=["API policies", "server-level CORS"])
def server_level(request: pytest.FixtureRequest) -> bool:
    """Whether server-level CORS is on."""
    return bool(request.param)


@pytest.fixture(scope="module")
def gateway(native: EchoingNative, server_level: bool) -> Iterator[LiveGateway]:
    service = NativeService("http", "127.0.0.1", native.port, BASE)
    policies = {"open": None, "guarded": POLICY, "table": _TABLE, "observed": _OBSERVED}
    apis = [
        *(api(name, native.port, policy, native=service) for name, policy in policies.items()),
        api("shop", native.port, POLICY, native=service, endpoints=("/shop/v1",)),
        # Makes the gateway choose between two endpoints under one first segment.
        api("shop2", native.port, None, native=service, endpoints=("/shop/v2",)),
    ]
    with live_gateway() as running:
        policy = server_policy(GOOD) if server_level else None
        publish(running, catalogue_of(running.port, apis, server_policy=policy))
        yield running
