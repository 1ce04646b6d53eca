"""Applications: their JavaScript origins, and the APIs with which they are associated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundApplication
from crossgate.importers.report import Report
from crossgate.importers.webmethods.assets import ExportAssets

_NOBODY: Final = "EmptyRegisteredApplication"
"""The application of an API's association if it has none."""
_ASSOCIATED: Final = ("consumingAPIs", "apiAssociations", "apiIds", "apiIDs", "apis")
"""In an application; ``apiIds`` is the name in an association."""
_APPLICATIONS: Final = ("applications", "consumingApplications", "applicationIds")
"""In an API."""


def read_applications(assets: ExportAssets, report: Report) -> tuple[FoundApplication, ...]:
    """The applications in the order of the document."""
    associated = _find_associations(assets)
    found = []
    for application in assets.applications.values():
        name = application["name"].text
        if name is None:
            report.diagnostics.append(application["name"].unexpected("the name of an application"))
            continue
        suspended = application["isSuspended"]
        known = {application.first("id", "applicationID").text, application["applicationID"].text}
        apis = [*_own_apis(application)]
        for one in known - {None}:
            apis += associated.get(str(one), ())
        found.append(
            FoundApplication(
                Found(name, application["name"].place, "application"),
                tuple(_read_origins(application["jsOrigins"], report)),
                tuple(apis),
                Found(value=True, place=suspended.place, reason="suspended")
                if suspended.value is True or suspended.value == "true"
                else None,
            )
        )
    _report_unknown(assets, associated, report)
    return tuple(found)


def _find_associations(assets: ExportAssets) -> dict[str, list[Found[str]]]:
    """By application, the APIs that associations and APIs name for it."""
    associated: dict[str, list[Found[str]]] = {}
    for association in assets.associations:
        application = association["applicationId"].text
        if application is not None and application != _NOBODY:
            associated.setdefault(application, []).extend(_own_apis(association))
    for identity, api in assets.apis.items():
        for key in _APPLICATIONS:
            for entry in api[key].entries():
                application = _reference(entry, "id", "applicationID", "applicationId")
                if application is not None and application != _NOBODY:
                    found = Found(identity, entry.place, "association of the API")
                    associated.setdefault(application, []).append(found)
    return associated


def _own_apis(asset: Cursor) -> Iterator[Found[str]]:
    for key in _ASSOCIATED:
        for entry in asset[key].entries():
            api = _reference(entry, "id", "apiId", "apiID")
            if api is not None:
                yield Found(api, entry.place, "associated API")


def _reference(entry: Cursor, *keys: str) -> str | None:
    return entry.first(*keys).text if isinstance(entry.value, dict) else entry.text


def _read_origins(origins: Cursor, report: Report) -> Iterator[Found[str]]:
    inner = origins["jsOrigins"]
    if inner.exists:
        origins = inner
    if isinstance(origins.value, str) and origins.value:
        yield Found(origins.value, origins.place, "JavaScript origin")
    elif origins.exists and not isinstance(origins.value, list) and origins.value != "":
        report.diagnostics.append(origins.unexpected("a list of origins"))
    for entry in origins.entries():
        if isinstance(entry.value, str):
            yield Found(entry.value, entry.place, "JavaScript origin")
        else:
            report.diagnostics.append(entry.unexpected("a string"))


def _report_unknown(assets: ExportAssets, associated: dict[str, list[Found[str]]], report: Report) -> None:
    known = set(assets.applications)
    known |= {text for one in assets.applications.values() if (text := one["applicationID"].text)}
    for application, apis in associated.items():
        if application not in known and apis:
            report.warning(
                "application-missing",
                "an API is associated with an application that is not in the document: its JavaScript "
                "origins are unknown",
                "Export the application with the API",
                apis[0].place,
                application,
            )
