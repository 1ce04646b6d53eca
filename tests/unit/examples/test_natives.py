"""What the example's native services answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
from examples.natives.service import Service
from examples.servers import Ports, start_native_services

STRANGER = "http://127.0.0.1:9109"
BEHIND_GATEWAY = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "gateway.example",
    "X-Forwarded-Prefix": "/ws/stock/1.0",
}


@pytest.fixture
def natives() -> Iterator[Mapping[str, Service]]:
    with ExitStack() as stack:
        yield start_native_services(stack, replace(Ports(), pets=0, stock=0, catalog=0, parcels=0))


def test_pets_are_read_written_and_removed(natives: Mapping[str, Service]) -> None:
    with httpx.Client(base_url=natives["pets"].url + "/v2") as store:
        assert [pet["name"] for pet in store.get("/pets").json()] == ["Rex", "Minka"]
        created = store.post("/pets", data={"name": "Bello", "kind": "dog"})
        assert created.status_code == 201
        assert store.get(created.headers["location"]).json() == {"id": 3, "name": "Bello", "kind": "dog"}
        assert store.put("/pets/3", json={"name": "Bella"}).json() == {
            "id": 3,
            "name": "Bella",
            "kind": "unknown",
        }
        assert store.put("/pets/9", json={"name": "Nine"}).status_code == 201
        assert store.delete("/pets/3").status_code == 204
        assert store.get("/pets/3").status_code == 404
        assert store.get("/pets").headers["header3"] == "third"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v2/pets", b"{", 400),
        ("POST", "/v2/pets", b'["Rex"]', 400),
        ("POST", "/v2/pets", b'{"name": ""}', 400),
        ("POST", "/v2/pets", b"\xff", 400),
        ("PATCH", "/v2/pets", b"", 405),
        ("PATCH", "/v2/pets/1", b"", 405),
        ("PATCH", "/v2/pets/77", b"", 404),
        ("GET", "/v2/pets/1/2", b"", 404),
        ("GET", "/v2/pets/" + "9" * 5000, b"", 404),
    ],
)
def test_requests_that_the_pet_store_refuses(
    natives: Mapping[str, Service], method: str, path: str, body: bytes, status: int
) -> None:
    assert httpx.request(method, natives["pets"].url + path, content=body).status_code == status


def test_signing_in_is_remembered_by_a_cookie(natives: Mapping[str, Service]) -> None:
    with httpx.Client(base_url=natives["pets"].url + "/v2") as store:
        assert store.get("/me").json() == {"name": None}
        store.post("/sign-in", data={"name": "Zoë"})
        assert store.get("/me").json() == {"name": "Zoë"}


def test_the_wsdl_names_the_address_the_caller_used(natives: Mapping[str, Service]) -> None:
    url = natives["stock"].url + "/stock?wsdl"
    assert f'location="{natives["stock"].url}/stock"' in httpx.get(url).text
    assert 'location="https://gateway.example/ws/stock/1.0"' in httpx.get(url, headers=BEHIND_GATEWAY).text


@pytest.mark.parametrize(
    ("item", "status", "text"),
    [("leash", 200, "<quantity>12</quantity>"), ("&amp;x", 500, "&amp;x is not in stock")],
)
def test_a_soap_call_answers_or_faults(
    natives: Mapping[str, Service], item: str, status: int, text: str
) -> None:
    call = f'<GetStock xmlns="urn:example:stock"><item>{item}</item></GetStock>'
    envelope = f"<e:Envelope><e:Body>{call}</e:Body></e:Envelope>"
    answer = httpx.post(natives["stock"].url + "/stock", content=envelope)
    assert answer.status_code == status
    assert text in answer.text
    assert answer.headers["content-type"].startswith("text/xml")


def test_the_catalogue_speaks_odata(natives: Mapping[str, Service]) -> None:
    with httpx.Client(base_url=natives["catalog"].url + "/odata") as service:
        assert "EntitySet" in service.get("/$metadata").text
        assert service.get("/").json()["value"][0]["name"] == "Products"
        assert len(service.get("/Products").json()["value"]) == 3
        product = service.get("/Products(1)", headers=BEHIND_GATEWAY).json()
        assert product["Name"] == "Leash"
        assert product["@odata.context"] == "https://gateway.example/ws/stock/1.0/$metadata#Products/$entity"
        assert service.get("/Products(4)").status_code == 404
        assert service.post("/Products").status_code == 405


def test_parcel_tracking_adds_headers_and_refuses_no_request(natives: Mapping[str, Service]) -> None:
    url = natives["parcels"].url + "/track/7001"
    known = httpx.get(url, headers={"Origin": STRANGER})
    unknown = httpx.get(url, headers={"Origin": "http://other.example"})
    assert known.json() == unknown.json()
    assert known.headers["access-control-allow-origin"] == STRANGER
    assert "access-control-allow-origin" not in unknown.headers
    preflight = httpx.options(url, headers={"Origin": STRANGER, "Access-Control-Request-Method": "PUT"})
    assert preflight.headers["access-control-allow-methods"] == "GET, PUT"


def test_the_configuration_with_other_ports() -> None:
    configuration = Ports(gateway=9101, pets=8080, unreachable=1).configuration()
    assert "listen: 127.0.0.1:9101" in configuration
    assert "native: http://127.0.0.1:8080/v2" in configuration
    assert "native: http://127.0.0.1:1\n" in configuration
    assert Ports().configuration().count("127.0.0.1:9104") == 3
