"""Associations of applications with APIs, several at once: what a matrix of both changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.service.changes import Associate, Change, Dissociate


@dataclass(frozen=True, slots=True)
class Registration:
    """One application with one API."""

    application: str
    api: str
    """Key of the API."""


def registration_changes(
    visible: Catalogue, register: Sequence[Registration], remove: Sequence[Registration]
) -> list[Change]:
    """The changes that register and remove; what is so already changes nothing.

    ``visible`` is what the caller can read of the catalogue.

    Raises:
        InvalidInput: with every unknown name, and every pair that is in both lists.

    """
    errors = [*_errors(visible, "register", register), *_errors(visible, "remove", remove)]
    both = set(register)
    errors += [
        _error(
            "registration-contradictory", "registered and removed at once", "Keep one of them", place, found
        )
        for index, one in enumerate(remove)
        if one in both
        for place, found in [(("remove", index), f"{one.application} with {one.api}")]
    ]
    if errors:
        raise InvalidInput(errors)
    added = [Associate(one.application, one.api) for one in register]
    removed = [
        Dissociate(one.application, one.api)
        for one in dict.fromkeys(remove)
        if one.api in visible.applications[one.application].apis
    ]
    return [*added, *removed]


def _errors(visible: Catalogue, name: str, listed: Sequence[Registration]) -> Iterator[Diagnostic]:
    for index, one in enumerate(listed):
        if one.application not in visible.applications:
            place = (name, index, "application")
            yield _error(
                "application-unknown", "application not found", _LIST_APPLICATIONS, place, one.application
            )
        if one.api not in visible.apis:
            place = (name, index, "api")
            yield _error("api-unknown", "API not found", _LIST_APIS, place, one.api)


_LIST_APPLICATIONS = "List applications with GET /v1/applications"
_LIST_APIS = "Write name/version, as GET /v1/apis lists it"


def _error(code: str, message: str, remedy: str, place: tuple[str | int, ...], found: str) -> Diagnostic:
    return Diagnostic(code, message, remedy, Place(place), found=found[:200])
