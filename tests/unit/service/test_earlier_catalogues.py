"""Earlier states of what decides on an API, from the revisions of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.catalogues import api, application, policy
from tests.refusal_groups import group

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import Change, PutApi, PutApplication, PutGateway, PutPolicy
from crossgate.service.earlier_catalogues import earlier_catalogues
from crossgate.service.file_store import FileStore
from crossgate.service.refusal_advice import advise
from crossgate.service.refusal_signs import SignKind
from crossgate.store import SqliteDirectory, Store, open_store

OLD = "https://old.example.com"
APP = "https://app.example.com"
SHOP = application("shop", "https://shop.example.com", apis=["petstore/1.0"])
CHANGES: Sequence[Change] = (
    PutApi(api("petstore", policy(APP, OLD))),
    PutApi(api("orders", policy(APP), endpoints=("/orders",))),
    PutPolicy("petstore/1.0", policy(APP)),
    PutPolicy("orders/1.0", policy(OLD)),
    PutApplication(SHOP),
    PutApplication(application("other", OLD, apis=["orders/1.0"])),
    PutGateway(Gateway(public_origins=("https://api.example.com",))),
)
"""Each is one revision, from 1 on."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(SqliteDirectory(tmp_path)) as opened:
        service = CatalogueService(opened.catalogue)
        for change in CHANGES:
            service.change([change], author="ann")
        yield opened


def test_each_change_that_concerns_the_api_is_undone(store: Store) -> None:
    found = dict(earlier_catalogues(store.catalogue, "petstore/1.0"))
    assert list(found) == [6, 4, 2, 0]
    assert found[6].gateway.public_origins == ()
    assert found[6].applications["shop"] == SHOP
    assert "shop" not in found[4].applications
    assert found[4].apis["petstore/1.0"].cors == policy(APP)
    assert found[2].apis["petstore/1.0"].cors == policy(APP, OLD)
    assert "petstore/1.0" not in found[0].apis


def test_a_retired_origin_is_recognised_by_them(store: Store) -> None:
    record = group(OLD)
    head = store.catalogue.head.catalogue
    advice = advise(head, record, [record], earlier_catalogues(store.catalogue, "petstore/1.0"))
    assert [(sign.kind, sign.sentence) for sign in advice.signs] == [
        (SignKind.RETIRED, "It was allowed until revision 3")
    ]


def test_a_file_has_no_history() -> None:
    assert list(earlier_catalogues(FileStore("gateway.yaml", Catalogue()), "petstore/1.0")) == []
