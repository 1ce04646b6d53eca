"""A catalogue, a portion of its APIs at a time: Envoy builds one while the next one is compiled.

Endpoints outside of the roots share a scope, which would be compiled with each portion: they come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Api, Catalogue
from crossgate.compiler.naming import is_elsewhere
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import InvalidChange
from crossgate.service.loading import readable
from crossgate.service.objects import CatalogueObject, ObjectKey, with_objects
from crossgate.service.ports import RecordedObject

PORTION: Final = 250
"""APIs that are compiled together: some 0.05 s of work."""


def portions(catalogue: Catalogue) -> Iterator[Catalogue]:
    """The catalogue with ever more of its APIs; the last one is the whole."""
    first = [key for key, api in catalogue.apis.items() if not _lies_elsewhere(api)]
    for end in range(PORTION, len(first), PORTION):
        yield replace(catalogue, apis={key: catalogue.apis[key] for key in first[:end]})
    yield catalogue


def growing(others: Iterable[RecordedObject], apis: Iterable[RecordedObject]) -> Iterator[Catalogue]:
    """The catalogue of these objects, as its APIs are read; the last one is the whole.

    Raises:
        InvalidChange: at the end, if objects cannot be read; with every error in all of them.

    """
    diagnostics: list[Diagnostic] = []
    catalogue = with_objects(Catalogue(), readable(others, diagnostics))
    last: dict[ObjectKey, CatalogueObject | None] = {}
    remaining = iter(apis)
    while portion := list(islice(remaining, PORTION)):
        first: dict[ObjectKey, CatalogueObject | None] = {}
        for key, one in readable(portion, diagnostics).items():
            (last if isinstance(one, Api) and _lies_elsewhere(one) else first)[key] = one
        catalogue = with_objects(catalogue, first)
        if not diagnostics:
            yield catalogue
    if diagnostics:
        raise InvalidChange(diagnostics)
    yield with_objects(catalogue, last)


def _lies_elsewhere(api: Api) -> bool:
    return any(map(is_elsewhere, api.endpoints))
