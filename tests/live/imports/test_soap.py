"""An imported SOAP service is called by a SOAP client through the gateway, and by nobody of other origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from tests.soap_service import NAMESPACE, ImportedService, imported_service
from zeep import Client
from zeep.exceptions import TransportError
from zeep.transports import Transport

pytestmark = pytest.mark.live

ORIGIN = "https://app.example"
BINDINGS = {"SOAP 1.1": "NumberConversionSoapBinding", "SOAP 1.2": "NumberConversionSoapBinding12"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedService]:
    with imported_service(tmp_path_factory.mktemp("soap"), ORIGIN) as running:
        yield running


def soap_client(service: ImportedService, binding: str, origin: str | None) -> Any:
    """A client that reads the description through the gateway, and calls the gateway."""
    session = requests.Session()
    session.trust_env = False
    client: Any = Client(  # type: ignore[no-untyped-call]  # zeep has types for a part of it
        f"{service.endpoint}?wsdl",
        transport=Transport(session=session),  # type: ignore[no-untyped-call]
    )
    if origin is not None:
        session.headers["Origin"] = origin
    return client.create_service(f"{{{NAMESPACE}}}{BINDINGS[binding]}", service.endpoint)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("origin", [None, ORIGIN])
def test_a_soap_client_calls_the_service(service: ImportedService, binding: str, origin: str | None) -> None:
    client = soap_client(service, binding, origin)

    assert client.NumberToWords(ubiNum=7) == "seven"

    last = service.native.log.seen()[-1]
    assert (last.method, last.path) == ("POST", "/NumberConversion.wso")


def test_a_soap_client_of_another_origin_is_refused(service: ImportedService) -> None:
    client = soap_client(service, "SOAP 1.1", "https://evil.example")
    before = len(service.native.log.seen())

    with pytest.raises(TransportError) as refused:
        client.NumberToWords(ubiNum=7)

    assert refused.value.status_code == 403
    assert len(service.native.log.seen()) == before


@pytest.mark.parametrize(
    ("origin", "method", "headers", "status"),
    [
        (ORIGIN, "POST", "content-type,soapaction", 200),
        (ORIGIN, "POST", "content-type", 200),
        (ORIGIN, "GET", "content-type", 200),
        (ORIGIN, "POST", "content-type,x-other", 403),
        (ORIGIN, "PUT", "content-type", 405),
        ("https://evil.example", "POST", "content-type,soapaction", 403),
        ("http://app.example", "POST", "content-type,soapaction", 403),
    ],
)
def test_a_preflight(service: ImportedService, origin: str, method: str, headers: str, status: int) -> None:
    answer = httpx.options(
        service.endpoint,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )

    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)
    if status == 200:
        assert answer.headers["Access-Control-Allow-Headers"] == "SOAPAction, Content-Type"
