"""TLS on both sides: the gateway's own certificate, and the verification of native services."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from tests.live.edge.requests import FROM_GOOD, GRANTED, POLICY, cors_of, publish, received, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.native_services import ScriptedNative, SocketNative
from tests.raw_http import RawRequest, connected, http1, send_http2

from crossgate.catalogue.model import Catalogue, Gateway, NativeService, Tls
from crossgate.net.address import HostPort

pytestmark = pytest.mark.live
_SECONDS = 30.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    own = authority.issue_cert("gateway.test")
    own.private_key_pem.write_to_path(folder / "gateway.key")
    own.cert_chain_pems[0].write_to_path(folder / "gateway.pem")
    return folder


def serving(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA, *protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    context.set_alpn_protocols(list(protocols))
    return context


def https(host: str, native: SocketNative) -> NativeService:
    return NativeService("https", host, native.port, "/base")


@pytest.fixture(scope="module")
def by_name(authority: trustme.CA) -> Iterator[SocketNative]:
    with SocketNative(tls=serving(authority, "localhost")) as service:
        yield service


@pytest.fixture(scope="module")
def by_address(authority: trustme.CA) -> Iterator[SocketNative]:
    with SocketNative(tls=serving(authority, "127.0.0.1")) as service:
        yield service


@pytest.fixture(scope="module")
def of_another_name(authority: trustme.CA) -> Iterator[SocketNative]:
    with SocketNative(tls=serving(authority, "other.test")) as service:
        yield service


@pytest.fixture(scope="module")
def of_another_authority() -> Iterator[SocketNative]:
    with SocketNative(tls=serving(trustme.CA(), "localhost")) as service:
        yield service


@pytest.fixture(scope="module")
def natives(
    gateway: LiveGateway,
    folder: Path,
    by_name: SocketNative,
    by_address: SocketNative,
    of_another_name: SocketNative,
    of_another_authority: SocketNative,
) -> dict[str, SocketNative]:
    found = {
        "named": by_name,
        "addressed": by_address,
        "misnamed": of_another_name,
        "misaddressed": by_name,
        "strange": of_another_authority,
    }
    hosts = {"addressed": "127.0.0.1", "misaddressed": "127.0.0.1"}
    apis = [
        api(name, 0, POLICY, native=https(hosts.get(name, "localhost"), native))
        for name, native in found.items()
    ]
    trusted = Gateway(HostPort("127.0.0.1", gateway.port), native_ca=str(folder / "authority.pem"))
    publish(gateway, Catalogue(trusted, apis={one.key: one for one in apis}))
    return found


@pytest.mark.parametrize("name", ["named", "addressed"])
def test_a_verified_native_service_receives_requests(
    gateway: LiveGateway, natives: dict[str, SocketNative], name: str
) -> None:
    assert send(gateway, f"/gateway/{name}/1/x", FROM_GOOD).text == "ok"
    assert natives[name].heads[-1].startswith(b"GET /base/x HTTP/1.1\r\n")


@pytest.mark.parametrize("name", ["misnamed", "misaddressed", "strange"])
def test_an_unverified_native_service_receives_no_request(
    gateway: LiveGateway, natives: dict[str, SocketNative], name: str
) -> None:
    before = list(natives[name].heads)
    answer = send(gateway, f"/gateway/{name}/1/x", FROM_GOOD)
    assert (answer.status, cors_of(answer)) == (503, GRANTED)
    assert natives[name].heads == before


def speaks_tls(port: int, authority: trustme.CA) -> bool:
    try:
        with connected(port, trusting(authority, "h2")):
            return True
    except ssl.SSLError:
        return False


@pytest.fixture(scope="module")
def secure_port(folder: Path, authority: trustme.CA, pet: ScriptedNative) -> Iterator[int]:
    """A gateway whose listener has a certificate."""
    with live_gateway() as secure:
        declared = catalogue_of(secure.port, [api("pet", pet.port, POLICY)])
        tls = Tls(str(folder / "gateway.pem"), str(folder / "gateway.key"))
        publish(secure, replace(declared, gateway=replace(declared.gateway, tls=(tls,))))
        # A listener is acknowledged before it has its certificate; until then the one before serves.
        until = time.monotonic() + _SECONDS
        while not speaks_tls(secure.port, authority):
            assert time.monotonic() < until
            time.sleep(0.02)
        yield secure.port


@pytest.mark.parametrize(("offered", "chosen"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1")])
def test_the_protocol_is_negotiated(
    secure_port: int, authority: trustme.CA, offered: tuple[str, ...], chosen: str
) -> None:
    with connected(secure_port, trusting(authority, *offered)) as opened:
        assert isinstance(opened, ssl.SSLSocket)
        assert opened.selected_alpn_protocol() == chosen


def test_the_policy_and_https_apply_to_both_protocols(secure_port: int, authority: trustme.CA) -> None:
    request = RawRequest("GET", "/gateway/pet/1/headers", (FROM_GOOD,))
    with http1(secure_port, trusting(authority, "http/1.1")) as connection:
        first = connection.send(request)
    second = send_http2(secure_port, request, trusting(authority, "h2"))
    for answer in (first, second):
        assert (answer.status, cors_of(answer)) == (200, GRANTED)
        assert received(answer)["x-forwarded-proto"] == ["https"]


def test_plain_http_and_old_tls_versions_are_not_answered(secure_port: int, authority: trustme.CA) -> None:
    with http1(secure_port) as connection, pytest.raises((EOFError, ConnectionError)):
        connection.send(RawRequest("GET", "/gateway/pet/1", ()))
    old = trusting(authority, "http/1.1")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError), connected(secure_port, old):
        pass
