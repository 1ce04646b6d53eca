"""The catalogue: an OData 4.0 service under ``/odata``, read-only.

Serves the service document, ``$metadata``, the entity set ``Products`` and single entities ``Products(1)``.
"""

from __future__ import annotations

import re
from pathlib import Path

from examples.natives.http_message import Request, Response, json_response

BASE = "/odata"
_METADATA = Path(__file__).with_name("catalog.edmx").read_bytes()
_VERSION = ("OData-Version", "4.0")
_ENTITY = re.compile(r"Products\(([0-9]{1,9})\)")
_PRODUCTS: tuple[dict[str, object], ...] = (
    {"ID": 1, "Name": "Leash", "Price": 14.5},
    {"ID": 2, "Name": "Basket", "Price": 39},
    {"ID": 3, "Name": "Ball", "Price": 2.25},
)


def catalog(request: Request) -> Response:
    """The answer to one request."""
    if request.method not in {"GET", "HEAD"}:
        return _error(405, "this catalogue is read-only", ("Allow", "GET, HEAD"))
    context = f"{request.public_url(BASE)}/$metadata"
    resource = request.path.removeprefix(BASE).strip("/")
    if resource == "":
        sets = [{"name": "Products", "kind": "EntitySet", "url": "Products"}]
        return _json({"@odata.context": context, "value": sets})
    if resource == "$metadata":
        return Response(200, (("Content-Type", "application/xml"), _VERSION), _METADATA)
    if resource == "Products":
        return _json({"@odata.context": f"{context}#Products", "value": _PRODUCTS})
    if entity := _ENTITY.fullmatch(resource):
        for product in _PRODUCTS:
            if product["ID"] == int(entity[1]):
                return _json({"@odata.context": f"{context}#Products/$entity", **product})
    return _error(404, f"{resource} not found")


def _json(value: object) -> Response:
    return json_response(value, headers=(_VERSION,))


def _error(status: int, message: str, *headers: tuple[str, str]) -> Response:
    return json_response({"error": {"code": str(status), "message": message}}, status, (_VERSION, *headers))
