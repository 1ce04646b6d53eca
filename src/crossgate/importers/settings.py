"""The server-level settings, built from what documents say: invalid words are left out with a warning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from crossgate.catalogue.reader import refuse_files
from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.found import Found
from crossgate.importers.noted import Node, Noted
from crossgate.importers.policy import ORIGIN_OPTION
from crossgate.importers.report import Report
from crossgate.importers.result import ImportOptions
from crossgate.policy.names import ANY
from crossgate.policy.server_cors import NAMES, PREFIX, read_configured_policy

_LISTS: Final = frozenset(
    PREFIX + name for name in ("allowedOrigins", "supportedMethods", "supportedHeaders", "exposedHeaders")
)
_ORIGINS: Final = PREFIX + "allowedOrigins"
_SOME_ORIGIN: Final = "https://example.com"
"""So that settings that need one are valid alone."""
ENABLED: Final = PREFIX + "enabled"
_CREDENTIALS: Final = PREFIX + "supportsCredentials"


def build_settings(found: Mapping[str, Found[object]], options: ImportOptions, report: Report) -> Node:
    """The settings as raw values that are valid together; those with several words as lists."""
    settings: dict[str, Node] = {}
    credentials = _is_true(found.get(_CREDENTIALS))
    added: list[Found[object]] = []
    if options.origins and _is_true(found.get(ENABLED)):
        added.append(Found(list(options.origins), ORIGIN_OPTION, "--origin"))
    for name, one in found.items():
        if name.removeprefix(PREFIX) not in NAMES or not name.startswith(PREFIX):
            report.warning(
                "unknown-setting",
                "the setting is unknown, and left out",
                f"Use one of {', '.join(PREFIX + known for known in NAMES)}",
                one.place,
                name,
            )
        elif name in _LISTS:
            more = added if name == _ORIGINS else []
            settings[name] = _build_words(name, [one, *more], report, credentials=credentials)
        elif (error := _find_error({_ORIGINS: _SOME_ORIGIN, name: one.value})) is None:
            settings[name] = Noted(one.value, one.reason, one.place)
        else:
            report.left_out("the settings", error, one.place)
    if added and _ORIGINS not in found:
        settings[_ORIGINS] = _build_words(_ORIGINS, added, report, credentials=credentials)
    return settings


def find_unusable_settings(settings: object, enabled: Place | None) -> Diagnostic | None:
    """The error if enabled settings allow no origin, which the gateway refuses.

    ``enabled`` is the place of what enables them.
    """
    if not isinstance(settings, Mapping):
        return None
    error = _find_error(settings)
    if error is None:
        return None
    return Diagnostic(
        "settings-no-origin",
        "server-level CORS is enabled, but no origin in the document can be allowed",
        "Add --origin ORIGIN, or disable the settings in the document",
        enabled or error.place,
    )


def _build_words(
    name: str, found: Iterable[Found[object]], report: Report, *, credentials: bool
) -> list[Noted]:
    entries: dict[object, Noted] = {}
    for one in found:
        for word in _words(one.value):
            star = credentials and word == ANY
            error = _find_error({name: [word], **({_CREDENTIALS: True} if star else {})})
            if error is None:
                place = None if one.place == ORIGIN_OPTION else one.place
                entries.setdefault(word, Noted(word, one.reason, place))
            else:
                report.left_out(name, error, one.place)
    return list(entries.values())


def _words(value: object) -> list[object]:
    if isinstance(value, str):
        return [word for word in re.split(r"[,\s]+", value) if word]
    return [word for word in value if word != ""] if isinstance(value, list | tuple) else [value]


def _is_true(found: Found[object] | None) -> bool:
    return found is not None and found.value in (True, "true")


def _find_error(settings: Mapping[str, object]) -> Diagnostic | None:
    """The first error in the settings; a file that they name is one."""
    return next(iter(read_configured_policy(settings, refuse_files)[2]), None)
