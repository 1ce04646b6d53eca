"""Native services at the gateway's own addresses and in denied networks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection, Mapping
from ipaddress import ip_address

import psutil
import pytest

from crossgate.catalogue.urls import parse_native_url
from crossgate.dataplane.native_addresses import NativeRules, OwnAddress, resolve_names
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.net.address import HostPort
from crossgate.net.public_address import IpAddress

PLACE = Place(("apis", "pets/1.0", "native"))
LISTENER = OwnAddress("listener", HostPort("127.0.0.1", 8080))
EVERYWHERE = OwnAddress("listener", HostPort("0.0.0.0", 8080))
IPV6 = OwnAddress("admin API", HostPort("::1", 8090))


def found(url: str, rules: NativeRules, severity: Severity = Severity.ERROR) -> list[Diagnostic]:
    native = parse_native_url(url)
    assert not isinstance(native, Diagnostic), native
    return rules.find([(PLACE, native)], severity)


def codes(url: str, rules: NativeRules) -> list[str]:
    return [one.code for one in found(url, rules)]


def own_machine() -> list[str]:
    addresses = [
        one.address
        for listed in psutil.net_if_addrs().values()
        for one in listed
        if one.family == socket.AF_INET
    ]
    return sorted(addresses)


LOOPBACK = [
    "http://127.0.0.1:8080/base",
    "https://127.0.0.1:8080",
    "http://localhost:8080",
    "http://LOCALHOST:8080",
    "http://localhost.:8080",
    "http://pets.localhost:8080",
    "http://0.0.0.0:8080",
    "http://[::ffff:127.0.0.1]:8080",
    "http://[::ffff:7f00:1]:8080",
]


@pytest.mark.parametrize("url", LOOPBACK)
def test_each_spelling_of_the_listener_is_refused(url: str) -> None:
    assert codes(url, NativeRules([LISTENER])) == ["native-is-gateway"]
    assert codes(url, NativeRules([EVERYWHERE])) == ["native-is-gateway"]
    assert codes(url.replace("8080", "8081"), NativeRules([LISTENER, EVERYWHERE])) == []


@pytest.mark.parametrize("url", ["http://[::1]:8090", "http://[::]:8090", "http://localhost:8090"])
def test_a_listener_of_ipv6_too(url: str) -> None:
    assert codes(url, NativeRules([IPV6])) == ["native-is-gateway"]
    assert codes(url, NativeRules([OwnAddress("admin API", HostPort("::", 8090))])) == ["native-is-gateway"]


@pytest.mark.parametrize("address", own_machine())
def test_a_listener_on_every_address_has_those_of_the_machine(address: str) -> None:
    assert codes(f"http://{address}:8080", NativeRules([EVERYWHERE])) == ["native-is-gateway"]


def test_another_address_with_the_same_port_is_another_service() -> None:
    for url in ("http://127.0.0.2:8080", "http://192.0.2.1:8080", "http://[::1]:8080"):
        assert codes(url, NativeRules([LISTENER])) == []
    assert codes("http://192.0.2.1:8080", NativeRules([EVERYWHERE])) == []


@pytest.mark.parametrize(
    "address",
    ["::ffff:7f00:1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1", "2002:7f00:1::"],
)
def test_an_own_address_in_ipv6_notation(address: str) -> None:
    assert codes(f"http://[{address}]:8080", NativeRules([LISTENER])) == ["native-is-gateway"]


def test_default_ports_are_ports() -> None:
    https = NativeRules([OwnAddress("listener", HostPort("127.0.0.1", 443))])
    assert codes("https://localhost", https) == ["native-is-gateway"]
    assert codes("http://localhost", https) == []


def test_a_message_names_what_listens() -> None:
    [one] = found("http://localhost:8080/x", NativeRules([LISTENER]), Severity.WARNING)
    assert one.message == "the native service is the gateway's own listener, at 127.0.0.1:8080"
    assert (one.found, one.place, one.severity) == ("http://localhost:8080/x", PLACE, Severity.WARNING)


DENIED = ("169.254.0.0/16", "10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("url", "network"),
    [
        ("http://169.254.169.254/latest", "169.254.0.0/16"),
        ("http://10.1.2.3", "10.0.0.0/8"),
        ("http://[::ffff:10.1.2.3]", "10.0.0.0/8"),
        ("http://[64:ff9b::a9fe:a9fe]", "169.254.0.0/16"),
        ("http://[2002:a01:203::1]", "10.0.0.0/8"),
        ("http://[::a9fe:a9fe]", "169.254.0.0/16"),
        ("http://[64:ff9b:1::a9fe:a9fe]", "169.254.0.0/16"),
        ("http://[64:ff9b:1:2:3:4:a9fe:a9fe]", "169.254.0.0/16"),
        ("http://[::ffff:0:a9fe:a9fe]", "169.254.0.0/16"),
        ("http://[2001:0:a01:203::1]", "10.0.0.0/8"),
        ("http://[2001::5601:5601]", "169.254.0.0/16"),
        ("http://[fd12::1]", "fd00::/8"),
    ],
)
def test_a_literal_address_in_a_denied_network(url: str, network: str) -> None:
    [one] = found(url, NativeRules([], DENIED))
    assert one.code == "native-denied"
    assert one.message == f"the native service is in the denied network {network}"


def test_localhost_can_be_denied() -> None:
    assert codes("http://localhost:9", NativeRules([], ("127.0.0.0/8",))) == ["native-denied"]
    assert codes("http://localhost:9", NativeRules([], ("::1/128",))) == ["native-denied"]


@pytest.mark.parametrize("url", ["http://11.0.0.1", "http://[2001:db8::1]", "http://169.253.0.1"])
def test_other_addresses_are_allowed(url: str) -> None:
    assert codes(url, NativeRules([], DENIED)) == []


NAMES = {"inside.test": ["192.0.2.1", "10.9.9.9"], "outside.test": ["192.0.2.1"], "me.test": ["127.0.0.1"]}


def resolve(names: Collection[str]) -> Mapping[str, Collection[IpAddress]]:
    return {name: [ip_address(one) for one in NAMES[name]] for name in names if name in NAMES}


def test_a_name_that_resolves_into_a_denied_network() -> None:
    rules = NativeRules([LISTENER], DENIED, resolve)
    [one] = found("http://inside.test", rules)
    assert one.message.endswith("in the denied network 10.0.0.0/8 (inside.test resolves to 10.9.9.9)")
    assert codes("http://outside.test", rules) == []
    assert codes("http://me.test:8080", rules) == ["native-is-gateway"]
    assert codes("http://inside.test", NativeRules([LISTENER], DENIED)) == []


def test_a_name_without_an_address_is_a_warning() -> None:
    [one] = found("http://absent.test", NativeRules([], DENIED, resolve))
    assert (one.code, one.severity) == ("native-unresolved", Severity.WARNING)


def test_names_are_resolved_only_if_the_answer_matters() -> None:
    looked_up: list[str] = []

    def spying(names: Collection[str]) -> Mapping[str, Collection[IpAddress]]:
        looked_up.extend(names)
        return {}

    assert codes("http://some.test:9101", NativeRules([LISTENER], (), spying)) == []
    assert looked_up == []
    assert codes("http://some.test:8080", NativeRules([LISTENER], (), spying)) == []
    assert looked_up == ["some.test"]


def test_this_machine_resolves_names() -> None:
    assert ip_address("127.0.0.1") in resolve_names(["localhost"])["localhost"]
    assert resolve_names(["a..b", "x" * 70 + ".test"]) == {}


def test_a_silent_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    for _ in range(3):
        names = [f"n{number}.test" for number in range(40)]
        assert resolve_names(names, seconds=0.05) == {}
    lookers = [one for one in threading.enumerate() if one.name == "resolve"]
    assert len(lookers) <= 32
    answered.set()
    for one in lookers:
        one.join(30)
