"""Two control planes on one PostgreSQL, each with its own Envoy: a change at one is enforced by both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from psycopg import sql
from tests.admin_api import origins_of, write_at_once
from tests.live.admin.store_gateway import StoreGateway, eventually, store_gateway
from tests.postgresql import Server
from tests.unit.admin.entries import NEW, SHOP, api_entry, create_shop, policy_entry

pytestmark = pytest.mark.live

APP, OTHER = "https://app.example", "https://other.example"
LISTENING = sql.SQL(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'crossgate' AND query LIKE 'LISTEN%'"
)
CUT = sql.SQL("SELECT pg_terminate_backend(pid) FROM ({}) AS listening").format(LISTENING)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two gateways that listen on the same port in different networks."""

    one: StoreGateway
    two: StoreGateway

    def both_answer(self, name: str, origin: str, status: int) -> None:
        """Wait until both Envoys answer preflights of the origin with this status."""
        for gateway in (self.one, self.two):
            eventually(lambda: gateway.preflight(origin, f"/gateway/{name}/1/x") == status)  # noqa: B023 - called at once


@pytest.fixture(scope="module")
def pair(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    database = ("--database", server.url(server.new_database()), "--concurrency", "1")
    folder = tmp_path_factory.mktemp("pair")
    with (
        store_gateway(folder, *database) as one,
        store_gateway(folder, *database, secret=one.token, port=one.port, apart=True) as two,
    ):
        yield Pair(one, two)


def put_api(gateway: StoreGateway, name: str, *origins: str, etag: str | None = None) -> httpx.Response:
    """Create the API, or change it if an etag is given."""
    body = api_entry(cors=policy_entry(*origins))
    headers = NEW if etag is None else {"If-Match": etag}
    return gateway.admin.put(f"/v1/apis/{name}/1", json=body, headers=headers)


def test_change_at_either_control_plane_is_enforced_by_both(pair: Pair) -> None:
    etag = put_api(pair.two, "either", APP).headers["ETag"]
    pair.both_answer("either", APP, 200)
    changed = put_api(pair.one, "either", OTHER, etag=etag)
    assert changed.status_code == 200
    pair.both_answer("either", OTHER, 200)
    pair.both_answer("either", APP, 403)
    assert put_api(pair.two, "either", APP, etag=etag).status_code == 412

    def outcomes(gateway: StoreGateway) -> list[str]:
        revision = gateway.admin.get(f"/v1/revisions/{changed.headers['Crossgate-Revision']}").json()
        return [node["outcome"] for node in revision["nodes"]]

    for gateway in (pair.one, pair.two):
        eventually(lambda: outcomes(gateway) == ["applied", "applied"])  # noqa: B023 - called at once


def test_changes_arrive_after_the_notification_connection_was_cut(pair: Pair, server: Server) -> None:
    etag = put_api(pair.one, "deaf", APP).headers["ETag"]
    pair.both_answer("deaf", APP, 200)
    for number in range(5):
        assert server.query(CUT) == [(True,), (True,)]
        here = (pair.one, pair.two)[number % 2]
        answer = put_api(here, "deaf", origin := f"https://n{number}.example", etag=etag)
        assert answer.status_code == 200, answer.text
        etag = answer.headers["ETag"]
        pair.both_answer("deaf", origin, 200)
        eventually(lambda: len(server.query(LISTENING)) == 2)


def test_concurrent_writers_at_both_lose_no_update(pair: Pair) -> None:
    put_api(pair.one, "written")
    create_shop(pair.one.admin, apis=("written/1",))
    eventually(lambda: pair.two.admin.get(SHOP).status_code == 200)
    origins, conflicts = write_at_once([pair.one.admin, pair.two.admin], SHOP, 5)
    assert conflicts > 0
    for gateway in (pair.one, pair.two):
        eventually(lambda: origins_of(gateway.admin, SHOP) == origins)  # noqa: B023 - called at once
    for origin in origins:
        pair.both_answer("written", origin, 200)
    pair.both_answer("written", APP, 403)


def test_rollback_at_one_is_enforced_by_both(pair: Pair) -> None:
    made = put_api(pair.one, "rolled", APP)
    pair.both_answer("rolled", APP, 200)
    assert put_api(pair.two, "rolled", OTHER, etag=made.headers["ETag"]).status_code == 200
    pair.both_answer("rolled", APP, 403)
    number = made.headers["Crossgate-Revision"]
    rolled = pair.two.admin.post(f"/v1/revisions/{number}/rollback", headers={"If-Match": "*"})
    assert rolled.status_code == 200, rolled.text
    pair.both_answer("rolled", APP, 200)
    pair.both_answer("rolled", OTHER, 403)
