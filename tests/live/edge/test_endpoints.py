"""Endpoints other than the default ones: any depth, several of one API, several APIs under one segment."""

from __future__ import annotations

import pytest
from tests.live.edge.requests import FOREIGN, GOOD, POLICY, new_marker, publish, received, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative

pytestmark = pytest.mark.live

ODD = "/odd/a~b@c:d+e=f,g!h$i-j_k.l"


@pytest.fixture(scope="module", autouse=True)
def _served(gateway: LiveGateway, pet: ScriptedNative, petstore: ScriptedNative) -> None:
    pets = ("/shop", "/gateway/pet/1", "/gateway/deep/1/er", "/ws/pet/1", "/zoo/v1", ODD)
    stores = ("/gateway/deep/1/est", "/zoo/v1x", "/zoo/v2/a/b/c/d", "/gatewaypet/1/1", "/-/x")
    apis = [
        api("pet", pet.port, POLICY, endpoints=pets),
        api("petstore", petstore.port, None, endpoints=stores),
    ]
    publish(gateway, catalogue_of(gateway.port, apis))


@pytest.mark.parametrize(
    ("path", "reaches", "sent"),
    [
        ("/shop", "pet", "/"),
        ("/shop/", "pet", "/"),
        ("/shop?x", "pet", "/?x"),
        ("/shop/1/2/3/4", "pet", "/1/2/3/4"),
        ("/shop/gateway/deep/1/est", "pet", "/gateway/deep/1/est"),
        ("/gateway/pet/1/x", "pet", "/x"),
        ("/gateway/deep/1/er", "pet", "/"),
        ("/gateway/deep/1/er/x?y", "pet", "/x?y"),
        ("/gateway/deep/1/est", "petstore", "/"),
        ("/ws/pet/1/x", "pet", "/x"),
        ("/zoo/v1", "pet", "/"),
        ("/zoo/v1?a=/zoo/v1x", "pet", "/?a=/zoo/v1x"),
        ("/zoo/v1/v1x", "pet", "/v1x"),
        ("/zoo/v1x", "petstore", "/"),
        ("/zoo/v2/a/b/c/d/e", "petstore", "/e"),
        (ODD, "pet", "/"),
        (f"{ODD}/x", "pet", "/x"),
        ("/gatewaypet/1/1", "petstore", "/"),
        ("/-/x/y", "petstore", "/y"),
        ("/shopping", None, ""),
        ("/gateway/deep/1", None, ""),
        ("/gateway/deep/1/e", None, ""),
        ("/gateway/deep/1/erx", None, ""),
        ("/gateway/deep", None, ""),
        ("/gateway", None, ""),
        ("/ws/petstore/1", None, ""),
        ("/zoo", None, ""),
        ("/zoo/v1xx", None, ""),
        ("/zoo/v2/a/b/c", None, ""),
        (ODD.replace(".", "x"), None, ""),
        ("/-/-/-", None, ""),
    ],
)
def test_an_endpoint_matches_whole_segments(
    gateway: LiveGateway,
    pet: ScriptedNative,
    petstore: ScriptedNative,
    path: str,
    reaches: str | None,
    sent: str,
) -> None:
    marker = new_marker()
    answer = send(gateway, path, ("X-Marker", marker), ("Origin", GOOD))
    seen = {"pet": pet.log.with_marker(marker), "petstore": petstore.log.with_marker(marker)}
    assert answer.status == (404 if reaches is None else 200)
    targets = {name: [request.target for request in requests] for name, requests in seen.items() if requests}
    assert targets == ({reaches: [sent]} if reaches else {})


@pytest.mark.parametrize("path", ["/shop/x", "/gateway/deep/1/er", "/zoo/v1", ODD])
def test_the_policy_applies_to_every_endpoint_of_the_api(
    gateway: LiveGateway, pet: ScriptedNative, path: str
) -> None:
    marker = new_marker()
    assert send(gateway, path, ("X-Marker", marker), ("Origin", FOREIGN)).status == 403
    assert not pet.log.with_marker(marker)


@pytest.mark.parametrize("endpoint", ["/shop", "/gateway/deep/1/er", ODD])
def test_the_native_service_receives_the_endpoint_of_the_request(gateway: LiveGateway, endpoint: str) -> None:
    assert received(send(gateway, f"{endpoint}/headers"))["x-forwarded-prefix"] == [endpoint]
