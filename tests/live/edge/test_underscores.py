"""Header names with an underscore: refused by default; if allowed, none can be taken for a protected name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import FROM_GOOD, GOOD, GRANTED, POLICY, cors_of, publish, received, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, RawResponse, http1, send_http2

from crossgate.catalogue.underscore_headers import PROTECTED_HEADERS, UnderscoreHeaders

pytestmark = pytest.mark.live

CLAIMED = "claimed"
TARGET = "/gateway/pet/1/headers"
MORE_PROTECTED = (
    "host",
    "connection",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-forwarded-port",
    "x-forwarded-client-cert",
    "x-envoy-external-address",
    "x-envoy-original-dst-host",
    "x-envoy-internal",
)
PROTECTED = {*PROTECTED_HEADERS, *MORE_PROTECTED}


def spellings(name: str) -> Iterator[str]:
    """Every spelling of the name with an underscore for at least one hyphen."""
    parts = name.split("-")
    for separators in itertools.product("-_", repeat=len(parts) - 1):
        if "_" in separators:
            yield "".join(itertools.chain(*zip(parts, (*separators, ""), strict=True)))


LOOKALIKES = [spelling for name in sorted(PROTECTED) for spelling in spellings(name)]


def folded(answer: RawResponse) -> dict[str, list[str]]:
    """What the native service received, as a program reads it that takes underscores for hyphens."""
    found: dict[str, list[str]] = {}
    for name, values in received(answer).items():
        found.setdefault(name.replace("_", "-"), []).extend(values)
    return found


MODES = {
    "policies of APIs": (False, ()),
    "server-level CORS": (True, ()),
    "behind a trusted proxy": (False, ("127.0.0.0/8",)),
    "server-level CORS behind a trusted proxy": (True, ("127.0.0.0/8",)),
}


@pytest.fixture(scope="module", params=MODES.values(), ids=[*MODES])
def allowing(request: pytest.FixtureRequest, gateway: LiveGateway, pet: ScriptedNative) -> None:
    server_level, proxies = request.param
    catalogue = catalogue_of(
        gateway.port,
        [api("pet", pet.port, POLICY)],
        server_policy=server_policy(GOOD) if server_level else None,
        underscore_headers=UnderscoreHeaders.ALLOW,
    )
    publish(gateway, replace(catalogue, gateway=replace(catalogue.gateway, trusted_proxies=proxies)))


@pytest.mark.usefixtures("allowing")
@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("spell", [str.lower, str.title])
def test_no_look_alike_of_a_protected_header_arrives(
    gateway: LiveGateway, http: str, spell: Callable[[str], str]
) -> None:
    for start in range(0, len(LOOKALIKES), 60):
        batch = LOOKALIKES[start : start + 60]
        headers = tuple((spell(name) if http == "1.1" else name, CLAIMED) for name in batch)
        request = RawRequest("GET", TARGET, (FROM_GOOD, *headers))
        if http == "2":
            answer = send_http2(gateway.port, request)
        else:
            with http1(gateway.port) as connection:
                answer = connection.send(request)
        assert answer.status == 200
        assert {name: values for name, values in folded(answer).items() if CLAIMED in values} == {}


@pytest.mark.usefixtures("allowing")
@pytest.mark.parametrize("name", ["api_key", "API_Key", "x-my_header", "_", "my_x_real_ip", "content_type_x"])
def test_other_names_with_an_underscore_arrive(gateway: LiveGateway, name: str) -> None:
    answer = send(gateway, TARGET, FROM_GOOD, (name, "secret"))
    assert answer.status == 200
    assert cors_of(answer)["access-control-allow-origin"] == GOOD
    assert received(answer)[name.lower()] == ["secret"]


@pytest.mark.usefixtures("allowing")
def test_names_that_begin_with_x_and_an_underscore_do_not_arrive(gateway: LiveGateway) -> None:
    assert [name for name in received(send(gateway, TARGET, ("X_Api_Key", "secret"))) if "_" in name] == []


@pytest.mark.usefixtures("allowing")
def test_the_protected_headers_themselves_are_set_as_ever(gateway: LiveGateway) -> None:
    seen = folded(send(gateway, TARGET, FROM_GOOD, ("X_Forwarded_Host", CLAIMED), ("x-request_id", CLAIMED)))
    assert seen["x-forwarded-host"] == ["gateway.test"]
    assert seen["x-forwarded-prefix"] == ["/gateway/pet/1"]
    assert seen["x-forwarded-proto"] == ["http"]
    assert len(seen["x-request-id"]) == 1


@pytest.mark.usefixtures("allowing")
def test_a_look_alike_of_a_length_ends_no_body(gateway: LiveGateway) -> None:
    body = "x" * 20
    head = f"POST /gateway/pet/1/echo HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: {len(body)}\r\n"
    for lookalike in ("Content_Length: 3", "Transfer_Encoding: chunked"):
        with http1(gateway.port) as connection:
            answer = connection.send_raw(f"{head}{lookalike}\r\n\r\n{body}")
            assert (answer.status, answer.text) == (200, body)
            assert connection.send(RawRequest("GET", "/gateway/pet/1", ())).status == 200


def test_by_default_such_a_request_is_refused(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, catalogue_of(gateway.port, [api("pet", pet.port, POLICY)]))
    before = len(pet.log.seen())
    refused = send(gateway, TARGET, FROM_GOOD, ("api_key", "secret"))
    assert (refused.status, refused.text, cors_of(refused)) == (400, "Bad Request", {})
    assert send_http2(gateway.port, RawRequest("GET", TARGET, (("api_key", "secret"),))).status == 0
    assert len(pet.log.seen()) == before
    assert cors_of(send(gateway, TARGET, FROM_GOOD)) == GRANTED
