"""Whose ``X-Forwarded-*`` headers are believed: nobody's, or those of the proxies in front of the gateway.

A listener has one chain of filters for everybody, and one for the networks of trusted proxies. Envoy chooses
by the address of the connection, before it reads a request. One chain for all would not do: Envoy can check
who may add to ``X-Forwarded-For``, but believes ``X-Forwarded-Proto`` and ``-Host`` of all or of nobody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.http.original_ip_detection.xff.v3.xff_pb2 import XffConfig, XffTrustedCidrs
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from crossgate.compiler.headers import mutate_early
from crossgate.compiler.protobuf import pack


def believe_nobody(manager: HttpConnectionManager) -> None:
    """``X-Forwarded-For`` and ``-Proto`` are those of the connection; routes set ``X-Forwarded-Host``."""
    manager.use_remote_address.value = True
    # Envoy would add the client's address to what the client claims.
    mutate_early(manager, HeaderMutation(remove="x-forwarded-for"), HeaderMutation(remove="x-forwarded-host"))


def believe(manager: HttpConnectionManager, proxies: Iterable[str]) -> None:
    """Keep a proxy's ``X-Forwarded-*`` headers, and add its address to ``X-Forwarded-For``."""
    manager.use_remote_address.value = False
    chain = XffConfig(
        xff_trusted_cidrs=XffTrustedCidrs(cidrs=networks(proxies)), skip_xff_append=BoolValue(value=False)
    )
    manager.original_ip_detection_extensions.add(
        name="envoy.http.original_ip_detection.xff", typed_config=pack(chain)
    )
    # Envoy obeys these of a proxy, for instance `x-envoy-retry-on`. They may come from the proxy's client.
    own = StringMatcher(prefix="x-envoy-", ignore_case=True)
    mutate_early(manager, HeaderMutation(remove_on_match=HeaderMutation.RemoveOnMatch(key_matcher=own)))


def networks(proxies: Iterable[str]) -> list[CidrRange]:
    """The networks as Envoy has them, sorted, each once."""
    found = sorted(map(ipaddress.ip_network, set(proxies)), key=lambda one: (one.version, one))
    return [
        CidrRange(
            address_prefix=str(network.network_address), prefix_len=UInt32Value(value=network.prefixlen)
        )
        for network in found
    ]
