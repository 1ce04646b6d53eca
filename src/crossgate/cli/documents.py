"""A document on this machine as a gateway elsewhere is sent it."""

from __future__ import annotations

from pathlib import Path

from crossgate.catalogue.document import Reading, load_document
from crossgate.catalogue.serialise import api_to_dict, application_to_dict, gateway_to_dict
from crossgate.diagnostics import InvalidInput


def load_to_send(file: Path) -> dict[str, object]:
    """The document in the file, relative paths made absolute; sections that it leaves out are left out.

    Raises:
        InvalidInput: with every error in it, at its line and column.

    """
    return _sections(load_document(file))


def _sections(reading: Reading) -> dict[str, object]:
    catalogue = reading.catalogue
    if catalogue is None:
        raise InvalidInput(reading.diagnostics)
    sections: dict[str, object] = {
        "apis": [api_to_dict(api) for api in catalogue.apis.values()],
        "applications": [application_to_dict(one) for one in catalogue.applications.values()],
    }
    if reading.declares("gateway"):
        sections["gateway"] = gateway_to_dict(catalogue.gateway)
    if reading.declares("settings"):
        sections["settings"] = dict(catalogue.settings)
    return sections
