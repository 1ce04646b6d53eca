"""Errors of native services and of the gateway: pages from allowed origins can read all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.live.edge.requests import (
    FROM_FOREIGN,
    FROM_GOOD,
    GRANTED,
    POLICY,
    cors_of,
    new_marker,
    publish,
    send,
    vary_of,
)
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative, SocketNative
from tests.ports import refusing_port

pytestmark = pytest.mark.live

TOO_MANY_HEADERS = "header=x:y&" * 101


@pytest.fixture(scope="module", autouse=True)
def _served(gateway: LiveGateway, pet: ScriptedNative) -> Iterator[None]:
    with (
        refusing_port() as deaf,
        SocketNative(lambda connection, _: connection.sendall(b"not HTTP\r\n\r\n")) as odd,
    ):
        apis = [
            api("pet", pet.port, POLICY, native_timeout=0.2),
            api("deaf", deaf, POLICY),
            api("odd", odd.port, POLICY),
            api("open", pet.port, None),
        ]
        publish(gateway, catalogue_of(gateway.port, apis))
        yield


FAILURES = {
    "the native service closes the connection": ("/gateway/pet/1/reset", 503),
    "the connection is refused": ("/gateway/deaf/1", 503),
    "the native service is slow": ("/gateway/pet/1/slow?seconds=20", 504),
    "the response is not HTTP": ("/gateway/odd/1", 502),
    "the response has too many headers": (f"/gateway/pet/1?{TOO_MANY_HEADERS}", 502),
    **{f"the native service answers {status}": (f"/gateway/pet/1/status/{status}", status)
       for status in (400, 401, 403, 404, 405, 409, 413, 429, 500, 502, 503, 504)},
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_can_be_read_from_an_allowed_origin_only(gateway: LiveGateway, failure: str) -> None:
    target, status = FAILURES[failure]
    answer = send(gateway, target, FROM_GOOD)
    assert (answer.status, cors_of(answer)) == (status, GRANTED)
    assert "origin" in vary_of(answer)


@pytest.mark.parametrize(
    "failure", ["the native service closes the connection", "the native service answers 500"]
)
def test_an_error_without_origin_has_no_cors_headers(gateway: LiveGateway, failure: str) -> None:
    target, status = FAILURES[failure]
    answer = send(gateway, target)
    assert (answer.status, cors_of(answer)) == (status, {})
    assert "origin" in vary_of(answer)


def test_a_refusal_comes_before_any_error(gateway: LiveGateway, pet: ScriptedNative) -> None:
    marker = new_marker()
    answer = send(gateway, f"/gateway/pet/1/reset?{marker}", FROM_FOREIGN)
    assert (answer.status, answer.text) == (403, "Specified Origin is not allowed")
    assert not pet.log.with_marker(marker)


def test_an_error_of_an_api_without_policy_is_unchanged(gateway: LiveGateway) -> None:
    answer = send(gateway, "/gateway/open/1/reset", FROM_GOOD)
    assert (answer.status, cors_of(answer), vary_of(answer)) == (503, {}, [])


def test_a_truncated_response_is_recognisable(gateway: LiveGateway) -> None:
    answer = send(gateway, "/gateway/pet/1/truncated", FROM_GOOD)
    assert cors_of(answer) == GRANTED
    assert len(answer.body) < int(answer.all("content-length")[0])


def test_vary_is_added_to_the_values_of_the_native_service(gateway: LiveGateway) -> None:
    both = send(gateway, "/gateway/pet/1?vary=Accept-Encoding&vary=Accept", FROM_GOOD)
    assert sorted(vary_of(both)) == ["accept", "accept-encoding", "origin"]
    assert set(vary_of(send(gateway, "/gateway/pet/1?vary=Origin"))) == {"origin"}
    assert vary_of(send(gateway, "/gateway/open/1?vary=Accept", FROM_GOOD)) == ["accept"]


@pytest.mark.parametrize("name", ["ACCESS-CONTROL-ALLOW-ORIGIN", "access-control-expose-headers",
                                  "Access-Control-Unheard-Of", "aCCess-Control-"])  # fmt: skip
def test_cors_headers_of_the_native_service_are_removed_in_any_spelling(
    gateway: LiveGateway, name: str
) -> None:
    target = f"?header={name}:native&header={name}:again&header=X-Kept:yes"
    answer = send(gateway, f"/gateway/pet/1{target}", FROM_GOOD)
    assert cors_of(answer) == GRANTED
    assert answer.all("x-kept") == ["yes"]
    assert cors_of(send(gateway, f"/gateway/pet/1{target}")) == {}
    untouched = send(gateway, f"/gateway/open/1{target}", FROM_GOOD).all(name)
    assert ",".join(untouched) == "native,again"
