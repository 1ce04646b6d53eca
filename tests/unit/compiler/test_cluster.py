"""Clusters: names, the verification of https, and no limit within the gateway."""

from __future__ import annotations

import string

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import SubjectAltNameMatcher
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext
from hypothesis import given
from hypothesis import strategies as st
from tests.envoy_messages import all_within, message_of

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import NativeService
from crossgate.catalogue.urls import parse_native_url
from crossgate.compiler.cluster import Authorities, compile_cluster, statistics_name
from crossgate.compiler.internal_listener import compile_internal_cluster
from crossgate.compiler.names import cluster_name

CA = Authorities("/ca.pem", watched=False)


@pytest.mark.parametrize(
    ("host", "sni", "kind", "subject"),
    [
        ("pets.example.com", "pets.example.com", SubjectAltNameMatcher.DNS, "pets.example.com"),
        ("pets.example.com.", "pets.example.com", SubjectAltNameMatcher.DNS, "pets.example.com"),
        ("127.0.0.1", "", SubjectAltNameMatcher.IP_ADDRESS, "127.0.0.1"),
        ("::1", "", SubjectAltNameMatcher.IP_ADDRESS, "::1"),
    ],
)
def test_an_https_native_service_is_verified_by_name_and_authority(
    host: str, sni: str, kind: int, subject: str
) -> None:
    cluster = message_of(compile_cluster(NativeService("https", host, 443), CA))
    [context] = [one for one in all_within(cluster) if isinstance(one, UpstreamTlsContext)]
    validation = context.common_tls_context.validation_context
    [matcher] = validation.match_typed_subject_alt_names
    assert context.sni == sni
    assert validation.trusted_ca.filename == "/ca.pem"
    assert (matcher.san_type, matcher.matcher.exact) == (kind, subject)


def test_an_http_native_service_has_no_transport_socket() -> None:
    cluster = message_of(compile_cluster(NativeService("http", "127.0.0.1", 9000), CA))
    assert isinstance(cluster, Cluster)
    assert not cluster.HasField("transport_socket")


def test_the_internal_cluster_has_no_limit_of_its_own() -> None:
    cluster = message_of(compile_internal_cluster(Limits()))
    assert isinstance(cluster, Cluster)
    [limits] = cluster.circuit_breakers.thresholds
    unlimited = 2**32 - 1
    assert limits.max_connections.value == unlimited
    assert limits.max_pending_requests.value == unlimited
    assert limits.max_requests.value == unlimited


NAMES = [
    ("http://pets.example.com", "native/http/pets.example.com:80", "native/http/pets_example_com-80"),
    ("https://PETS.example.com/v2", "native/https/pets.example.com:443", "native/https/pets_example_com-443"),
    ("http://pets.example.com:443", "native/http/pets.example.com:443", "native/http/pets_example_com-443"),
    ("http://pets.example.com.", "native/http/pets.example.com.:80", "native/http/pets_example_com_-80"),
    ("http://pets_example.com", "native/http/pets_example.com:80", "native/http/pets~example_com-80"),
    ("http://pets-80", "native/http/pets-80:80", "native/http/pets-80-80"),
    ("http://10.0.0.1:8080", "native/http/10.0.0.1:8080", "native/http/10_0_0_1-8080"),
    ("http://[0:0::1]:8080", "native/http/[::1]:8080", "native/http/[--1]-8080"),
]


def native(url: str) -> NativeService:
    parsed = parse_native_url(url)
    assert isinstance(parsed, NativeService)
    return parsed


@pytest.mark.parametrize(("url", "name", "in_statistics"), NAMES)
def test_a_cluster_is_named_after_its_address(url: str, name: str, in_statistics: str) -> None:
    cluster = message_of(compile_cluster(native(url), CA))
    assert isinstance(cluster, Cluster)
    assert (cluster.name, cluster.alt_stat_name) == (name, in_statistics)
    assert cluster.load_assignment.cluster_name == name


_LABEL = st.text("ab1_-", min_size=1, max_size=4).filter(lambda text: not {text[0], text[-1]} & {"-"})
_HOST = st.one_of(
    st.lists(_LABEL, min_size=1, max_size=3).map(".".join),
    st.lists(_LABEL, min_size=1, max_size=2).map(lambda labels: ".".join(labels) + "."),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
_URL = st.builds("{}://{}:{}".format, st.sampled_from(["http", "https"]), _HOST, st.integers(1, 65535))
_NATIVE = _URL.map(parse_native_url).filter(lambda parsed: isinstance(parsed, NativeService))


@given(_NATIVE, _NATIVE)
def test_two_native_services_share_neither_cluster_nor_statistics(
    one: NativeService, other: NativeService
) -> None:
    names = {cluster_name(one), cluster_name(other)}
    in_statistics = {statistics_name(name) for name in names}
    assert len(names) == len(in_statistics) == len({one, other})
    # Characters that Envoy does not replace; without a dot, the name is one part of a statistic's name.
    assert set("".join(in_statistics)) <= {*string.ascii_lowercase, *string.digits, *"/_~-[]"}


@given(_NATIVE)
def test_the_base_path_is_not_part_of_the_cluster(one: NativeService) -> None:
    assert cluster_name(native(f"{one}/v2")) == cluster_name(one)
