"""No spelling of a path reaches one API under the policy of another, by the native services' logs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.live.edge.requests import new_marker, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, RawResponse, http1, send_http2

from crossgate.policy import build_policy

pytestmark = pytest.mark.live

PET, PETSTORE = "https://pet.example.com", "https://petstore.example.com"
REJECTED, UNKNOWN = 400, 404

# The API whose policy applies to a path, or the status. The APIs "pet" and "petstore" allow one origin each.
PATHS: dict[str, str | int] = {
    "/gateway/pet/1": "pet",
    "/gateway/pet/1/": "pet",
    "/gateway/pet/1/x": "pet",
    "/gateway/pet/1?/../../petstore/1": "pet",
    "/gateway/pet/1/x?a=/gateway/petstore/1/b": "pet",
    "//gateway//pet//1//x": "pet",
    "/./gateway/./pet/./1/.": "pet",
    "/gateway/petstore/../pet/1/x": "pet",
    "/gateway/petstore/1/../../pet/1/x": "pet",
    "/gateway/pet/1/../../petstore/1/x": "petstore",
    "/gateway/pet/1/%2e%2e/%2E%2E/petstore/1/x": "petstore",
    "/gateway/pet/1/.%2e/%2e./petstore/1/x": "petstore",
    "/gateway/pet/1/../../../gateway/petstore/1/x": "petstore",
    "/../../../gateway/petstore/1/x": "petstore",
    "/gateway/pet/1//../../../petstore/1/x": "petstore",
    "/gateway/pet\\1\\x": "pet",
    "/gateway/pet/1\\..\\..\\petstore\\1\\x": "petstore",
    "/gateway/%70etstore/1/x": "petstore",
    "/%67ateway/pet/%31/x": "pet",
    "/gateway/pet/1/%70etstore": "pet",
    "/gateway/pet/1/..;/..;/petstore/1/x": "petstore",
    "/gateway/pet/1/.;/x": "pet",
    "/gateway/pet/1/...": "pet",
    "/gateway/pet/1/a%252fb": "pet",
    "/gateway/pet/1/P('a%2Fb')": "pet",
    "/gateway/pet/1/%20": "pet",
    "http://gateway.test/gateway/pet/1/x": "pet",
    "http://other.test/gateway/pet/1/x": "pet",
    "http://gateway.test/gateway/pet/1/../../petstore/1/x": "petstore",
    "/gateway/pet/1/..%2f..%2fpetstore/1/x": REJECTED,
    "/gateway/pet/1/..%2F..%2Fpetstore/1/x": REJECTED,
    "/gateway/pet/1/%2e%2e%2f%2e%2e%2fpetstore/1/x": REJECTED,
    "/gateway/pet/1/..%5c..%5Cpetstore/1/x": REJECTED,
    "/gateway/pet/1/%252e%252e%252f": REJECTED,
    "/gateway/pet/1/%2e%2e;/x": REJECTED,
    "/gateway/pet/1/%2e;/x": REJECTED,
    "/gateway/pet/1/%00": REJECTED,
    "/gateway/pet/1/x#/../../petstore/1": REJECTED,
    "/gateway/pet/1/\xff": REJECTED,
    "gateway/pet/1/x": REJECTED,
    "/gateway%2fpet/1/x": UNKNOWN,
    "/other/pet/1/x": UNKNOWN,
    "/ws/pet/1/x": UNKNOWN,
    "/gateway/pet": UNKNOWN,
    "/gateway/pet/": UNKNOWN,
    "/gateway/petst/1/x": UNKNOWN,
    "/gateway/pet/10": UNKNOWN,
    "/gateway/pet/1x": UNKNOWN,
    "/gateway/pet/1;v=2/x": UNKNOWN,
    "/gateway/pet;a=b/1/x": UNKNOWN,
    "/gateway;/pet/1/x": UNKNOWN,
    "/gateway/pet%20/1/x": UNKNOWN,
    "/gateway/PET/1/x": UNKNOWN,
    "/Gateway/pet/1/x": UNKNOWN,
    "/pet/1/x": UNKNOWN,
    "/gateway/-/-": UNKNOWN,
    "/-/-/-": UNKNOWN,
    "/": UNKNOWN,
}
SPOOFED = (("x-crossgate-path", "/gateway/petstore/1"), ("X-Crossgate-Path", "passed/gateway/petstore/1"))

Send = Callable[[int, RawRequest], RawResponse]


def over_http1(port: int, request: RawRequest) -> RawResponse:
    with http1(port) as connection:
        return connection.send(request)


def over_http2(port: int, request: RawRequest) -> RawResponse:
    try:
        return send_http2(port, request)
    except EOFError:
        # Over HTTP/2 a protocol error ends the connection.
        return RawResponse(0, (), b"")


@pytest.fixture(scope="module", autouse=True)
def _served(gateway: LiveGateway, pet: ScriptedNative, petstore: ScriptedNative) -> None:
    apis = [
        api("pet", pet.port, build_policy(allowed_origins=[PET], allowed_methods=["GET"])),
        api("petstore", petstore.port, build_policy(allowed_origins=[PETSTORE], allowed_methods=["GET"])),
    ]
    publish(gateway, catalogue_of(gateway.port, apis))


# HTTP/2 has no absolute form, and Envoy escapes bytes there that HTTP/1.1 does not allow.
HTTP2_PATHS = [path for path in PATHS if path.isascii() and not path.startswith("http:")]


@pytest.mark.parametrize(
    ("send", "path"),
    [*((over_http1, path) for path in PATHS), *((over_http2, path) for path in HTTP2_PATHS)],
)
def test_the_policy_of_the_api_that_a_path_leads_to_applies(
    gateway: LiveGateway, pet: ScriptedNative, petstore: ScriptedNative, send: Send, path: str
) -> None:
    expected = PATHS[path]
    for api_name, origin in (("pet", PET), ("petstore", PETSTORE)):
        marker = new_marker()
        headers = (("Origin", origin), ("X-Marker", marker), *SPOOFED, *SPOOFED)
        answer = send(gateway.port, RawRequest("GET", path, headers))
        if isinstance(expected, int):
            assert answer.status == expected or (expected == REJECTED and answer.status == 0)
        else:
            assert answer.status == (200 if api_name == expected else 403)
        reached = {"pet": pet.log.with_marker(marker), "petstore": petstore.log.with_marker(marker)}
        assert {name for name, seen in reached.items() if seen} == {expected} & {api_name}
