"""What the linter says of a change: of the objects that it changes, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Diagnostic, Severity, Step
from crossgate.lint.check import check_api, check_application
from crossgate.service.objects import CatalogueObject, Difference
from crossgate.service.refusal import InvalidChange


def find_unsafe(after: Catalogue, difference: Difference) -> list[Diagnostic]:
    """The findings about what the change leaves behind; places as in a document, by key."""
    origins = _origins(after, {one.key for one in difference if isinstance(one.after, Api)})
    return [
        found
        for one in difference
        if one.after is not None
        for found in _findings(one.after, origins.get(one.key, frozenset()))
    ]


def refuse_unsafe(before: Catalogue, after: Catalogue, difference: Difference) -> None:
    """Refuse what the linter calls an error, unless it was so before, or the API accepts it with a reason.

    What was there before may stay: an emergency change must not wait for somebody else's cleaning up.

    Raises:
        InvalidChange: with every such error.

    """
    errors = [one for one in find_unsafe(after, difference) if one.severity is Severity.ERROR]
    if not errors:
        return
    origins = _origins(before, {one.key for one in difference if isinstance(one.before, Api)})
    known = {
        (found.place.path[:2], found.code, found.found)
        for one in difference
        if one.before is not None
        for found in _findings(one.before, origins.get(one.key, frozenset()))
    }
    new = [one for one in errors if (one.place.path[:2], one.code, one.found) not in known]
    if new:
        raise InvalidChange(new)


def _findings(found: CatalogueObject, origins: frozenset[str]) -> Iterator[Diagnostic]:
    match found:
        case Api():
            path: tuple[Step, ...] = ("apis", found.key)
            findings = check_api(found, origins)
        case Application():
            path = ("applications", found.name)
            findings = check_application(found)
        case _:
            return
    for one in findings:
        yield one.diagnostic.within(*path)


def _origins(catalogue: Catalogue, apis: set[str]) -> Mapping[str, frozenset[str]]:
    """The applications' origins of these APIs."""
    found: dict[str, set[str]] = {key: set() for key in apis}
    for application in catalogue.applications.values() if apis else ():
        # Asked of every application, while the store is held: those left out cost no set of their own.
        if not apis.isdisjoint(application.apis) and not application.suspended:
            for key in apis.intersection(application.apis):
                found[key].update(application.javascript_origins)
    return {key: frozenset(origins) for key, origins in found.items()}
