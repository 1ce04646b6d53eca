"""Two native OData services, one as SAP Gateway speaks OData 2 and one of OData 4, and their import."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.natives.http_message import Headers, Request, Response
from examples.natives.service import Service
from tests.command import running_gateway
from tests.ports import free_ports

from crossgate.importers.commented import write_commented
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

METADATA_V2: Final = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
  xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
  xmlns:sap="http://www.sap.com/Protocols/SAPData">
  <edmx:DataServices m:DataServiceVersion="2.0">
    <Schema Namespace="ORDERS_SRV" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
      <EntityType Name="Order">
        <Key><PropertyRef Name="Number"/></Key>
        <Property Name="Number" Type="Edm.String" Nullable="false"/>
        <Property Name="Note" Type="Edm.String"/>
        <Property Name="Version" Type="Edm.String" ConcurrencyMode="Fixed"/>
      </EntityType>
      <EntityContainer Name="ORDERS_SRV_Entities" m:IsDefaultEntityContainer="true">
        <EntitySet Name="Orders" EntityType="ORDERS_SRV.Order" sap:deletable="false"/>
      </EntityContainer>
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
"""
METADATA_V4: Final = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
  <edmx:DataServices>
    <Schema Namespace="Contoso.Orders.V2" xmlns="http://docs.oasis-open.org/odata/ns/edm">
      <EntityType Name="Order">
        <Key><PropertyRef Name="Number"/></Key>
        <Property Name="Number" Type="Edm.String" Nullable="false"/>
        <Property Name="Note" Type="Edm.String"/>
      </EntityType>
      <EntityContainer Name="Container">
        <EntitySet Name="Orders" EntityType="Contoso.Orders.V2.Order"/>
      </EntityContainer>
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
"""
TOKEN: Final = "o2mJx1Sh3ZuYkRk4"
_SESSION: Final = "SAP_SESSIONID=1"
_ENTITY: Final = re.compile(r"/Orders\('(.*)'\)")
_XML: Final = ("Content-Type", "application/xml")


class OrderService(Service):
    """Orders, each with a note and an ETag, below ``root``."""

    root = ""
    metadata = ""
    name_of_version = ""
    version = ""
    updates: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, str]] = {}
        super().__init__("orders", self._answer)

    @property
    def metadata_url(self) -> str:
        """What it is imported from."""
        return f"{self.url}{self.root}/$metadata"

    def refuses(self, _request: Request) -> Response | None:
        """The response to a request that may not change anything."""

    def extra_headers(self, _request: Request) -> Headers:
        """Headers of every response."""
        return ()

    def shown(self, order: Mapping[str, str]) -> object:
        """The payload of an order."""
        return order

    def _answer(self, request: Request) -> Response:
        headers = ((self.name_of_version, self.version), *self.extra_headers(request))
        path = request.path.removeprefix(self.root)
        if request.method not in ("GET", "HEAD"):
            refusal = self.refuses(request)
            if refusal is not None:
                return Response(refusal.status, (*headers, *refusal.headers), refusal.body)
        if path == "/$metadata":
            return Response(200, (*headers, _XML), self.metadata.encode())
        entity = _ENTITY.fullmatch(path)
        if path == "/Orders" and request.method == "POST":
            order = {**json.loads(request.body), "Version": "1"}
            self.orders[order["Number"]] = order
            return self._order(201, order, (*headers, ("Location", f"{self.url}{self.root}/Orders")))
        # A quote in a key is doubled (MS-ODATA, §2.2.2; OData 4.01, URL Conventions, §4.3.1).
        found = self.orders.get(entity[1].replace("''", "'")) if entity else None
        if found is None:
            return Response(404, headers)
        if request.method == "GET":
            return self._order(200, found, headers)
        if request.method not in self.updates:
            return Response(405, headers)
        if request.header("If-Match") != _etag(found):
            return Response(412, headers)
        found |= json.loads(request.body)
        found["Version"] = str(int(found["Version"]) + 1)
        return Response(204, (*headers, ("ETag", _etag(found))))

    def _order(self, status: int, order: Mapping[str, str], headers: Headers) -> Response:
        body = json.dumps(self.shown(order)).encode()
        content = (("Content-Type", "application/json"), ("ETag", _etag(order)))
        return Response(status, (*headers, *content), body)


def _etag(order: Mapping[str, str]) -> str:
    return f'W/"{order["Version"]}"'


class SapOrders(OrderService):
    """OData 2, with a token against request forgery that is valid in the session of a cookie."""

    root = "/sap/opu/odata/sap/ORDERS_SRV"
    metadata = METADATA_V2
    name_of_version, version = "DataServiceVersion", "2.0"
    updates = ("MERGE", "PUT")

    def refuses(self, _request: Request) -> Response | None:
        """A request without the token, or without the session."""
        if _request.header("X-CSRF-Token") == TOKEN and _SESSION in (_request.header("Cookie") or ""):
            return None
        return Response(403, (("X-CSRF-Token", "Required"),), b"CSRF token validation failed")

    def extra_headers(self, _request: Request) -> Headers:
        """The token, if it is fetched."""
        if (_request.header("X-CSRF-Token") or "").lower() != "fetch":
            return ()
        return ("X-CSRF-Token", TOKEN), ("Set-Cookie", f"{_SESSION}; path=/")

    def shown(self, order: Mapping[str, str]) -> object:
        """OData 2 wraps entities."""
        return {"d": order}


class Orders(OrderService):
    """OData 4."""

    root = "/odata/orders"
    metadata = METADATA_V4
    name_of_version, version = "OData-Version", "4.0"
    updates = ("PATCH",)


@dataclass(frozen=True, slots=True)
class ImportedOrders:
    """A service behind a gateway with what was imported of its metadata."""

    native: OrderService
    endpoint: str
    """Its URL at the gateway."""


@contextmanager
def imported_orders(
    folder: Path, native: OrderService, origin: str, endpoint: str
) -> Iterator[ImportedOrders]:
    """The service, its metadata imported as from its URL, and a gateway with the document."""
    with native:
        source = Source(native.metadata_url, native.metadata.encode())
        imported = import_sources([source], options=ImportOptions(origins=(origin,)))
        (port,) = free_ports(1)
        file = folder / "gateway.yaml"
        document = f"gateway:\n  listen: 127.0.0.1:{port}\n{write_commented(imported)}"
        file.write_text(document, encoding="utf-8")
        with running_gateway(file):
            yield ImportedOrders(native, f"http://127.0.0.1:{port}{endpoint}")
