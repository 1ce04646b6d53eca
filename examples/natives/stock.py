"""The stock: a SOAP 1.1 service under ``/stock``, with its WSDL at ``/stock?wsdl``.

It has one operation, ``GetStock``. An unknown item is a fault, which SOAP 1.1 sends with status 500.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr, unescape

from examples.natives.http_message import Request, Response

BASE = "/stock"
_WSDL = Path(__file__).with_name("stock.wsdl").read_text(encoding="utf-8")
_QUANTITIES = {"leash": 12, "basket": 3, "ball": 250}
# A real service would parse the envelope. A regular expression over capped input needs no defence against
# entities, and this example needs one element only.
_ITEM = re.compile(r"<(?:\w+:)?item>([^<]{1,100})</")
_MAX_BODY = 64 * 1024


def stock(request: Request) -> Response:
    """The answer to one request."""
    if request.path.rstrip("/") != BASE:
        return Response(404, (("Content-Type", "text/plain"),), b"not found\n")
    match request.method:
        case "GET" | "HEAD" if any(name.lower() == "wsdl" for name, _ in request.query):
            address = quoteattr(request.public_url(BASE))
            return _xml(_WSDL.replace('"@ADDRESS@"', address))
        case "POST":
            return _get_stock(request.body)
        case "OPTIONS":
            return Response(204, (("Allow", "GET, POST, OPTIONS"),))
        case _:
            return Response(
                405, (("Allow", "GET, POST, OPTIONS"), ("Content-Type", "text/plain")), b"POST an envelope\n"
            )


def _get_stock(body: bytes) -> Response:
    found = _ITEM.search(body[:_MAX_BODY].decode(errors="replace"))
    if found is None:
        return _fault("Client", "the envelope has no item")
    item = unescape(found[1]).strip()
    quantity = _QUANTITIES.get(item)
    if quantity is None:
        return _fault("Client", f"{item} is not in stock")
    result = f'<GetStockResponse xmlns="urn:example:stock"><quantity>{quantity}</quantity></GetStockResponse>'
    return _envelope(result)


def _fault(code: str, reason: str) -> Response:
    fault = f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>{escape(reason)}</faultstring></s:Fault>"
    return _envelope(fault, 500)


def _envelope(content: str, status: int = 200) -> Response:
    namespace = "http://schemas.xmlsoap.org/soap/envelope/"
    return _xml(f'<s:Envelope xmlns:s="{namespace}"><s:Body>{content}</s:Body></s:Envelope>', status)


def _xml(text: str, status: int = 200) -> Response:
    return Response(status, (("Content-Type", "text/xml; charset=utf-8"),), text.encode())
