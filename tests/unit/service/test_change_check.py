"""The check of the machine: what it refuses is not stored, and it runs no more often than needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.catalogues import api, catalogue

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi, PutGateway
from crossgate.service.errors import Forbidden, InvalidChange, PreconditionFailed, ReadOnly
from crossgate.service.etag import Matches
from crossgate.service.file_store import FileStore
from crossgate.service.objects import GATEWAY_KEY, Difference
from crossgate.service.permission import Permission, Role
from crossgate.store import SqliteDirectory, Store, open_store

MOVED = PutGateway(Gateway(HostPort("127.0.0.1", 8081)))
ERROR = Diagnostic("e", "no", "Do", Place(("gateway", "listen")))
WARNING = Diagnostic("w", "hm", "Do", Place(("gateway", "listen")), severity=Severity.WARNING)


@dataclass
class Check:
    """Finds what it is given, and counts how often."""

    found: tuple[Diagnostic, ...]
    meanwhile: Callable[[], object] = lambda: None
    differences: list[Difference] = field(default_factory=list)

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        del base
        self.differences.append(difference)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return self.found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(SqliteDirectory(tmp_path)) as opened:
        yield opened


def test_errors_refuse_change_plan_and_rollback_and_warnings_are_findings(store: Store) -> None:
    warned = CatalogueService(store.catalogue, check=Check((WARNING,))).change([MOVED], author="ann")
    assert [one.diagnostic for one in warned.plan.findings] == [WARNING]
    assert warned.head.revision == 1

    refusing = CatalogueService(store.catalogue, check=Check((ERROR, WARNING)))
    back = PutGateway(Gateway())
    for attempt in (
        lambda: refusing.change([back], author="ann"),
        lambda: refusing.rollback(0, author="ann"),
        lambda: refusing.plan([back]),
    ):
        with pytest.raises(InvalidChange) as refused:
            attempt()
        assert refused.value.diagnostics == (ERROR,)
    assert store.catalogue.head.revision == 1


def test_it_does_not_run_for_what_is_refused_anyway(store: Store) -> None:
    check = Check((ERROR,))
    service = CatalogueService(store.catalogue, check=check)
    with pytest.raises(PreconditionFailed):
        service.change([MOVED], author="ann", preconditions=[Matches(GATEWAY_KEY, ("old",))])
    with pytest.raises(Forbidden):
        service.change([MOVED], author="ann", permission=Permission(Role.EDITOR))
    with pytest.raises(ReadOnly):
        CatalogueService(FileStore("gateway.yaml", catalogue()), check=check).change([MOVED], author="ann")
    service.change([PutGateway(Gateway())], author="ann")  # nothing changes
    assert check.differences == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_a_plan_shows_files_and_ports_to_those_only_who_could_make_the_change(
    store: Store, role: Role
) -> None:
    check = Check((ERROR,))
    plan = CatalogueService(store.catalogue, check=check).plan([MOVED], Permission(role))
    assert (len(plan.difference), plan.checks, check.differences) == (1, (), [])


def test_a_change_in_between_does_not_repeat_the_check_in_the_transaction(store: Store) -> None:
    def another() -> None:
        CatalogueService(store.catalogue).change([PutApi(api("pets"))], author="bob")

    check = Check((WARNING,), another)
    result = CatalogueService(store.catalogue, check=check).change([MOVED], author="ann")
    assert (result.head.revision, len(check.differences)) == (2, 1)
    assert [one.diagnostic for one in result.plan.findings] == [WARNING]


def test_another_change_of_the_settings_in_between_does(store: Store) -> None:
    def another() -> None:
        listen = HostPort("127.0.0.1", 8082)
        CatalogueService(store.catalogue).change([PutGateway(Gateway(listen))], author="bob")

    check = Check((), another)
    CatalogueService(store.catalogue, check=check).change([MOVED], author="ann")
    ports = [one.before.listen.port for [one] in check.differences if isinstance(one.before, Gateway)]
    assert ports == [8080, 8082]
