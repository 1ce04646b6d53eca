"""The document that a verb works on: a catalogue, or the end of the verb with everything that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossgate.diagnostics import InvalidInput

if TYPE_CHECKING:
    from crossgate.catalogue.model import Catalogue


def load_catalogue(file: Path) -> Catalogue:
    """The catalogue in the file.

    Raises:
        InvalidInput: with every error in it; :func:`~crossgate.cli.main.main` prints them and exits with 2.

    """
    from crossgate.catalogue.document import load_document

    reading = load_document(file)
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return reading.catalogue
