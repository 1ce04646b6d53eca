"""Objects of a catalogue, built from what a reader found in a document.

Whatever a reader found, the result is a document that the catalogue's reader accepts, or an error says why
there is none. Nothing is laxer than what the documents say, and the same input gives the same document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from crossgate.catalogue.model import default_endpoint
from crossgate.catalogue.names import parse_name
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.endpoints import choose_endpoints
from crossgate.importers.found import Contents, Found, FoundApi, FoundApplication
from crossgate.importers.names import UniqueNames, differs_in_words, make_api_name, make_application_name
from crossgate.importers.natives import choose_natives
from crossgate.importers.noted import Node, Noted, merge_equal, noted, plain_values, taken_values
from crossgate.importers.policy import ORIGIN_OPTION, build_cors
from crossgate.importers.report import Report, printable_diagnostic
from crossgate.importers.result import NO_OPTIONS, Imported, ImportOptions
from crossgate.importers.settings import ENABLED, build_settings, find_unusable_settings
from crossgate.policy import parse_exact_origin, parse_origin_pattern

DEFAULT_VERSION = "1"
"""Of an API whose document names none."""


def build(
    contents: Contents,
    options: ImportOptions = NO_OPTIONS,
    *,
    kinds: Sequence[str] = (),
    sources: Sequence[str] = (),
) -> Imported:
    """The objects for the contents of a document, or of several as :func:`join_contents` joins them."""
    report = Report(contents.diagnostics)
    _check_options(contents, options, report)
    names = _name_apis(contents.apis, options, report)
    keys = [f"{name.value}/{version.value}" for name, version in names]
    natives = choose_natives(contents.apis, keys, options, report)
    defaults = [
        default_endpoint(api.type.value, str(name.value), str(version.value))
        for api, (name, version) in zip(contents.apis, names, strict=True)
    ]
    endpoints = choose_endpoints(contents.apis, keys, defaults, report)
    apis: list[Node] = []
    for api, (name, version), native, served in zip(contents.apis, names, natives, endpoints, strict=True):
        entry: dict[str, Node] = {
            "name": name,
            "version": version,
            "type": noted(api.type, api.type.value.value),
        }
        if native is not None:
            entry["native"] = native
        if served:
            entry["endpoints"] = served
        if api.cors is not None:
            entry["cors"] = build_cors(api.cors, options, report)
        apis.append(entry)
    key_of = dict(zip((api.id for api in contents.apis), keys, strict=True))
    sections: dict[str, Node] = {
        "settings": build_settings(contents.settings, options, report),
        "apis": apis,
        "applications": _build_applications(contents.applications, key_of, report),
    }
    document = {name: section for name, section in sections.items() if section}
    plain = cast("dict[str, object]", plain_values(document))
    enabled = contents.settings.get(ENABLED)
    unusable = find_unusable_settings(plain.get("settings"), None if enabled is None else enabled.place)
    if unusable is not None:
        report.diagnostics.append(unusable)
    if not document:
        report.error(
            "nothing-found",
            "nothing to import was found",
            "Check that it is the right file",
            Place(file=next(iter(sources), None)),
        )
    return Imported(
        tuple(kinds),
        plain,
        tuple(taken_values(document)),
        tuple(map(printable_diagnostic, report.diagnostics)),
        {key: api.native_cors[0] for key, api in zip(keys, contents.apis, strict=True) if api.native_cors},
        sources=tuple(sources),
    )


def join_contents(several: Sequence[Contents]) -> Contents:
    """The contents of several documents as of one: ids stay those of their own document."""
    if len(several) == 1:
        return several[0]
    settings: dict[str, Found[object]] = {}
    diagnostics: list[Diagnostic] = []
    for one in several:
        diagnostics += one.diagnostics
        for name, value in one.settings.items():
            earlier = settings.setdefault(name, value)
            if earlier.value != value.value:
                diagnostics.append(
                    Diagnostic(
                        "setting-conflict",
                        f"the setting has another value at {earlier.place}",
                        "Import the documents one by one, or correct one of them",
                        value.place,
                        f"{name}: {value.value}",
                    )
                )
    return Contents(
        tuple(
            replace(api, id=_joined_id(number, api.id))
            for number, one in enumerate(several)
            for api in one.apis
        ),
        tuple(
            replace(
                found,
                apis=tuple(replace(api, value=_joined_id(number, api.value)) for api in found.apis),
            )
            for number, one in enumerate(several)
            for found in one.applications
        ),
        settings,
        tuple(diagnostics),
    )


_JOINT = "\0"
"""Between the number of a document and an id in it."""


def _joined_id(number: int, name: str) -> str:
    return f"{number}{_JOINT}{name}"


def _check_options(contents: Contents, options: ImportOptions, report: Report) -> None:
    for origin in options.origins:
        parsed = parse_origin_pattern(origin)
        if isinstance(parsed, Diagnostic):
            report.diagnostics.append(replace(parsed, place=ORIGIN_OPTION))
    for option, value in (("--name", options.name), ("--api-version", options.version)):
        if value is None:
            continue
        parsed_name = parse_name(value)
        if isinstance(parsed_name, Diagnostic):
            report.diagnostics.append(replace(parsed_name, place=Place(file=option)))
        if len(contents.apis) > 1:
            report.error(
                "option-for-one-api",
                f"{option} is for one API, and there are {len(contents.apis)}",
                f"Leave {option} out, and change the document",
                Place(file=option),
            )


def _name_apis(apis: Sequence[FoundApi], options: ImportOptions, report: Report) -> list[tuple[Noted, Noted]]:
    """The name and the version of each API, in pairs that are unique."""
    names: list[tuple[Noted, Noted]] = []
    used: defaultdict[str, UniqueNames] = defaultdict(UniqueNames)
    """Of each version."""
    single = len(apis) == 1
    for api in apis:
        name = _make_name("name", api.name, "api", report)
        version = _make_name("version", api.version, DEFAULT_VERSION, report)
        if single and options.name is not None:
            name = Noted(options.name, "--name", None)
        if single and options.version is not None:
            version = Noted(options.version, "--api-version", None)
        unique = used[str(version.value)].take(str(name.value))
        if unique != name.value:
            report.info(
                "name-in-use",
                f"the API is named {unique}: {name.value}/{version.value} is another API",
                "Rename it in the document if you like",
                api.name.place,
                api.name.value,
            )
            name = replace(name, value=unique)
        names.append((name, version))
    return names


def _make_name(what: str, found: Found[str], default: str, report: Report) -> Noted:
    name = make_api_name(found.value, default)
    if differs_in_words(name, found.value):
        report.info(
            f"{what}-changed",
            f"the {what} is {name}: it has letters, digits and . _ ~ - only",
            f"Change the {what} in the document if you like",
            found.place,
            found.value,
        )
    return noted(found, name)


def _build_applications(
    applications: Sequence[FoundApplication], key_of: dict[str, str], report: Report
) -> list[Node]:
    built: list[Node] = []
    used = UniqueNames()
    for found in applications:
        name = used.take(make_application_name(found.name.value))
        if differs_in_words(name, found.name.value):
            report.info(
                "name-changed",
                f"the application is named {name}",
                "Rename it in the document if you like",
                found.name.place,
                found.name.value,
            )
        entry: dict[str, Node] = {"name": noted(found.name, name)}
        origins = _application_origins(found, report)
        apis = _application_apis(found, key_of, report)
        if origins:
            entry["javascript_origins"] = origins
        if apis:
            entry["apis"] = apis
        if found.suspended is not None and found.suspended.value is True:
            entry["suspended"] = noted(found.suspended)
        built.append(entry)
    return built


def _application_origins(found: FoundApplication, report: Report) -> list[Noted]:
    origins = []
    for one, places in merge_equal(found.origins):
        parsed = parse_exact_origin(one.value)
        if isinstance(parsed, Diagnostic):
            report.left_out("javascript_origins", parsed, one.place)
        else:
            origins.append(Noted(parsed.value, one.reason, one.place, places))
    return origins


def _application_apis(found: FoundApplication, key_of: dict[str, str], report: Report) -> list[Noted]:
    apis = []
    for one, places in merge_equal(found.apis):
        if one.value in key_of:
            apis.append(Noted(key_of[one.value], one.reason, one.place, places))
        else:
            report.warning(
                "api-not-found",
                "the application's API is not in the document, and left out",
                "Add the API to the application's apis if it is in the catalogue",
                one.place,
                one.value.rpartition(_JOINT)[2],
            )
    return apis


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Whether one of them refuses the import."""
    return any(one.severity is Severity.ERROR for one in diagnostics)
