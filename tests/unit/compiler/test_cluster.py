"""The clusters: what of an https native service's name is verified, and no limit inside the gateway."""

from __future__ import annotations

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import SubjectAltNameMatcher
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext
from tests.declared import api
from tests.messages import all_within, message_of

from crossgate.catalogue.model import NativeService
from crossgate.compiler.cluster import compile_cluster
from crossgate.compiler.inner import compile_way_inside


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
    cluster = message_of(compile_cluster(api("pets", native=NativeService("https", host, 443)), "/ca.pem"))
    [context] = [one for one in all_within(cluster) if isinstance(one, UpstreamTlsContext)]
    validation = context.common_tls_context.validation_context
    [matcher] = validation.match_typed_subject_alt_names
    assert context.sni == sni
    assert validation.trusted_ca.filename == "/ca.pem"
    assert (matcher.san_type, matcher.matcher.exact) == (kind, subject)


def test_a_native_service_in_clear_text_has_no_transport_of_its_own() -> None:
    cluster = message_of(compile_cluster(api("pets"), "/ca.pem"))
    assert isinstance(cluster, Cluster)
    assert not cluster.HasField("transport_socket")


def test_the_way_inside_takes_as_many_requests_as_the_listener_in_front() -> None:
    cluster = message_of(compile_way_inside())
    assert isinstance(cluster, Cluster)
    [limits] = cluster.circuit_breakers.thresholds
    unlimited = 2**32 - 1
    assert limits.max_connections.value == unlimited
    assert limits.max_pending_requests.value == unlimited
    assert limits.max_requests.value == unlimited
