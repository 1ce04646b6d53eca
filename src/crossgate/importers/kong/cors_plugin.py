"""The configuration of Kong's ``cors`` plugin as a policy.

What the plugin does with each setting is known from its source, `kong/plugins/cors/handler.lua` and
`schema.lua` of Kong 3 (https://github.com/Kong/kong). It decides by the values of one header of the response,
and leaves the refusal to browsers; so an origin counts as allowed here if a browser would accept the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.importers.methods import UNNEEDED_METHODS, unneeded
from crossgate.importers.regex_translation import Dialect, Extent, translate_regex
from crossgate.policy.names import ANY

DEFAULT_METHODS: Final = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""``METHODS`` in `schema.lua`."""
_MAYBE_REGEX: Final = re.compile(r"[^A-Za-z0-9.:/-]")
"""An entry with such a character is a regular expression."""
_URL: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/:]*)(?::(?P<port>[0-9]*))?.*")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


@dataclass(slots=True)
class ReadPlugin:
    """A policy, and what the plugin does that it does not express."""

    policy: FoundPolicy
    diagnostics: list[Diagnostic] = field(default_factory=list)
    native_cors: list[Found[str]] = field(default_factory=list)
    """What leaves CORS to the native service."""


def read_cors_plugin(plugin: Cursor, config: Cursor) -> ReadPlugin:
    """The policy of a plugin with that configuration; all settings have defaults."""
    read = ReadPlugin(FoundPolicy())
    credentials = config["credentials"]
    read.policy = FoundPolicy(
        origins=tuple(_origins(plugin, config, read)),
        methods=tuple(_methods(plugin, config, read)),
        allow_headers=tuple(_allow_headers(plugin, config, read)),
        expose_headers=tuple(_expose_headers(config, read)),
        credentials=_found_credentials(credentials, read),
        max_age=_max_age(config["max_age"], read),
    )
    if config["preflight_continue"].value is True:
        read.native_cors.append(_found("preflight", config["preflight_continue"], "preflight_continue"))
        read.diagnostics.append(
            config["preflight_continue"].diagnose(
                "preflight-forwarded",
                "Kong forwards preflights to the service; Crossgate answers them itself, by this policy",
                "Check that the policy allows what the service allows, or remove it for pass-through",
            )
        )
    if config["private_network"].value is True:
        read.diagnostics.append(
            config["private_network"].diagnose(
                "private-network",
                "Access-Control-Allow-Private-Network is not sent by Crossgate",
                "Serve the API over https to pages of public networks",
            )
        )
    return read


def _found(value: str, node: Cursor, reason: str) -> Found[str]:
    return Found(value, node.place, reason)


def _strings(node: Cursor, read: ReadPlugin) -> list[Cursor]:
    """The entries of a list of strings; what is none is reported."""
    if not node.exists:
        return []
    if isinstance(node.value, str):
        return [node]
    if not isinstance(node.value, list):
        read.diagnostics.append(node.unexpected("a list of strings"))
        return []
    found = []
    for entry in node.entries():
        if isinstance(entry.value, str):
            found.append(entry)
        else:
            read.diagnostics.append(entry.unexpected("a string"))
    return found


def _origins(plugin: Cursor, config: Cursor, read: ReadPlugin) -> Iterator[Found[FoundOrigin]]:
    listed = config["origins"]
    entries = _strings(listed, read)
    if not listed.exists or listed.value == []:
        yield Found(ANY, plugin.place, "Kong's default for origins")
        return
    if any(entry.value == ANY for entry in entries):
        star = next(entry for entry in entries if entry.value == ANY)
        if len(entries) > 1:
            read.diagnostics.append(
                star.diagnose(
                    "star-among-origins",
                    "with * among them, Kong allows every origin; the other entries have no effect",
                    "Remove the entry *, or the others",
                    Severity.INFO,
                )
            )
        yield Found(ANY, star.place, "config.origins")
        return
    for entry in entries:
        text = str(entry.value)
        if _MAYBE_REGEX.search(text):
            yield from _regex(entry, text, read)
        else:
            yield from _literal(entry, text, read, alone=len(entries) == 1)


def _literal(entry: Cursor, text: str, read: ReadPlugin, *, alone: bool) -> Iterator[Found[FoundOrigin]]:
    """An origin without special characters.

    Alone, it is sent as it is, and only its exact spelling is accepted by a browser. Among others, Kong
    compares scheme, host and port, without the default port and without a path.
    """
    url = _URL.fullmatch(text)
    if url is None:
        scheme = "https://" if "/" not in text else ""
        read.diagnostics.append(
            entry.diagnose(
                "origin-without-scheme",
                "without a scheme, it equals no origin that a browser sends: Kong allows nobody by it",
                f"Add {scheme}{text} to allowed_origins if its pages may call the API"
                if scheme
                else "Write an origin",
            )
        )
        return
    port = url["port"] if url["port"] != _DEFAULT_PORTS.get(url["scheme"]) else None
    normalised = f"{url['scheme']}://{url['host']}{f':{port}' if port else ''}"
    if normalised == text:
        yield Found(text, entry.place, "config.origins, a literal")
    elif alone:
        read.diagnostics.append(
            entry.diagnose(
                "origin-never-sent",
                "no browser sends this origin, so Kong allows nobody by it",
                f"Add {normalised} to allowed_origins if its pages may call the API",
            )
        )
    else:
        yield Found(normalised, entry.place, f"config.origins, {text} as Kong compares it")


def _regex(entry: Cursor, text: str, read: ReadPlugin) -> Iterator[Found[FoundOrigin]]:
    """A regular expression: with ``$`` appended, from the beginning; of the host if it has no colon."""
    pattern = text if text.endswith("$") else f"{text}$"
    pattern = pattern.removeprefix("^")
    if ":" in text:
        translated = translate_regex(pattern, Dialect.PCRE, Extent.START)
        subject = "origin"
    else:
        translated = translate_regex(f"^(?:{pattern})", Dialect.PCRE, Extent.HOST_SEARCH)
        subject = "host"
    if isinstance(translated, Diagnostic):
        read.diagnostics.append(replace(translated, place=entry.place))
    else:
        reason = f"config.origins, a regular expression that Kong compares with the {subject}: {text}"
        yield Found(translated, entry.place, reason)


def _methods(plugin: Cursor, config: Cursor, read: ReadPlugin) -> Iterator[Found[str]]:
    listed = config["methods"]
    if not listed.exists:
        for method in DEFAULT_METHODS:
            if method not in UNNEEDED_METHODS:
                yield Found(method, plugin.place, "Kong's default for methods")
        return
    for entry in _strings(listed, read):
        diagnostic = unneeded(entry)
        if diagnostic is None:
            yield _found(str(entry.value), entry, "config.methods")
        else:
            read.diagnostics.append(diagnostic)


def _allow_headers(plugin: Cursor, config: Cursor, read: ReadPlugin) -> Iterator[Found[str]]:
    listed = config["headers"]
    entries = _strings(listed, read)
    if not entries:
        # Kong sends back what the preflight requests; * alone does not cover Authorization.
        for name in (ANY, "Authorization"):
            yield Found(name, plugin.place, "Kong's default for headers: those that a preflight requests")
        return
    for entry in entries:
        yield from _listed_headers(config, entry, read, "config.headers")


def _expose_headers(config: Cursor, read: ReadPlugin) -> Iterator[Found[str]]:
    for entry in _strings(config["exposed_headers"], read):
        yield _found(str(entry.value), entry, "config.exposed_headers")


def _listed_headers(config: Cursor, entry: Cursor, read: ReadPlugin, reason: str) -> Iterator[Found[str]]:
    if entry.value == ANY and config["credentials"].value is True:
        read.diagnostics.append(
            entry.diagnose(
                "star-with-credentials",
                "with credentials, browsers take * as the name of a header (Fetch): Kong allows none by it",
                "List the header names that pages send",
            )
        )
        return
    yield _found(str(entry.value), entry, reason)


def _found_credentials(node: Cursor, read: ReadPlugin) -> Found[bool] | None:
    if not node.exists:
        return None
    if not isinstance(node.value, bool):
        read.diagnostics.append(node.unexpected("true or false"))
        return None
    return Found(node.value, node.place, "config.credentials")


def _max_age(node: Cursor, read: ReadPlugin) -> Found[int] | None:
    if not node.exists:
        return None
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 2**53:
        read.diagnostics.append(node.unexpected("a number of seconds"))
        return None
    return Found(int(value), node.place, "config.max_age")
