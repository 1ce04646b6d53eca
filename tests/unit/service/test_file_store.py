"""The store of a gateway that runs a file: reads and plans work, writes are refused."""

from __future__ import annotations

import pytest
from tests.catalogues import api, catalogue

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import DeleteApi, PutApi
from crossgate.service.errors import InvalidChange, ReadOnly
from crossgate.service.file_store import FileStore


def test_writes_are_refused_and_plans_are_not() -> None:
    service = CatalogueService(FileStore("gateway.yaml", catalogue([api("pets")])))
    with pytest.raises(ReadOnly) as refused:
        service.change([PutApi(api("new"))], author="ann")
    assert "gateway.yaml" in str(refused.value)
    with pytest.raises(ReadOnly):
        service.rollback(0, author="ann")
    assert [one.key for one in service.plan([DeleteApi("pets/1.0")]).removed] == ["pets/1.0"]
    assert service.export().apis.keys() == {"pets/1.0"}


def test_each_read_of_the_file_is_a_new_head() -> None:
    store = FileStore("gateway.yaml", catalogue())
    assert store.replace(catalogue([api("pets")])) is store.head
    assert store.refresh() is store.head
    assert (store.head.revision, list(store.head.catalogue.apis)) == (2, ["pets/1.0"])


@pytest.mark.parametrize("message", ["a\x00b", "x" * 2001, "\ud800"])
def test_long_and_unprintable_messages_are_refused(message: str) -> None:
    service = CatalogueService(FileStore("gateway.yaml", catalogue()))
    with pytest.raises(InvalidChange):
        service.change([], author="ann", message=message)
