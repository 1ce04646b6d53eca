"""``X-Forwarded-*``: believed of trusted proxies, replaced for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.catalogues import server_policy
from tests.http2_client import http2
from tests.live.edge.requests import GOOD, POLICY, new_marker, publish, received
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, RawResponse, http1

from crossgate.compiler.headers import LOOKUP_HEADER, UNTRUSTED_FORWARDING_HEADERS
from crossgate.net.address import HostPort

pytestmark = pytest.mark.live

PROXY, STRANGER = "127.0.0.2", "127.0.0.1"
HOST = ("Host", "gateway.test")
FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")


@pytest.fixture(scope="module", params=[False, True], ids=["policies of APIs", "server-level CORS"])
def modes(request: pytest.FixtureRequest, gateway: LiveGateway, pet: ScriptedNative) -> None:
    policy = server_policy(GOOD) if request.param else None
    made = catalogue_of(gateway.port, [api("pet", pet.port, POLICY)], server_policy=policy)
    publish(
        gateway, replace(made, gateway=replace(made.gateway, trusted_proxies=("127.0.0.2", "10.0.0.0/8")))
    )


@pytest.fixture(scope="module")
def over_ipv6(pet: ScriptedNative) -> Iterator[LiveGateway]:
    with live_gateway() as gateway:
        made = catalogue_of(gateway.port, [api("pet", pet.port, POLICY)])
        listen = HostPort("::1", gateway.port)
        publish(
            gateway, replace(made, gateway=replace(made.gateway, listen=listen, trusted_proxies=("::/64",)))
        )
        yield gateway


def send(
    port: int, http: str, source: str, *headers: tuple[str, str], target: str = "/gateway/pet/1/headers"
) -> RawResponse:
    if http == "1.1":
        with http1(port, source=source) as connection:
            return connection.send(RawRequest("GET", target, (HOST, *headers)))
    with http2(port, source=source) as streams:
        lower = tuple((name.lower(), value) for name, value in headers)
        return streams.read(streams.start(RawRequest("GET", target, lower)))


def forwarded(answer: RawResponse) -> list[list[str]]:
    seen = received(answer)
    return [seen[name] for name in FORWARDED]


VERSIONS = pytest.mark.parametrize("http", ["1.1", "2"])
CLAIMS = {
    "one line of each": (
        ("X-Forwarded-For", "9.9.9.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example.com"),
    ),
    "other letters, several lines": (
        ("x-FORWARDED-for", "6.6.6.6"),
        ("X-Forwarded-For", "9.9.9.9, 10.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("X-FORWARDED-HOST", "shop.example.com"),
    ),
    "IPv6": (
        ("X-Forwarded-For", "2001:db8::9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "[2001:db8::1]:8443"),
    ),
}
BELIEVED = {
    "one line of each": [["9.9.9.9,127.0.0.2"], ["https"], ["shop.example.com"]],
    "other letters, several lines": [["6.6.6.6,9.9.9.9,10.1.1.1,127.0.0.2"], ["https"], ["shop.example.com"]],
    "IPv6": [["2001:db8::9,127.0.0.2"], ["https"], ["[2001:db8::1]:8443"]],
}


@pytest.mark.usefixtures("modes")
@VERSIONS
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_strangers_headers_are_replaced(gateway: LiveGateway, http: str, claim: str) -> None:
    own = forwarded(send(gateway.port, http, STRANGER))
    assert own[1:] == [["http"], ["gateway.test"]]
    assert forwarded(send(gateway.port, http, STRANGER, *CLAIMS[claim])) == own


@pytest.mark.usefixtures("modes")
@VERSIONS
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_trusted_proxys_headers_are_believed(gateway: LiveGateway, http: str, claim: str) -> None:
    seen = forwarded(send(gateway.port, http, PROXY, *CLAIMS[claim]))
    assert [[line.replace(" ", "") for line in lines] for lines in seen] == BELIEVED[claim]


@pytest.mark.usefixtures("modes")
@VERSIONS
def test_envoys_own_header_has_the_address_of_a_client(gateway: LiveGateway, http: str) -> None:
    name = "x-envoy-external-address"
    assert received(send(gateway.port, http, STRANGER, (name, "9.9.9.9")))[name] == [STRANGER]
    assert name not in received(send(gateway.port, http, PROXY, ("X-Forwarded-For", "9.9.9.9")))


@pytest.mark.usefixtures("modes")
@VERSIONS
def test_what_a_trusted_proxy_does_not_send_is_set(gateway: LiveGateway, http: str) -> None:
    assert forwarded(send(gateway.port, http, PROXY)) == [[PROXY], ["http"], ["gateway.test"]]


@pytest.mark.usefixtures("modes")
@VERSIONS
def test_other_forwarding_headers_of_a_trusted_proxy_are_removed(gateway: LiveGateway, http: str) -> None:
    claims = (LOOKUP_HEADER, *UNTRUSTED_FORWARDING_HEADERS, "x-forwarded-prefix", "x-envoy-external-address")
    seen = received(send(gateway.port, http, PROXY, *((name, "claimed") for name in claims)))
    assert not {name for name, values in seen.items() if any("claimed" in value for value in values)}
    assert seen["x-forwarded-prefix"] == ["/gateway/pet/1"]


@pytest.mark.usefixtures("modes")
@VERSIONS
def test_only_a_trusted_proxy_chooses_the_id_of_a_request(gateway: LiveGateway, http: str) -> None:
    chosen = ("X-Request-Id", "chosen")
    assert received(send(gateway.port, http, PROXY, chosen))["x-request-id"] == ["chosen"]
    [own] = received(send(gateway.port, http, STRANGER, chosen))["x-request-id"]
    assert own != "chosen"


@pytest.mark.usefixtures("modes")
@VERSIONS
@pytest.mark.parametrize("source", [PROXY, STRANGER])
def test_nobody_can_configure_envoy(
    gateway: LiveGateway, pet: ScriptedNative, http: str, source: str
) -> None:
    marker = new_marker()
    options = (
        ("X-Envoy-Upstream-Rq-Timeout-Ms", "1"),
        ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
        ("x-envoy-max-retries", "3"),
        ("x-envoy-retry-on", "5xx,gateway-error"),
        ("x-envoy-original-path", "/other"),
    )
    answer = send(gateway.port, http, source, *options, target=f"/gateway/pet/1/status/503?{marker}")
    assert answer.text == "as you wished\n"
    assert len(pet.log.with_marker(marker)) == 1
    slow = send(gateway.port, http, source, *options, target=f"/gateway/pet/1/slow?seconds=0.2&{marker}")
    assert (slow.status, slow.text) == (200, "at last\n")


@pytest.mark.usefixtures("modes")
@pytest.mark.parametrize("source", [PROXY, STRANGER])
def test_the_policy_applies_to_all(gateway: LiveGateway, source: str) -> None:
    refused = send(gateway.port, "1.1", source, ("Origin", "https://evil.example"))
    assert (refused.status, refused.text) == (403, "Specified Origin is not allowed")
    assert send(gateway.port, "1.1", source, ("Origin", GOOD)).status == 200


def test_a_network_of_ipv6(over_ipv6: LiveGateway) -> None:
    claims = (("X-Forwarded-For", "2001:db8::9"), ("X-Forwarded-Proto", "https"))
    seen = forwarded(send(over_ipv6.port, "1.1", "::1", *claims))
    # Envoy replaces a loopback address by another one of the machine, if it has one.
    assert seen[0][0].startswith("2001:db8::9,")
    assert seen[1:] == [["https"], ["gateway.test"]]
