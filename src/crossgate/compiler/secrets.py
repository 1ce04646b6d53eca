"""Certificates, keys and authorities as Envoy's secrets: a name for the files, and the secret itself.

A listener or a cluster names a secret after the operator's files. The process that started Envoy reads those
files, and delivers the secret over SDS (https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/security/secret)
on a socket of the same machine: no key travels to or from the control plane.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, quote

from envoy.config.core.v3.backoff_pb2 import BackoffStrategy
from envoy.config.core.v3.base_pb2 import DataSource, RetryPolicy
from envoy.config.core.v3.config_source_pb2 import ApiConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.grpc_service_pb2 import GrpcService
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import CertificateValidationContext, TlsCertificate
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import SdsSecretConfig, Secret

from crossgate.catalogue.model import Tls
from crossgate.compiler.names import SECRETS_CLUSTER
from crossgate.compiler.protobuf import resource, seconds
from crossgate.compiler.resource import Resource

SECRET: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
_FETCH_SECONDS: Final = 2.0
"""How long a new cluster waits for a secret, and with it those that follow; also a listener with several."""
_RETRY_SECONDS: Final = 1.0
"""At most, between two attempts to reach a process that is restarted; Envoy's default grows to 30 s."""


def pair_name(pair: Tls) -> str:
    """The name of the secret with a certificate of the listener and its key."""
    return f"pair?{_files_of(pair)}"


def client_pair_name(pair: Tls) -> str:
    """The name of the secret with a certificate that is presented to native services, and its key."""
    return f"client-pair?{_files_of(pair)}"


def authorities_name(path: str) -> str:
    """The name of the secret with the authorities of a PEM file."""
    return f"authorities?file={quote(path)}"


def is_of_listener(name: str) -> bool:
    """Whether the secret of that name is a certificate of the listener."""
    return name.startswith("pair?")


def parse_secret_name(name: str) -> Tls | str | None:
    """The pair of files, or the file of authorities, that a secret is named after; None for another name."""
    kind, _, query = name.partition("?")
    values = {key: found[0] for key, found in parse_qs(query, errors="strict").items()}
    match kind, values:
        case "pair" | "client-pair", {"certificate": str(certificate), "key": str(key)}:
            return Tls(certificate, key)
        case "authorities", {"file": str(file)}:
            return file
        case _:
            return None


def _files_of(pair: Tls) -> str:
    return f"certificate={quote(pair.certificate)}&key={quote(pair.key)}"


def secret_config(name: str, *, is_needed: bool = False) -> SdsSecretConfig:
    """Where Envoy gets the secret of that name; what needs it waits for it without a limit."""
    back_off = BackoffStrategy(base_interval=seconds(0.1), max_interval=seconds(_RETRY_SECONDS))
    service = GrpcService(
        envoy_grpc=GrpcService.EnvoyGrpc(
            cluster_name=SECRETS_CLUSTER, retry_policy=RetryPolicy(retry_back_off=back_off)
        )
    )
    source = ApiConfigSource(
        api_type=ApiConfigSource.DELTA_GRPC,
        transport_api_version=ApiVersion.V3,
        grpc_services=[service],
        set_node_on_first_message_only=True,
    )
    return SdsSecretConfig(
        name=name,
        sds_config=ConfigSource(
            api_config_source=source,
            resource_api_version=ApiVersion.V3,
            initial_fetch_timeout=seconds(0 if is_needed else _FETCH_SECONDS),
        ),
    )


def compile_pair(name: str, chain: bytes, key: bytes) -> Resource:
    """The secret with a certificate, those that signed it, and its key."""
    pair = TlsCertificate(
        certificate_chain=DataSource(inline_bytes=chain), private_key=DataSource(inline_bytes=key)
    )
    return resource(name, Secret(name=name, tls_certificate=pair))


def compile_authorities(name: str, certificates: bytes) -> Resource:
    """The secret with the authorities that are trusted."""
    trusted = CertificateValidationContext(trusted_ca=DataSource(inline_bytes=certificates))
    return resource(name, Secret(name=name, validation_context=trusted))
