"""Concurrent writers, on one store and on several: no change is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.catalogues import api, policy

from crossgate.policy import ExactOrigin
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi, PutPolicy
from crossgate.service.errors import PreconditionFailed
from crossgate.service.etag import Matches, etag_of
from crossgate.service.objects import ObjectKind
from crossgate.store import StoreLocation, open_store

PETS = (ObjectKind.API, "pets/1.0")
WRITERS, ORIGINS_EACH = 8, 5


def allow(service: CatalogueService, origin: str) -> None:
    """Read, modify and write, and retry if another writer came first."""
    while True:
        head = service.store.head.catalogue
        known = head.apis["pets/1.0"].cors
        allowed = known.to_dict()["allowed_origins"] if known else []
        assert isinstance(allowed, list)
        change = PutPolicy("pets/1.0", policy(*allowed, origin))
        try:
            service.change(
                [change], author=origin, preconditions=[Matches(PETS, (etag_of(head, PETS) or "",))]
            )
        except PreconditionFailed:
            service.store.refresh()
        else:
            return


def test_no_update_is_lost(location: StoreLocation) -> None:
    with ExitStack() as opened:
        # Several stores compete for the database as several processes do.
        services = [
            CatalogueService(opened.enter_context(open_store(location)).catalogue)
            for _ in range(WRITERS // 2)
        ]
        services[0].change([PutApi(api("pets"))], author="ann")
        for service in services:
            service.store.refresh()

        def write(writer: int) -> None:
            for count in range(ORIGINS_EACH):
                allow(services[writer % len(services)], f"https://o{count}.w{writer}.example")

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))

        heads = {
            (store.revision, frozenset(store.catalogue.apis.items()))
            for store in (s.store.refresh() for s in services)
        }
        assert len(heads) == 1
        head = services[0].store.head
        assert head.revision == 1 + WRITERS * ORIGINS_EACH
        cors = head.catalogue.apis["pets/1.0"].cors
        assert cors is not None
        assert set(cors.allowed_origins) == {
            ExactOrigin(f"https://o{count}.w{writer}.example")
            for count in range(ORIGINS_EACH)
            for writer in range(WRITERS)
        }


def test_write_includes_revisions_of_another_store(location: StoreLocation) -> None:
    with open_store(location) as here, open_store(location) as there:
        CatalogueService(here.catalogue).change([PutApi(api("pets"))], author="ann")
        revisions: list[int] = []
        there.catalogue.watch(lambda head: revisions.append(head.revision))
        done = CatalogueService(there.catalogue).change([PutApi(api("shop"))], author="bob")
        assert done.head.catalogue.apis.keys() == {"pets/1.0", "shop/1.0"}
        assert revisions[-1] == 2
        assert here.catalogue.refresh().catalogue == done.head.catalogue
