"""The reader of WSDL 1.1 and 2.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.found import Contents
from crossgate.importers.kind import Kind
from crossgate.importers.source import Source
from crossgate.importers.wsdl.documents import ROOTS, Descriptions, load_descriptions
from crossgate.importers.wsdl.services import ServiceReader
from crossgate.importers.xml import root_name

MAX_SERVICES: Final = 1_000
MAX_PORTS: Final = 5_000


def is_wsdl(source: Source) -> bool:
    """Whether the document is a WSDL description."""
    return root_name(source) in ROOTS


def read_wsdl(source: Source) -> Contents:
    """Each service as an API with a suggested policy that names no origins.

    Raises:
        InvalidInput: if it has no service that is called over HTTP, or exceeds a limit.

    """
    descriptions = load_descriptions(source)
    _check_counts(descriptions, source)
    reader = ServiceReader(descriptions)
    apis = [reader.read(service, root) for service, root in descriptions.services]
    found = tuple(api for api in apis if api is not None)
    diagnostics = (*descriptions.diagnostics, *reader.diagnostics)
    if found:
        return Contents(found, diagnostics=diagnostics)
    unread = (replace(one, severity=Severity.ERROR) for one in descriptions.diagnostics if _is_warning(one))
    raise InvalidInput([*unread, _no_service(descriptions), *reader.diagnostics])


def _is_warning(one: Diagnostic) -> bool:
    return one.severity is Severity.WARNING


def _no_service(descriptions: Descriptions) -> Diagnostic:
    root = descriptions.roots[0]
    if descriptions.services:
        message = "no service of the WSDL has a port for SOAP or HTTP"
        return Diagnostic("nothing-found", message, "Import the WSDL of a service over HTTP", root.place())
    return Diagnostic(
        "nothing-found",
        "the WSDL has no service: it describes messages only",
        "Import the WSDL that has the service; it imports this one",
        root.place(),
    )


def _check_counts(descriptions: Descriptions, source: Source) -> None:
    services = len(descriptions.services)
    ports = sum(len(service.element) for service, _ in descriptions.services)
    for count, limit, what in ((services, MAX_SERVICES, "services"), (ports, MAX_PORTS, "ports")):
        if count > limit:
            message = f"the WSDL has more than {limit:,} {what}"
            place = Place(file=source.name)
            raise InvalidInput(
                [Diagnostic("wsdl-size", message, "Split it into several documents", place, f"{count:,}")]
            )


WSDL: Final = Kind(
    "wsdl",
    "WSDL description",
    "Each service becomes an API with its address, and a policy for SOAP requests that names no origins yet.",
    is_wsdl,
    read_wsdl,
)
