"""The native service of each API: the first usable one of its document, or the one that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.found import FoundApi
from crossgate.importers.noted import Noted, merge_equal
from crossgate.importers.report import Report
from crossgate.importers.result import ImportOptions

_OPTION = Place(file="--native")


def split_native(value: str) -> tuple[str, str]:
    """The API and the URL of ``[API=]URL``; the API is empty if none is named.

    A URL may have the sign in its path; the name of an API has no colon.
    """
    api, separator, url = value.partition("=")
    return (api, url) if separator and ":" not in api else ("", value)


def choose_natives(
    apis: Sequence[FoundApi], keys: Sequence[str], options: ImportOptions, report: Report
) -> list[Noted | None]:
    """For each API its native service; None if there is none, which is an error of the report."""
    given = _given_natives(keys, options, report)
    chosen = []
    for api, key in zip(apis, keys, strict=True):
        option = next((one for one in (key, _name(key), "") if one in options.natives), None)
        chosen.append(given.get(option) if option is not None else _first_usable(api, key, options, report))
    return chosen


def _name(key: str) -> str:
    return key.partition("/")[0]


def _given_natives(keys: Sequence[str], options: ImportOptions, report: Report) -> dict[str, Noted]:
    known = {"", *keys, *map(_name, keys)}
    given = {}
    for name, url in options.natives.items():
        parsed = parse_native_url(url)
        if isinstance(parsed, Diagnostic):
            report.diagnostics.append(replace(parsed, place=_OPTION))
        else:
            given[name] = Noted(str(parsed), "--native", None)
        if name not in known:
            report.error(
                "native-unknown",
                "no API of the document has this name",
                f"Name one of {_shown(keys)}" if keys else "Leave --native out: the document has no API",
                _OPTION,
                name,
            )
    return given


_MOST_SHOWN = 10


def _shown(keys: Sequence[str]) -> str:
    more = len(keys) - _MOST_SHOWN
    return ", ".join(keys[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _first_usable(api: FoundApi, key: str, options: ImportOptions, report: Report) -> Noted | None:
    unusable: list[str] = []
    usable = []
    for found, places in merge_equal(api.natives):
        parsed = parse_native_url(found.value)
        if isinstance(parsed, Diagnostic):
            unusable.append(f"{found.value} ({parsed.message})")
        else:
            usable.append(Noted(str(parsed), found.reason, found.place, places))
    if not usable and key in options.existing_natives:
        return Noted(options.existing_natives[key], "as the API has it", None)
    if not usable:
        report.error(
            "native-missing",
            f"no usable native service of the API {key} was found",
            f"Name it: --native {_name(key)}=https://HOST/PATH",
            api.natives[0].place if api.natives else api.name.place,
            "; ".join(unusable[:_MOST_SHOWN]) or None,
        )
        return None
    others = [str(one.value) for one in usable[1:] if one.value != usable[0].value]
    if others or unusable:
        report.info(
            "native-chosen",
            f"the native service of the API {key} is {usable[0].value}: the first usable one",
            f"Name another one with --native {_name(key)}=URL if you like",
            usable[0].place or api.name.place,
            f"not used: {'; '.join([*others, *unusable][:_MOST_SHOWN])}",
        )
    return usable[0]
