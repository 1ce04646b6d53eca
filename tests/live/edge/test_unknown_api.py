"""A path that no API serves: 404 with one line that says so, with and without server-level CORS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import FROM_GOOD, GOOD, POLICY, cors_of, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, http1, send_http2

pytestmark = pytest.mark.live

LINE = "No API at this path"
PATHS = (
    "/",
    "/nowhere",
    "/gateway/none/1",
    "/gateway/pet",
    "/gateway/pet/2/x",
    "/gateway/pet/11",
    "/shop/v2",
)


@pytest.fixture(scope="module", params=[False, True], ids=["policies of APIs", "server-level CORS"])
def server_level(request: pytest.FixtureRequest, gateway: LiveGateway, pet: ScriptedNative) -> Iterator[bool]:
    apis = [api("pet", pet.port, POLICY), api("shop", pet.port, None, endpoints=("/shop/v1",))]
    policy = server_policy(GOOD) if request.param else None
    publish(gateway, catalogue_of(gateway.port, apis, server_policy=policy))
    yield request.param


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PURGE"])
@pytest.mark.usefixtures("server_level")
def test_the_body_says_what_is_wrong(gateway: LiveGateway, path: str, method: str) -> None:
    answer = send(gateway, path, method=method)
    assert (answer.status, answer.text) == (404, LINE)
    assert answer.all("content-type") == ["text/plain"]
    assert answer.all("content-length") == [str(len(LINE))]


@pytest.mark.usefixtures("server_level")
def test_it_does_so_over_http2(gateway: LiveGateway) -> None:
    answer = send_http2(gateway.port, RawRequest("GET", "/nowhere", ()))
    assert (answer.status, answer.text) == (404, LINE)
    answer = send_http2(gateway.port, RawRequest("HEAD", "/nowhere", ()))
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.usefixtures("server_level")
def test_a_head_request_gets_the_headers_and_no_body(gateway: LiveGateway) -> None:
    with http1(gateway.port) as connection:
        # A body would be read as the beginning of the next response.
        for method, text in (("HEAD", ""), ("GET", LINE), ("HEAD", ""), ("GET", LINE)):
            answer = connection.send(RawRequest(method, "/gateway/none/1", ()))
            assert (answer.status, answer.text) == (404, text)
            assert answer.all("content-length") == [str(len(LINE))]


def test_it_has_cors_headers_under_server_level_cors_only(gateway: LiveGateway, server_level: bool) -> None:
    answer = send(gateway, "/nowhere", FROM_GOOD)
    assert (answer.status, answer.text) == (404, LINE)
    assert cors_of(answer) == ({"access-control-allow-origin": GOOD} if server_level else {})


@pytest.mark.usefixtures("server_level")
def test_a_404_of_the_native_service_is_its_own(gateway: LiveGateway) -> None:
    for path in ("/gateway/pet/1/status/404", "/shop/v1/status/404"):
        answer = send(gateway, path, FROM_GOOD)
        assert answer.status == 404
        assert LINE not in answer.text
