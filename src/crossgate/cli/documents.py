"""Loads the documents that a verb works on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from crossgate.catalogue.document import Reading, load_document, load_documents
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.serialise import (
    api_to_dict,
    application_to_dict,
    gateway_to_dict,
    settings_to_dict,
)
from crossgate.diagnostics import InvalidInput


def load_catalogue(file: Path) -> Catalogue:
    """The catalogue in the document; raises InvalidInput with every error in it."""
    return _valid(load_document(file))


def read_documents(files: Sequence[Path]) -> Reading:
    """The reading of files, directories and standard input (``-``), as one catalogue; never raises."""
    return load_documents(files, sys.stdin.buffer)


def load_for_admin_api(files: Sequence[Path]) -> dict[str, object]:
    """The documents as one request body: relative paths become absolute, omitted sections stay omitted.

    Raises:
        InvalidInput: with every error in them, at its file, line and column.

    """
    reading = read_documents(files)
    catalogue = _valid(reading)
    body: dict[str, object] = {
        "apis": [api_to_dict(api) for api in catalogue.apis.values()],
        "applications": [application_to_dict(one) for one in catalogue.applications.values()],
    }
    if reading.declares("gateway"):
        gateway = gateway_to_dict(catalogue.gateway)
        if not reading.declares("gateway", "listen"):
            del gateway["listen"]
        body["gateway"] = gateway
    if reading.declares("settings"):
        body["settings"] = settings_to_dict(catalogue.settings)
    return body


def _valid(reading: Reading) -> Catalogue:
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return reading.catalogue
