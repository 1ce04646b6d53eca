"""A CORS policy action: parameters with template keys, each with values, below ``corsAttributes`` or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.report import Report
from crossgate.importers.webmethods.origins import read_origins
from crossgate.policy.names import ANY, is_forbidden_method

TEMPLATE: Final = "cors"
_DOCUMENTED: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
"""The methods that the reference page and the product's own form offer."""
_MAX_DEPTH: Final = 8
_SECONDS: Final = re.compile(r"[0-9]{1,15}")


def read_cors_action(action: Cursor, report: Report) -> FoundPolicy:
    """The policy of an action whose template key is ``cors``."""
    values = dict(_parameters(action))
    unknown = Cursor(action.tree, action.path)
    return FoundPolicy(
        origins=read_origins(values.get("allowedOrigins", unknown), report),
        methods=tuple(_read_methods(values.get("allowMethods", unknown), report)),
        allow_headers=tuple(_read_headers(values.get("allowHeaders", unknown), report)),
        expose_headers=tuple(
            Found(text, entry.place, "exposed header")
            for entry, text in _strings(values.get("exposeHeaders", unknown), report)
        ),
        credentials=_read_credentials(values.get("allowCredentials", unknown), report),
        max_age=_read_max_age(values.get("maxAge", unknown), report),
    )


def parameter_values(action: Cursor, key: str) -> Cursor:
    """The values of the first parameter with that template key, at any depth; without a value if none."""
    return next((values for name, values in _parameters(action) if name == key), action["parameters"])


def _parameters(node: Cursor, depth: int = 0) -> Iterator[tuple[str, Cursor]]:
    """The template keys of all parameters that have values, and these."""
    if depth > _MAX_DEPTH:
        return
    for parameter in node["parameters"].entries():
        name = parameter["templateKey"].value
        if isinstance(name, str) and parameter["values"].exists:
            yield name, parameter["values"]
        yield from _parameters(parameter, depth + 1)


def _strings(values: Cursor, report: Report) -> Iterator[tuple[Cursor, str]]:
    for entry in values.entries():
        if isinstance(entry.value, str):
            yield entry, entry.value
        else:
            report.diagnostics.append(entry.unexpected("a string"))


def _read_methods(values: Cursor, report: Report) -> Iterator[Found[str]]:
    for entry, method in _strings(values, report):
        if method == "OPTIONS":
            report.warning(
                "method-not-needed",
                "left out of allowed_methods: no OPTIONS request of a script reaches the native service",
                "Set plain_options: forward in the policy if scripts must send OPTIONS",
                entry.place,
                method,
            )
        elif method == ANY or is_forbidden_method(method):
            report.warning(
                "method-unclear",
                "left out of allowed_methods: the source does not document it as a method",
                "Name the methods that scripts send",
                entry.place,
                method,
            )
        elif method != method.upper() and method.upper() in (*_DOCUMENTED, "HEAD"):
            report.warning(
                "method-case",
                f"left out of allowed_methods: browsers send {method.upper()}, and methods have case",
                f"Add {method.upper()} to the allowed methods if it is meant",
                entry.place,
                method,
            )
        else:
            if method not in _DOCUMENTED:
                report.warning(
                    "method-undocumented",
                    f"{method} is not among the methods that the source documents for its policy; it is "
                    "taken over, and allows preflights that request it",
                    "Remove it from the allowed methods unless a script sends it with a header that needs a "
                    "preflight"
                    if method == "HEAD"
                    else "Remove it from the allowed methods unless a script sends it",
                    entry.place,
                    method,
                )
            yield Found(method, entry.place, "allowed method")


def _read_headers(values: Cursor, report: Report) -> Iterator[Found[str]]:
    for entry, header in _strings(values, report):
        if header == ANY:
            report.warning(
                "header-any",
                "left out of allow_headers: the source documents no wildcard, and compares it as a name",
                "Add the headers that scripts send, or * if any may be sent, to the allow headers",
                entry.place,
                header,
            )
        else:
            yield Found(header, entry.place, "allowed header")


def _read_credentials(values: Cursor, report: Report) -> Found[bool] | None:
    entry = values[0] if isinstance(values.value, list) else values
    if not entry.exists or entry.value == "":
        return None
    text = str(entry.value).lower()
    if text in ("true", "false"):
        return Found(text == "true", entry.place, "credentials")
    report.diagnostics.append(entry.unexpected("true or false"))
    return None


def _read_max_age(values: Cursor, report: Report) -> Found[int] | None:
    entry = values[0] if isinstance(values.value, list) else values
    if not entry.exists or entry.value == "":
        return None
    text = entry.text
    if text is not None and _SECONDS.fullmatch(text):
        return Found(int(text), entry.place, "max age of preflights")
    report.diagnostics.append(entry.unexpected("a whole number of seconds"))
    return None
