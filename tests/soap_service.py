"""The Number Conversion service of the corpus of WSDL documents, as a native service, and its import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.natives.http_message import Request, Response
from examples.natives.service import Service
from lxml import etree
from tests.command import ROOT, crossgate, running_gateway
from tests.ports import free_ports

WSDL: Final = ROOT / "tests" / "data" / "imports" / "wsdl" / "number-conversion.wsdl"
NAMESPACE: Final = "http://www.dataaccess.com/webservicesserver/"
SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
CONTENT_TYPES: Final = {SOAP_11: "text/xml", SOAP_12: "application/soap+xml"}
_WORDS: Final = {"7": "seven", "12": "twelve"}


def envelope(version: str, body: str) -> str:
    """A SOAP message of that version."""
    return f'<e:Envelope xmlns:e="{version}"><e:Body>{body}</e:Body></e:Envelope>'


def number_to_words(version: str, number: int) -> str:
    """A request of the operation NumberToWords."""
    # Local elements of its schema are in no namespace.
    call = f'<n:NumberToWords xmlns:n="{NAMESPACE}"><ubiNum>{number}</ubiNum></n:NumberToWords>'
    return envelope(version, call)


class NumberConversion(Service):
    """Speaks SOAP 1.1 and 1.2 at ``/NumberConversion.wso``, and has its description at ``?wsdl``."""

    def __init__(self) -> None:
        super().__init__("number conversion", self._answer)

    def _answer(self, request: Request) -> Response:
        if request.path != "/NumberConversion.wso":
            return Response(404)
        if request.method == "GET" and request.target.endswith("?wsdl"):
            return Response(200, (("Content-Type", "text/xml"),), WSDL.read_bytes())
        root = etree.fromstring(request.body)
        version = str(etree.QName(root).namespace)
        content_type = (request.header("Content-Type") or "").partition(";")[0]
        # SOAP 1.1, §6.1.1: the header is required, even if its value is empty.
        action_is_missing = version == SOAP_11 and request.header("SOAPAction") is None
        number = root.findtext(".//ubiNum")
        if content_type != CONTENT_TYPES.get(version) or action_is_missing or number not in _WORDS:
            return Response(400, (("Content-Type", "text/plain"),), b"not a request of this service")
        body = (
            f'<n:NumberToWordsResponse xmlns:n="{NAMESPACE}"><NumberToWordsResult>{_WORDS[number]}'
            "</NumberToWordsResult></n:NumberToWordsResponse>"
        )
        headers = (("Content-Type", f"{content_type}; charset=utf-8"),)
        return Response(200, headers, envelope(version, body).encode())


@dataclass(frozen=True, slots=True)
class ImportedService:
    """The service behind a gateway with what was imported of its description."""

    native: NumberConversion
    endpoint: str
    """Its URL at the gateway."""


@contextmanager
def imported_service(folder: Path, origin: str) -> Iterator[ImportedService]:
    """The service, its description imported with that origin, and a gateway with the document."""
    with NumberConversion() as native:
        (port,) = free_ports(1)
        file = folder / "gateway.yaml"
        file.write_text(f"gateway:\n  listen: 127.0.0.1:{port}\n", encoding="utf-8")
        url = f"http://127.0.0.1:{native.port}/NumberConversion.wso"
        imported = crossgate("import", WSDL, "--native", url, "--origin", origin, "-o", file)
        assert imported.returncode == 0, imported.stderr
        with running_gateway(file):
            yield ImportedService(native, f"http://127.0.0.1:{port}/ws/NumberConversion/1")
