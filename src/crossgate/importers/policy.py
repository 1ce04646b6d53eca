"""The policy of an API, built from what documents say: invalid values are left out with a warning."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.noted import Node, Noted, merge_equal, noted
from crossgate.importers.report import Report
from crossgate.importers.result import ImportOptions
from crossgate.policy import read_policy
from crossgate.policy.names import ANY

ORIGIN_OPTION: Final = Place(file="--origin")
"""The place of origins that no document names."""
_STAR_REMEDY: Final = (
    "Name the origins that may send credentials; or add * to allowed_origins, and remove allow_credentials"
)


def build_cors(found: FoundPolicy, options: ImportOptions, report: Report) -> dict[str, Node]:
    """The policy as raw values that are valid together; ``allowed_origins`` is always among them."""
    credentials = found.credentials is not None and found.credentials.value is True
    cors: dict[str, Node] = {}
    origins = (*found.origins, *(Found(one, ORIGIN_OPTION, "--origin") for one in options.origins))
    lists: tuple[tuple[str, Iterable[Found[Any]], Callable[[Any], Hashable]], ...] = (
        ("allowed_origins", origins, repr),
        ("allowed_methods", found.methods, str),
        ("allow_headers", found.allow_headers, str.lower),
        ("expose_headers", found.expose_headers, str.lower),
    )
    for name, values, key in lists:
        entries = _build_list(name, values, key, report, credentials=credentials)
        if entries or name == "allowed_origins":
            cors[name] = entries
    if found.credentials is not None and credentials:
        cors["allow_credentials"] = noted(found.credentials)
    if found.max_age is not None:
        error = _find_error("max_age", found.max_age.value)
        if error is None:
            cors["max_age"] = noted(found.max_age)
        else:
            report.left_out("the policy", error, found.max_age.place)
    if options.observe:
        cors["mode"] = Noted("observe", "--observe", None)
    return cors


def _build_list(
    name: str,
    found: Iterable[Found[Any]],
    key: Callable[[Any], Hashable],
    report: Report,
    *,
    credentials: bool,
) -> list[Noted]:
    entries = []
    for one, places in merge_equal(found, key):
        value = dict(one.value) if isinstance(one.value, Mapping) else one.value
        error = _find_error(name, [value], credentials=credentials and value == ANY)
        if error is None:
            place = None if one.place == ORIGIN_OPTION else one.place
            entries.append(Noted(value, one.reason, place, places))
        elif error.code == "origin-star-credentials":
            report.left_out(name, replace(error, remedy=_STAR_REMEDY), one.place)
        elif one.place != ORIGIN_OPTION:
            report.left_out(name, error, one.place)
    return entries


def _find_error(name: str, value: object, *, credentials: bool = False) -> Diagnostic | None:
    """The first error of a property with that value."""
    return next(iter(read_policy({name: value, "allow_credentials": credentials})[1]), None)
