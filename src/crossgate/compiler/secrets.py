"""Certificates, keys and authorities, which Envoy reads from files of its own machine."""

from __future__ import annotations

from envoy.config.core.v3.base_pb2 import DataSource
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsCertificate

from crossgate.catalogue.model import Tls


def tls_certificate(pair: Tls) -> TlsCertificate:
    """A certificate and its key."""
    return TlsCertificate(
        certificate_chain=DataSource(filename=pair.certificate), private_key=DataSource(filename=pair.key)
    )
