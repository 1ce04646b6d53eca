"""No spelling of a path leads a native service out of its API, and the engine says of each what Envoy does.

Thousands of spellings go through a real Envoy to a native service with a base path; what it receives is then
read by the rules of all native services. ``CROSSGATE_SEED`` repeats the random ones.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import lru_cache, partial

import pytest
from tests.live.edge.requests import cors_of
from tests.live.in_process_gateway import LiveGateway
from tests.live.paths.echoing_native import EchoingNative
from tests.live.paths.endpoints import BASE, MAIN_ENDPOINTS, OTHER_ENDPOINTS, received_path
from tests.live.paths.sending import send_all
from tests.paths.native_rules import leaves
from tests.paths.traversals import TRAVERSALS, random_paths, random_traversals
from tests.raw_http import RawRequest, RawResponse, send_http2

from crossgate.policy.request import is_malformed_path, normalise_path

pytestmark = pytest.mark.live

SEED = int(os.environ.get("CROSSGATE_SEED", random.SystemRandom().randrange(2**31)))
PREFLIGHT = ("Access-Control-Request-Method", "GET")
# The same paths are received at every endpoint, and all rules read each.
_leaves_base = lru_cache(maxsize=None)(partial(leaves, BASE))
SPELLINGS = [traversal.spelling for traversal in TRAVERSALS]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Requests to one endpoint, their responses, and the targets that the native service received."""

    endpoint: str
    responses: list[tuple[str, RawResponse]]
    received: list[str]

    def with_status(self, *statuses: int) -> list[tuple[str, RawResponse]]:
        return [(target, response) for target, response in self.responses if response.status in statuses]


@pytest.fixture(scope="module", params=[*MAIN_ENDPOINTS, *OTHER_ENDPOINTS])
def exchange(request: pytest.FixtureRequest, gateway: LiveGateway, native: EchoingNative) -> Exchange:
    endpoint = request.param
    spellings = [traversal.spelling for traversal in random_traversals(SEED, 400)]
    if endpoint in MAIN_ENDPOINTS:
        spellings += [*SPELLINGS, *random_paths(SEED, 1200)]
    native.targets.clear()
    responses = list(send_all(gateway.port, [endpoint + spelling for spelling in spellings]))
    return Exchange(endpoint, responses, list(native.targets))


def test_no_native_service_is_led_out_of_its_base_path(exchange: Exchange) -> None:
    led_out = [target for target in set(exchange.received) if _leaves_base(target)]
    assert not led_out, f"seed {SEED}: {led_out[:5]}"


def test_what_would_lead_out_is_refused_with_400(exchange: Exchange) -> None:
    refused = {target for target, _ in exchange.with_status(400)}
    led_out = [target for target, _ in exchange.responses if _would_lead_out(exchange.endpoint, target)]
    assert led_out
    assert not [target for target in led_out if target not in refused], f"seed {SEED}"


def test_the_native_service_receives_only_what_is_forwarded(exchange: Exchange) -> None:
    echoed = [response.text for _, response in exchange.with_status(200)]
    assert sorted(exchange.received) == sorted(echoed), f"seed {SEED}"


def test_a_refusal_has_no_cors_headers(exchange: Exchange, server_level: bool) -> None:
    statuses = {response.status for _, response in exchange.responses}
    assert statuses <= {200, 400, 404}, f"seed {SEED}"
    # Server-level CORS lets an allowed origin read that an API is unknown.
    refused = exchange.with_status(400) if server_level else exchange.with_status(400, 404)
    assert not [target for target, response in refused if cors_of(response)], f"seed {SEED}"


def test_the_engine_agrees_with_envoy(exchange: Exchange) -> None:
    differences = [
        (target, response.status, response.text, _results(exchange.endpoint, target))
        for target, response in exchange.responses
        if (response.text if response.status == 200 else response.status)
        not in _results(exchange.endpoint, target)
    ]
    assert not differences, f"seed {SEED}: {len(differences)}, such as {differences[:5]}"


@pytest.mark.parametrize("endpoint", MAIN_ENDPOINTS)
def test_a_preflight_is_refused_as_well(gateway: LiveGateway, native: EchoingNative, endpoint: str) -> None:
    led_out = [endpoint + one for one in SPELLINGS[::8] if _would_lead_out(endpoint, endpoint + one)]
    native.targets.clear()
    responses = [response for _, response in send_all(gateway.port, led_out, PREFLIGHT, method="OPTIONS")]
    assert {(response.status, *cors_of(response)) for response in responses} == {(400,)}
    assert not native.targets


@pytest.mark.parametrize("endpoint", MAIN_ENDPOINTS)
def test_http2_makes_no_difference(gateway: LiveGateway, native: EchoingNative, endpoint: str) -> None:
    led_out = [endpoint + one for one in SPELLINGS[::40] if _would_lead_out(endpoint, endpoint + one)]
    native.targets.clear()
    responses = [send_http2(gateway.port, RawRequest("GET", target, ())) for target in led_out]
    assert {(response.status, *cors_of(response)) for response in responses} == {(400,)}
    assert not native.targets


@pytest.mark.parametrize("endpoint", MAIN_ENDPOINTS)
def test_the_absolute_form_makes_no_difference(
    gateway: LiveGateway, native: EchoingNative, endpoint: str
) -> None:
    led_out = [endpoint + one for one in SPELLINGS[::8] if _would_lead_out(endpoint, endpoint + one)]
    native.targets.clear()
    targets = [f"http://gateway.test{target}" for target in led_out]
    responses = [response for _, response in send_all(gateway.port, targets)]
    assert {(response.status, *cors_of(response)) for response in responses} == {(400,)}
    assert not native.targets


def _would_lead_out(endpoint: str, target: str) -> bool:
    """Whether the target, if it were not refused, would lead some native service out of its base path."""
    received = received_path(target, endpoint)
    return received is not None and _leaves_base(received)


def _results(endpoint: str, target: str) -> set[int | str]:
    """The statuses, and the forwarded target, that the engine allows for."""
    path, question_mark, query = target.partition("?")
    received = received_path(path, endpoint)
    if received is not None:
        return {400} if is_malformed_path(path) else {received + question_mark + query}
    if normalise_path(path) is None:
        return {400}
    # What no API serves may be refused for its path as well.
    return {400, 404} if is_malformed_path(path) else {404}
