"""The forms in which a policy names origins, each spelled out and none guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, assert_never

from crossgate.diagnostics import Diagnostic, Place
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import LABEL_PATTERN, PORT_PATTERN, Origin
from crossgate.policy.origin_fault import OriginFault, find_fault
from crossgate.policy.regex import Matcher, RegexRefused, compile_regex


@dataclass(frozen=True, slots=True)
class ExactOrigin:
    """One serialised origin, compared byte for byte."""

    value: str


@dataclass(frozen=True, slots=True)
class WildcardOrigin:
    """``https://*.example.com``: one or more labels, never the apex; ``https://example.com:*``: any port.

    Any port includes the scheme's default, which a serialised origin leaves out.
    """

    scheme: str
    host: str
    port: int | None
    any_subdomain: bool
    any_port: bool

    def __str__(self) -> str:
        star = "*." if self.any_subdomain else ""
        port = ":*" if self.any_port else "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{star}{self.host}{port}"

    @property
    def regex(self) -> str:
        """What it matches, in RE2's syntax and for whole values; all of it is well-formed.

        With any port, what :data:`~crossgate.policy.origin.DEFAULT_PORT_PATTERN` matches is to be left out.
        """
        labels = rf"(?:{LABEL_PATTERN}\.)+" if self.any_subdomain else ""
        port = f"(?::{PORT_PATTERN})?" if self.any_port else "" if self.port is None else f":{self.port}"
        return f"{re.escape(self.scheme)}://{labels}{_escape(self.host)}{port}"


@dataclass(frozen=True, slots=True)
class RegexOrigin:
    """An RE2 expression for the whole origin; it is asked about well-formed origins and ``null`` only."""

    pattern: str
    matcher: Matcher = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOrigin:
    """``*``: every well-formed origin, and ``null``."""


@dataclass(frozen=True, slots=True)
class NullOrigin:
    """``null``: what sandboxed frames, ``data:`` pages and many redirects send."""


OriginPattern = ExactOrigin | WildcardOrigin | RegexOrigin | AnyOrigin | NullOrigin


def loose_form(pattern: OriginPattern) -> str | dict[str, str]:
    """The pattern as it is written in a document; :func:`parse_origin_pattern` reads it back."""
    match pattern:
        case ExactOrigin(value):
            return value
        case WildcardOrigin():
            return str(pattern)
        case RegexOrigin():
            return {"regex": pattern.pattern}
        case AnyOrigin():
            return ANY
        case NullOrigin():
            return NULL
        case _ as never:
            assert_never(never)


def parse_origin_pattern(loose: object) -> OriginPattern | Diagnostic:
    """One entry of a policy's allowed origins: a text, or ``{"regex": text}``."""
    if isinstance(loose, str):
        return _parse_text(loose)
    if isinstance(loose, Mapping):
        return _parse_regex(loose)
    return Diagnostic(
        code="origin-form",
        message="an origin is a text or {regex: ...}",
        found=repr(loose),
        remedy="Write the origin as a text, for example https://example.com",
    )


def parse_exact_origin(loose: object) -> ExactOrigin | Diagnostic:
    """An origin where only exact values are possible: applications' origins, ``public_origins``."""
    if not isinstance(loose, str):
        return Diagnostic(
            code="origin-form",
            message="only exact origins are possible here",
            found=repr(loose),
            remedy="Write scheme://host[:port]; patterns belong into the policy of an API",
        )
    fault = find_fault(loose)
    return ExactOrigin(loose) if fault is None else _refuse(loose, fault)


def _parse_text(text: str) -> OriginPattern | Diagnostic:
    if text == ANY:
        return AnyOrigin()
    if text == NULL:
        return NullOrigin()
    if ANY in text:
        wildcard = _parse_wildcard(text)
        if wildcard is not None:
            return wildcard
    fault = find_fault(text)
    return ExactOrigin(text) if fault is None else _refuse(text, fault)


_WILDCARD: Final = re.compile(r"(?P<scheme>[^:/*]*)://(?P<star>\*\.)?(?P<rest>[^*]*?)(?P<any_port>:\*)?")
_COMPILED: Final = 128
"""Expressions that are kept: thousands of APIs have the same few. As many as the binding keeps, for each may
take megabytes."""
_NUMERIC_HOST: Final = re.compile(r"[0-9.]+|\[.*")


def _parse_wildcard(text: str) -> WildcardOrigin | Diagnostic | None:
    """None if the text has no wildcard form at all."""
    parts = _WILDCARD.fullmatch(text)
    if parts is None or not (parts["star"] or parts["any_port"]):
        return None
    base = f"{parts['scheme']}://{parts['rest']}"
    fault = find_fault(base)
    if fault is not None:
        return _refuse(text, OriginFault(fault.reason, f"Beside the wildcard: {fault.remedy}"))
    origin = Origin.of(base)
    if parts["star"] and _NUMERIC_HOST.fullmatch(origin.host):
        return _refuse(text, OriginFault("has a wildcard before an IP address", "Name the address itself"))
    if parts["any_port"] and origin.port is not None:
        written = text.removesuffix(f":{origin.port}:*") + ":*"
        return _refuse(text, OriginFault("has two ports", f"Write {written}"))
    return WildcardOrigin(
        origin.scheme, origin.host, origin.port, parts["star"] is not None, parts["any_port"] is not None
    )


def _parse_regex(loose: Mapping[object, object]) -> RegexOrigin | Diagnostic:
    pattern = loose.get("regex")
    if set(loose) != {"regex"} or not isinstance(pattern, str):
        return Diagnostic(
            code="origin-form",
            message="an origin in braces has the one key regex, and a text",
            found=repr(dict(loose)),
            remedy="Write {regex: 'https://pr-[0-9]+\\.example\\.com'}",
        )
    try:
        return _compiled(pattern)
    except RegexRefused as refused:
        return Diagnostic(
            code="origin-regex",
            message=f"RE2 refuses the regular expression: {refused}",
            found=_printable(pattern),
            remedy="Use RE2's syntax (no look-around, no back-references)",
            place=Place(("regex",)),
        )


@lru_cache(_COMPILED)
def _compiled(pattern: str) -> RegexOrigin:
    return RegexOrigin(pattern, compile_regex(pattern))


def _refuse(text: str, fault: OriginFault) -> Diagnostic:
    return Diagnostic(
        code="origin-invalid",
        message=f"the origin {fault.reason}",
        found=_printable(text),
        remedy=fault.remedy,
    )


def _printable(text: str) -> str:
    """JSON can spell half a surrogate pair, which no terminal or response can carry."""
    return text.encode("utf-8", "backslashreplace").decode()


def _escape(literal: str) -> str:
    """The literal in RE2's syntax. Python's own escape also escapes characters RE2 wants left alone."""
    return re.sub(r"[^a-z0-9_-]", lambda found: "\\" + found[0], literal)
