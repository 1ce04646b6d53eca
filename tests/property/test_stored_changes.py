"""Stored changes: any sequence compiles to the same resources as its final state, and can be rolled back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.catalogues import NATIVE, api, application, catalogue, policy

from crossgate.catalogue.model import Catalogue, Gateway, NativeService, Settings
from crossgate.compiler.incremental import Compilation
from crossgate.policy import SameOrigin, read_server_policy
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import (
    Associate,
    Change,
    DeleteApi,
    DeleteApplication,
    Dissociate,
    PutApi,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    RemovePolicy,
    ReplaceAll,
    ResumeApplication,
    SuspendApplication,
)
from crossgate.service.errors import ServiceError
from crossgate.store import SqliteDirectory, open_store

CA = "/ca.pem"

ORIGIN = st.sampled_from(["https://a.example", "https://b.example", "https://*.c.example", "null"])
EXACT = st.sampled_from(["https://a.example", "https://x.example", "https://y.example"])
POLICY = st.lists(ORIGIN, max_size=3, unique=True).map(lambda origins: policy(*origins))
NAME = st.sampled_from(["one", "two", "three"])
KEY = NAME.map(lambda name: f"{name}/1.0")
APP = st.sampled_from(["web", "phone"])
ENDPOINTS = st.sampled_from([(), ("/shared",), ("/shared/deep",), ("/gateway/two/1.0",), ("/x", "/y")])
# Two share a cluster; the third differs only by its scheme.
NATIVES = st.sampled_from(
    [NATIVE, NativeService("http", "127.0.0.1", 9101, "/v2"), NativeService("https", "127.0.0.1", 9101)]
)
API = st.builds(
    lambda name, cors, at, native: api(name, cors, endpoints=at, native=native),
    NAME,
    st.none() | POLICY,
    ENDPOINTS,
    NATIVES,
)
APPLICATION = st.builds(
    lambda name, origins, apis, suspended: application(name, *origins, apis=apis, suspended=suspended),
    APP,
    st.lists(EXACT, max_size=2, unique=True),
    st.lists(KEY, max_size=2, unique=True),
    st.booleans(),
)
GATEWAY = st.sampled_from(
    [
        Gateway(),
        Gateway(public_origins=("https://me.example",)),
        Gateway(same_origin=SameOrigin.LISTED),
        Gateway(native_ca="/natives.pem"),
    ]
)
SERVER = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": "https://s.example"}
CHANGE: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutApi, API),
    st.builds(PutApi, API),
    st.builds(DeleteApi, KEY),
    st.builds(PutPolicy, KEY, POLICY),
    st.builds(RemovePolicy, KEY),
    st.builds(PutApplication, APPLICATION),
    st.builds(DeleteApplication, APP),
    st.builds(SuspendApplication, APP),
    st.builds(ResumeApplication, APP),
    st.builds(Associate, APP, KEY),
    st.builds(Dissociate, APP, KEY),
    st.builds(PutGateway, GATEWAY),
    st.sampled_from(
        [
            PutSettings(Settings()),
            PutSettings(Settings(SERVER, read_server_policy(SERVER, lambda _: [])[0])),
        ]
    ),
    st.builds(
        lambda apis, prune: ReplaceAll(catalogue(apis), prune=prune), st.lists(API, max_size=2), st.booleans()
    ),
)


def afresh(state: Catalogue) -> Compilation:
    return Compilation().advance(state, CA)[0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CHANGE, min_size=1, max_size=3), max_size=8), st.data())
def test_incremental_compilation_of_stored_changes_equals_a_full_one(
    batches: list[list[Change]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with open_store(SqliteDirectory(Path(folder))) as store:
            service = CatalogueService(store.catalogue)
            followed, _ = Compilation().advance(store.catalogue.head.catalogue, CA)
            states = [store.catalogue.head.catalogue]
            for changes in batches:
                try:
                    done = service.change(changes, author="ann", confirmed=True)
                except ServiceError:
                    continue
                followed, _ = followed.advance(done.head.catalogue, CA)
                if done.changed:
                    states.append(done.head.catalogue)
            assert followed.resources == afresh(states[-1]).resources
            number = data.draw(st.integers(0, len(states) - 1))
            restored = service.rollback(number, author="bob", confirmed=True).head.catalogue
            assert restored == states[number]
            followed, _ = followed.advance(restored, CA)
            assert followed.resources == afresh(restored).resources
        with open_store(SqliteDirectory(Path(folder))) as again:
            assert again.catalogue.head.catalogue == restored
            assert again.catalogue.head.endpoints == store.catalogue.head.endpoints
