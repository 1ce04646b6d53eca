"""Objects to their written form, JSON-ready: as a document, a row and a response have them."""

from __future__ import annotations

from crossgate.catalogue.model import Api, Application, Gateway
from crossgate.catalogue.written import written_api, written_application, written_gateway
from crossgate.service.objects import CatalogueObject, Settings


def written_form(found: CatalogueObject) -> dict[str, object]:
    """The same object, the same values; what is at its default is left out."""
    match found:
        case Gateway():
            return written_gateway(found)
        case Settings():
            return dict(sorted(found.written.items()))
        case Api():
            return written_api(found)
        case Application():
            return written_application(found)
