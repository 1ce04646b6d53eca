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
from crossgate.importers.cors_values import boolean_of, methods_of, names_of, seconds_of, strings_of
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.importers.methods import UNNEEDED_METHODS
from crossgate.importers.regex_translation import Dialect, Extent, translate_regex
from crossgate.policy.names import ANY, NULL

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
    read.policy = FoundPolicy(
        origins=tuple(_origins(plugin, config, read)),
        methods=_methods(plugin, config, read),
        allow_headers=tuple(_allow_headers(plugin, config, read)),
        expose_headers=names_of(config["exposed_headers"], "config.exposed_headers", read.diagnostics),
        credentials=boolean_of(config["credentials"], "config.credentials", read.diagnostics),
        max_age=seconds_of(config["max_age"], "config.max_age", read.diagnostics),
    )
    if config["preflight_continue"].value is True:
        place = config["preflight_continue"].place
        read.native_cors.append(Found("preflight", place, "preflight_continue"))
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
                "private-network-access",
                "Access-Control-Allow-Private-Network is not sent by Crossgate",
                "Serve the API over https to pages of public networks",
            )
        )
    return read


def _origins(plugin: Cursor, config: Cursor, read: ReadPlugin) -> Iterator[Found[FoundOrigin]]:
    listed = config["origins"]
    entries = list(strings_of(listed, read.diagnostics))
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
    if text == NULL:
        # Of pages in sandboxed frames.
        yield Found(text, entry.place, "config.origins, a literal")
        return
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


def _methods(plugin: Cursor, config: Cursor, read: ReadPlugin) -> tuple[Found[str], ...]:
    if config["methods"].exists:
        return methods_of(config["methods"], "config.methods", read.diagnostics)
    reason = "Kong's default for methods"
    return tuple(Found(one, plugin.place, reason) for one in DEFAULT_METHODS if one not in UNNEEDED_METHODS)


def _allow_headers(plugin: Cursor, config: Cursor, read: ReadPlugin) -> Iterator[Found[str]]:
    listed = names_of(config["headers"], "config.headers", read.diagnostics)
    if not listed:
        # Kong sends back what the preflight requests; * alone does not cover Authorization.
        for name in (ANY, "Authorization"):
            yield Found(name, plugin.place, "Kong's default for headers: those that a preflight requests")
    for found in listed:
        if found.value == ANY and config["credentials"].value is True:
            read.diagnostics.append(
                config["headers"].diagnose(
                    "star-with-credentials",
                    "with credentials, browsers take * as the name of a header (Fetch), which is not sent",
                    "List the header names that pages send",
                )
            )
        else:
            yield found
