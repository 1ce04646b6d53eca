"""An imported OData service is called by an OData client through the gateway, not from other origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pyodata
import pytest
import requests
from pyodata.exceptions import HttpError
from tests.odata_service import TOKEN, ImportedOrders, SapOrders, imported_orders

pytestmark = pytest.mark.live

ORIGIN = "https://shop.example.com"
KEY = "O'Neil/1"
NATIVE_PATH = "/sap/opu/odata/sap/ORDERS_SRV"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedOrders]:
    folder = tmp_path_factory.mktemp("odata")
    with imported_orders(folder, SapOrders(), ORIGIN, "/gateway/ORDERS_SRV/1") as running:
        yield running


def odata_client(service: ImportedOrders, origin: str | None) -> tuple[requests.Session, Any]:
    """A client that reads the metadata through the gateway, fetches a token, and calls the gateway."""
    session = requests.Session()
    session.trust_env = False
    client: Any = pyodata.Client(service.endpoint, session)
    if origin is not None:
        session.headers["Origin"] = origin
    answer = session.head(f"{service.endpoint}/$metadata", headers={"X-CSRF-Token": "Fetch"})
    session.headers["X-CSRF-Token"] = answer.headers.get("X-CSRF-Token", "")
    return session, client


@pytest.mark.parametrize("origin", [None, ORIGIN])
def test_an_odata_client_creates_reads_and_updates(service: ImportedOrders, origin: str | None) -> None:
    service.native.orders.clear()
    session, client = odata_client(service, origin)
    assert session.headers["X-CSRF-Token"] == TOKEN
    orders = client.entity_sets.Orders

    created = orders.create_entity().set(Number=KEY, Note="new").execute()
    assert (created.Number, created.Note) == (KEY, "new")
    assert orders.get_entity(KEY).execute().Note == "new"

    update = orders.update_entity(KEY, method="MERGE").set(Note="changed")
    update.add_headers({"If-Match": 'W/"1"'})
    update.execute()
    assert orders.get_entity(KEY).execute().Note == "changed"
    assert [one.method for one in service.native.log.seen()[-4:]] == ["POST", "GET", "MERGE", "GET"]

    with pytest.raises(HttpError) as conflict:
        update.execute()
    assert conflict.value.response.status_code == 412


def test_keys_with_quotes_and_escaped_slashes_arrive_as_they_are(service: ImportedOrders) -> None:
    service.native.orders[KEY] = {"Number": KEY, "Note": "kept", "Version": "1"}
    answer = httpx.get(f"{service.endpoint}/Orders('O''Neil%2F1')", headers={"Origin": ORIGIN})

    assert answer.json() == {"d": {"Number": KEY, "Note": "kept", "Version": "1"}}
    assert service.native.log.seen()[-1].target == f"{NATIVE_PATH}/Orders('O''Neil%2F1')"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert exposed == ["DataServiceVersion", "ETag", "Location", "X-CSRF-Token"]


def test_an_odata_client_of_another_origin_is_refused(service: ImportedOrders) -> None:
    session, client = odata_client(service, None)
    session.headers["Origin"] = "https://evil.example"
    before = len(service.native.log.seen())

    with pytest.raises(HttpError) as refused:
        client.entity_sets.Orders.create_entity().set(Number="1").execute()

    assert refused.value.response.status_code == 403
    assert len(service.native.log.seen()) == before


@pytest.mark.parametrize(
    ("origin", "method", "path", "headers", "status"),
    [
        (ORIGIN, "MERGE", "/Orders('1')", "content-type,if-match,x-csrf-token", 200),
        (ORIGIN, "PUT", "/Orders('1')", "content-type,dataserviceversion,maxdataserviceversion", 200),
        (ORIGIN, "POST", "/$batch", "content-type,x-csrf-token", 200),
        (ORIGIN, "HEAD", "/", "x-csrf-token", 200),
        (ORIGIN, "PATCH", "/Orders('1')", "content-type", 405),
        (ORIGIN, "DELETE", "/Orders('1')", "if-match", 405),
        (ORIGIN, "POST", "/Orders('1')", "x-http-method", 403),
        ("https://evil.example", "MERGE", "/Orders('1')", "content-type", 403),
        ("https://evil.example", "POST", "/$batch", "content-type", 403),
    ],
)
def test_a_preflight(
    service: ImportedOrders, origin: str, method: str, path: str, headers: str, status: int
) -> None:
    answer = httpx.options(
        service.endpoint + path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )

    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)
