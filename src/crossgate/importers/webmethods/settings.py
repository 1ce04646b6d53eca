"""Server-level CORS: ``watt.server.cors.*`` in properties files, server.cnf, or answers of the REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Contents, Found, FoundOrigin
from crossgate.importers.kind import Kind
from crossgate.importers.properties import read_properties
from crossgate.importers.report import Report
from crossgate.importers.source import Source
from crossgate.importers.webmethods.origins import translate_expression
from crossgate.policy.server_cors import PREFIX

_SWITCHES: Final = (f"{PREFIX}enabled", f"{PREFIX}supportsCredentials")
_ORIGINS: Final = f"{PREFIX}allowedOrigins"
_LINE: Final = re.compile(rb"^watt\.[A-Za-z]", re.MULTILINE)
_PARTS: Final = ("allSettings", "preferredSettings")
"""Of the answer of ``GET /configurations/settings``; what an operator set comes last, and counts."""
_KEYS: Final = ("wattKeys", "extendedKeys")
_EXPRESSION: Final = "r:"
_FILE: Final = "file:"


def recognises_settings(source: Source) -> bool:
    """Whether a line of it sets a property of the server, or it is JSON with such properties."""
    if source.data.lstrip()[:1] in (b"{", b"["):
        return any(_has_settings(Cursor.root(tree)) for tree in source.parsed)
    return not source.data.startswith(b"PK") and _LINE.search(source.data) is not None


def read_settings(source: Source) -> Contents:
    """The settings under ``watt.server.cors.``; other properties of the server are not looked at."""
    report = Report()
    found: dict[str, Found[object]] = {}
    for name, value, place in _entries(source):
        if not name.startswith(PREFIX):
            continue
        if name in found and found[name].value != value:
            report.warning(
                "setting-repeated",
                "the setting has several values: the last one counts",
                "Remove the others",
                place,
                f"{name}={value}",
            )
        found[name] = Found(value, place, "server-level setting")
    if not found:
        raise InvalidInput(
            [
                Diagnostic(
                    "nothing-found",
                    f"the document has no setting whose name begins with {PREFIX}",
                    "Import the file in which server-level CORS is set up: server.cnf has only what differs "
                    "from the defaults",
                    Place(file=source.name),
                )
            ]
        )
    _leave_out_file(found, report)
    settings = {name: _read(name, one, report) for name, one in found.items()}
    enabled = settings.get(f"{PREFIX}enabled")
    if enabled is not None and enabled.value in (True, "true"):
        report.info(
            "server-cors-enabled",
            "server-level CORS is enabled: no API's policy is enforced, in the source and in Crossgate",
            "Set it to false where the policies of APIs shall be in force",
            enabled.place,
        )
    return Contents(settings=settings, diagnostics=tuple(report.diagnostics))


def _leave_out_file(found: dict[str, Found[object]], report: Report) -> None:
    origins = found.get(_ORIGINS)
    if origins is not None and isinstance(origins.value, str) and origins.value.strip().startswith(_FILE):
        del found[_ORIGINS]
        report.warning(
            "setting-file",
            "the origins are in a file of the source's server, and left out",
            "Name them with --origin, or copy the file below the folder of the document and write "
            f"{_ORIGINS}: file:NAME",
            origins.place,
            origins.value,
        )


def _entries(source: Source) -> Iterator[tuple[str, object, Place]]:
    if source.data.lstrip()[:1] in (b"{", b"["):
        for tree in source.trees:
            for entry in _maps(Cursor.root(tree)):
                for name, value in entry.items():
                    yield name, value.value, value.place
        return
    for one in read_properties(source):
        yield one.key, one.value, one.place


def _maps(root: Cursor) -> Iterator[Cursor]:
    yield root
    for outer in (root, *(root[part] for part in _PARTS)):
        for key in _KEYS:
            yield outer[key]


def _has_settings(root: Cursor) -> bool:
    return any(name.startswith("watt.") for entry in _maps(root) for name, _ in entry.items())


def _read(name: str, found: Found[object], report: Report) -> Found[object]:
    if not isinstance(found.value, str):
        return found
    text = found.value.strip()
    if name in _SWITCHES and text.lower() in ("true", "false"):
        return replace(found, value=text.lower())
    if name == _ORIGINS and _EXPRESSION in text:
        return replace(found, value=_read_origins(text, found.place, report))
    return replace(found, value=text)


def _read_origins(text: str, place: Place, report: Report) -> object:
    """The setting as it is if RE2 reads its expressions as Java does, else its words as a list."""
    words: list[str] = []
    for word in re.split(r"[,\s]+", text):
        if not word.startswith(_EXPRESSION):
            words += [word] if word else []
            continue
        translated = translate_expression(word.removeprefix(_EXPRESSION))
        if isinstance(translated, Diagnostic):
            report.diagnostics.append(replace(translated, place=place))
        else:
            words.append(_as_word(translated))
    return text if words == [word for word in re.split(r"[,\s]+", text) if word] else words


def _as_word(origin: FoundOrigin) -> str:
    return origin if isinstance(origin, str) else _EXPRESSION + origin["regex"]


WEBMETHODS_SETTINGS: Final = Kind(
    "webmethods-settings",
    "webMethods server settings",
    "Server-level CORS, from watt.server.cors.* in a properties file, server.cnf, or an answer "
    "of the REST API.",
    recognises_settings,
    read_settings,
)
