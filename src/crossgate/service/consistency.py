"""What must hold between a catalogue's objects, checked for what a change touches and no more.

Places are paths into a document whose APIs and applications are found by key:
``$.apis['petstore/1.0'].endpoints[0]``.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.catalogue.claims import Conflict
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.objects import Difference, Kind, Settings
from crossgate.service.snapshot import Snapshot

_NAMED = 5
"""How many of the applications that use an API are named when it cannot be removed."""


def find_faults(base: Snapshot, catalogue: Catalogue, difference: Difference) -> list[Diagnostic]:
    """Everything that contradicts itself in ``catalogue``, which differs from the consistent base by that."""
    changed = [change.key for change in difference if change.kind is Kind.API]
    _, conflicts = base.claims.advance(base.catalogue.apis, catalogue.apis, changed)
    return [
        *(_endpoint_conflict(conflict, catalogue.apis[conflict.api]) for conflict in conflicts),
        *_find_unknown_apis(difference, catalogue),
        *_find_still_associated(difference, catalogue),
        *_find_named_files(difference),
    ]


def _endpoint_conflict(conflict: Conflict, api: Api) -> Diagnostic:
    position = api.endpoints.index(conflict.endpoint)
    return conflict.diagnostic(Place(("apis", conflict.api, "endpoints", position)))


def _find_unknown_apis(difference: Difference, catalogue: Catalogue) -> Iterator[Diagnostic]:
    for change in difference:
        if not isinstance(change.after, Application):
            continue
        for position, key in enumerate(change.after.apis):
            if key not in catalogue.apis:
                yield Diagnostic(
                    code="unknown-api",
                    message="there is no such API",
                    found=key,
                    remedy="Create the API first, or leave it out; it is written name/version",
                    place=Place(("applications", change.key, "apis", position)),
                )


def _find_still_associated(difference: Difference, catalogue: Catalogue) -> Iterator[Diagnostic]:
    removed = {change.key for change in difference if isinstance(change.before, Api) and change.after is None}
    if not removed:
        return
    judged = {change.key for change in difference if change.kind is Kind.APPLICATION}
    users: dict[str, list[str]] = {}
    for name, application in catalogue.applications.items():
        if name not in judged:
            for key in removed.intersection(application.apis):
                users.setdefault(key, []).append(name)
    for key, names in sorted(users.items()):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield Diagnostic(
            code="api-in-use",
            message="applications are associated with the API",
            found=", ".join(sorted(names)[:_NAMED]) + more,
            remedy="Take the API out of the applications first",
            place=Place(("apis", key)),
        )


def _find_named_files(difference: Difference) -> Iterator[Diagnostic]:
    """A stored setting means the same on every control plane and for ever; a file's content does not."""
    for change in difference:
        written = change.after.written if isinstance(change.after, Settings) else {}
        for name, value in written.items():
            if isinstance(value, str) and value.startswith("file:"):
                yield Diagnostic(
                    code="setting-names-file",
                    message="a setting that is stored cannot refer to a file",
                    found=value,
                    remedy="List the values themselves",
                    place=Place(("settings", name)),
                )
