r"""Allowed origins of the product's CORS policy: each is an origin, or a regular expression of Java.

The reference page gives one field for both, ``scheme://host:port`` or an expression, and no mark that tells
them apart. So the rule is:

1. ``*`` and ``null`` are themselves.
2. An origin as browsers send it is that origin, if its host is an IPv6 address or has no other character of
   expressions than dots. As an expression, the same string would allow more, because of the dots.
3. Any other string with one of ``\ * + ? ( ) [ ] { } | ^ $`` is an expression, which must match the whole
   origin: the public documentation does not say whether a part is enough, and the whole is stricter.
   ``https://*.example.com`` and ``https://example.com:*`` are left out: their author meant a wildcard, but as
   an expression they allow something else.
4. The rest is left out, with what browsers send instead.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundOrigin
from crossgate.importers.regex_translation import Dialect, Extent, translate_regex
from crossgate.importers.report import Report
from crossgate.policy import parse_exact_origin, parse_origin_pattern
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin_pattern import WildcardOrigin

_SYNTAX: Final = re.compile(r"[\\*+?()\[\]{}|^$]")
_WILDCARD_LIKE: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:\*\.[^\\*+?()\[\]{}|^$]*|[^\\*+?()\[\]{}|^$]*:\*)", re.IGNORECASE
)
"""``https://*.example.com`` and ``https://example.com:*``, not ``https://.*\\.example\\.com``."""


def read_origins(values: Cursor, report: Report) -> tuple[Found[FoundOrigin], ...]:
    """The allowed origins of a policy."""
    found: list[Found[FoundOrigin]] = []
    literals: list[str] = []
    for entry in values.entries():
        if not isinstance(entry.value, str):
            report.diagnostics.append(entry.unexpected("a string"))
            continue
        text = entry.value
        if text in (ANY, NULL):
            found.append(Found(text, entry.place, "allowed origin"))
        elif _is_literal(text):
            literals.append(text)
            found.append(Found(text, entry.place, "allowed origin, taken as this one origin"))
        elif _WILDCARD_LIKE.fullmatch(text):
            _warn_of_wildcard(entry, text, report)
        elif _SYNTAX.search(text):
            found += read_expression(entry.place, text, "allowed origin", report)
        else:
            # Reported where the policy is built, with what browsers send instead.
            found.append(Found(text, entry.place, "allowed origin"))
    if literals:
        report.info(
            "origins-literal",
            "these allowed origins are taken as exact origins; as regular expressions, which the source "
            "allows too, they would admit more",
            "Write {regex: …} in the document where an expression was meant",
            values.place,
            ", ".join(literals),
        )
    return tuple(found)


def _is_literal(text: str) -> bool:
    if isinstance(parse_exact_origin(text), Diagnostic):
        return False
    # A browser can send any of these characters in a host, but nobody has such a host.
    address = text.partition("://")[2]
    return address.startswith("[") or _SYNTAX.search(address) is None


def read_expression(place: Place, text: str, what: str, report: Report) -> list[Found[FoundOrigin]]:
    """The entry for a Java expression that must match the whole origin; none if it cannot be translated."""
    translated = translate_expression(text)
    if isinstance(translated, Diagnostic):
        report.diagnostics.append(replace(translated, place=place))
        return []
    shown = translated if isinstance(translated, str) else f"{{regex: '{translated['regex']}'}}"
    report.info(
        "origin-regex",
        f"the string is taken as a regular expression of Java for the whole origin: {shown}",
        "Correct the document if it was meant as something else",
        place,
        text,
    )
    return [Found(translated, place, f"{what}, a regular expression of Java")]


def translate_expression(text: str) -> FoundOrigin | Diagnostic:
    """The entry that admits the same origins as an expression of Java for whole origins, or why none does."""
    return translate_regex(text, Dialect.JAVA, Extent.WHOLE)


def _warn_of_wildcard(entry: Cursor, text: str, report: Report) -> None:
    as_wildcard = isinstance(parse_origin_pattern(text), WildcardOrigin)
    report.warning(
        "origin-wildcard-like",
        "left out of allowed_origins: it reads like a wildcard, but the source takes it as a regular "
        "expression, which allows other origins",
        f"Add {text} to the allowed origins if the wildcard is meant"
        if as_wildcard
        else "Add the origins that are meant to the allowed origins",
        entry.place,
        text,
    )
