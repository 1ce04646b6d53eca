"""A resource that Envoy rejects: the others are applied, the old one still serves, the reason is reported."""

from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.route.v3.scoped_route_pb2 import ScopedRouteConfiguration
from tests.live.edge.requests import FROM_FOREIGN, FROM_GOOD, POLICY, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative

from crossgate.catalogue.model import NativeService, Tls
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.resource import SCOPED_ROUTE_CONFIGURATION, Resource

pytestmark = pytest.mark.live


def test_a_rejected_scope_does_not_affect_others(gateway: LiveGateway, pet: ScriptedNative) -> None:
    apis = [api("pet", pet.port, POLICY), api("other", pet.port, POLICY)]
    declared = catalogue_of(gateway.port, apis)
    publish(gateway, declared)

    compiled = Compilation().advance(declared, "/ca.pem")[0]
    good = compiled.resources[SCOPED_ROUTE_CONFIGURATION, "pet/1"]
    broken = ScopedRouteConfiguration.FromString(good.body)
    broken.route_configuration.virtual_hosts[0].domains.append("*")
    rollout = gateway.put(Resource.of(good.type_url, good.name, broken.SerializeToString()))

    [rejection] = rollout.rejections
    assert rejection.key == (good.type_url, good.name)
    assert "Only a single wildcard domain is permitted" in str(rejection.diagnostic())
    assert send(gateway, "/gateway/pet/1", FROM_FOREIGN).status == 403
    assert send(gateway, "/gateway/pet/1", FROM_GOOD).status == 200

    open_to_all = replace(apis[1], cors=None)
    publish(gateway, catalogue_of(gateway.port, [apis[0], open_to_all]))
    assert send(gateway, "/gateway/other/1", FROM_FOREIGN).status == 200
    assert gateway.put(good).applied


def test_with_a_missing_certificate_the_rest_of_the_change_is_applied(
    gateway: LiveGateway, pet: ScriptedNative
) -> None:
    publish(gateway, catalogue_of(gateway.port, [api("pet", pet.port, POLICY)]))
    declared = catalogue_of(gateway.port, [api("pet", pet.port, None)])
    tls = Tls("/nowhere/gateway.pem", "/nowhere/gateway.key")
    rollout = gateway.publish(replace(declared, gateway=replace(declared.gateway, tls=(tls,))))
    # The new listener waits for its certificate, and the one before serves on.
    assert rollout.applied
    assert {one.code for one in gateway.reports[-1].state.problems} == {"tls-file-unreadable"}
    assert send(gateway, "/gateway/pet/1", FROM_FOREIGN).status == 200
    publish(gateway, declared)


def test_missing_authorities_affect_https_native_services_only(
    gateway: LiveGateway, pet: ScriptedNative
) -> None:
    secure = api("secure", 0, POLICY, native=NativeService("https", "localhost", 1))
    declared = catalogue_of(gateway.port, [api("pet", pet.port, POLICY), secure])
    authorities = replace(declared.gateway, native_ca="/nowhere/ca.pem")
    assert gateway.publish(replace(declared, gateway=authorities)).applied
    assert send(gateway, "/gateway/secure/1", FROM_GOOD).status == 503
    assert send(gateway, "/gateway/pet/1", FROM_GOOD).status == 200
