"""APIs with the same native service share its cluster only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.live.edge.requests import FROM_GOOD, POLICY, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative

from crossgate.catalogue.model import Api

pytestmark = pytest.mark.live


def based(name: str, port: int, base: str) -> Api:
    declared = api(name, port, POLICY)
    return replace(declared, native=replace(declared.native, base_path=base))


def received_from(native: ScriptedNative, gateway: LiveGateway, *names: str) -> list[str]:
    """The paths that the native service received from one request to each API; all responses are 200."""
    before = len(native.log.seen())
    assert [send(gateway, f"/gateway/{name}/1/x", FROM_GOOD).status for name in names] == [200] * len(names)
    return [seen.path for seen in native.log.seen()[before:]]


def test_base_paths_differ_and_statistics_are_shared(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, catalogue_of(gateway.port, [based("one", pet.port, "/v1"), based("two", pet.port, "")]))
    counter = f"cluster.native/http/127_0_0_1-{pet.port}.upstream_rq_total"
    before = gateway.stats(r"upstream_rq_total$").get(counter, 0)
    assert received_from(pet, gateway, "one", "two") == ["/v1/x", "/x"]
    assert gateway.stats(r"upstream_rq_total$")[counter] == before + 2


def test_adding_moving_and_removing_an_api_does_not_affect_others(
    gateway: LiveGateway, pet: ScriptedNative, petstore: ScriptedNative
) -> None:
    stays, moves = api("stays", pet.port, POLICY), api("moves", pet.port, POLICY)
    there = replace(moves, native=replace(moves.native, port=petstore.port))
    for _ in range(5):
        publish(gateway, catalogue_of(gateway.port, [stays, moves]))
        assert received_from(pet, gateway, "stays", "moves") == ["/x", "/x"]
        publish(gateway, catalogue_of(gateway.port, [stays, there]))
        assert received_from(pet, gateway, "stays") == received_from(petstore, gateway, "moves") == ["/x"]
        publish(gateway, catalogue_of(gateway.port, [there]))
        assert send(gateway, "/gateway/stays/1/x", FROM_GOOD).status == 404
        assert received_from(petstore, gateway, "moves") == ["/x"]
