"""The forms in which a policy names origins. Each is explicit: a string is never guessed to be a regex."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from typing import Final, assert_never

from crossgate.diagnostics import Diagnostic, Place
from crossgate.policy.javascript_regex import between_anchors, between_slashes
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import LABEL_PATTERN, PORT_PATTERN, Origin, is_hostless
from crossgate.policy.origin_error import find_origin_error, origin_invalid, printable
from crossgate.policy.port_range import parse_port_range
from crossgate.policy.re2 import Matcher, RegexRefused, compile_regex, quote


@dataclass(frozen=True, slots=True)
class ExactOrigin:
    """One serialised origin, with a host or without, compared byte for byte."""

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
        """The expression of :func:`wildcard_regexes` for this one."""
        return _wildcard_regex(self, quote(self.host))


def wildcard_regexes(wildcards: Iterable[WildcardOrigin]) -> list[str]:
    """RE2 expressions for whole origins: one for all wildcards that differ in their host only.

    Everything that they match is well-formed, with one exception: an expression with any port also matches
    :data:`~crossgate.policy.origin.DEFAULT_PORT_PATTERN`.
    """

    def shape(wildcard: WildcardOrigin) -> tuple[str, bool, bool, int]:
        return wildcard.scheme, wildcard.any_subdomain, wildcard.any_port, wildcard.port or 0

    regexes = []
    for _, group in groupby(sorted(wildcards, key=shape), key=shape):
        alike = list(group)
        hosts = "|".join(sorted({quote(wildcard.host) for wildcard in alike}))
        regexes.append(_wildcard_regex(alike[0], f"(?:{hosts})"))
    return regexes


def _wildcard_regex(wildcard: WildcardOrigin, host: str) -> str:
    labels = rf"(?:{LABEL_PATTERN}\.)+" if wildcard.any_subdomain else ""
    port = f"(?::{PORT_PATTERN})?" if wildcard.any_port else f":{wildcard.port}" if wildcard.port else ""
    return f"{quote(wildcard.scheme)}://{labels}{host}{port}"


@dataclass(frozen=True, slots=True)
class RegexOrigin:
    """An RE2 expression for the whole origin. It is matched with well-formed origins and ``null`` only."""

    pattern: str
    matcher: Matcher = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOrigin:
    """``*``: every origin, with a host or without, and ``null``."""


@dataclass(frozen=True, slots=True)
class NullOrigin:
    """``null``: what sandboxed frames, ``data:`` pages and many redirects send."""


OriginPattern = ExactOrigin | WildcardOrigin | RegexOrigin | AnyOrigin | NullOrigin


def serialise_origin_pattern(pattern: OriginPattern) -> str | dict[str, str]:
    """The pattern as in a document; :func:`parse_origin_pattern` reads it back."""
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


def parse_origin_pattern(raw: object) -> OriginPattern | Diagnostic:
    """One entry of a policy's allowed origins: a string, or ``{"regex": string}``."""
    if isinstance(raw, str):
        return _parse_string(raw)
    if isinstance(raw, Mapping):
        return _parse_regex(raw)
    return Diagnostic(
        code="origin-form",
        message="an origin is a string or {regex: ...}",
        found=repr(raw),
        remedy="Write the origin as a string, for example https://example.com",
    )


def parse_exact_origin(raw: object) -> ExactOrigin | Diagnostic:
    """An origin where only exact values are possible: applications' origins, ``public_origins``."""
    if not isinstance(raw, str):
        return Diagnostic(
            code="origin-form",
            message="only exact origins are possible here",
            found=repr(raw),
            remedy="Write scheme://host[:port]; patterns are possible in the policy of an API only",
        )
    if ANY not in raw and parse_port_range(raw) is not None:
        return origin_invalid(raw, "has a range of ports", "Write one origin for each port")
    return find_origin_error(raw) or ExactOrigin(raw)


def _parse_string(text: str) -> OriginPattern | Diagnostic:
    if text == ANY:
        return AnyOrigin()
    if text == NULL:
        return NullOrigin()
    unwrapped = between_slashes(text) or between_anchors(text)
    if unwrapped is not None:
        return origin_invalid(text, "is a regular expression", f"Write {{regex: '{printable(unwrapped)}'}}")
    ports = parse_port_range(text)
    base = None if ports is None else _regex_of_base(ports.base)
    if ports is not None and base is not None:
        return origin_invalid(text, "has a range of ports", f"Write {{regex: '{base}:(?:{ports.digits})'}}")
    if text.startswith("*.") and isinstance(_parse_wildcard(f"https://{text}"), WildcardOrigin):
        return origin_invalid(text, "has a wildcard, but no scheme", f"Write https://{text}")
    wildcard = _parse_wildcard(text) if ANY in text else None
    return wildcard or find_origin_error(text) or ExactOrigin(text)


def _regex_of_base(base: str) -> str | None:
    """The expression for an origin or a wildcard without a port; None if it is neither."""
    match _parse_string(base):
        case ExactOrigin(value):
            scheme, _, host = value.partition("://")
            return f"{quote(scheme)}://{quote(host)}"
        case WildcardOrigin() as wildcard:
            return wildcard.regex
        case _:
            return None


_WILDCARD: Final = re.compile(r"(?P<scheme>[^:/*]*)://(?P<star>\*\.)?(?P<rest>[^*]*?)(?P<any_port>:\*)?")
_NUMERIC_HOST: Final = re.compile(r"[0-9.]+|\[.*")


def _parse_wildcard(text: str) -> WildcardOrigin | Diagnostic | None:
    """The wildcard; None if the string does not have the form of one."""
    parts = _WILDCARD.fullmatch(text)
    if parts is None or not (parts["star"] or parts["any_port"]):
        return None
    base = f"{parts['scheme']}://{parts['rest']}"
    error = find_origin_error(base)
    if error is not None:
        return replace(error, found=printable(text), remedy=f"Beside the wildcard: {error.remedy}")
    if is_hostless(base):
        return origin_invalid(text, "has a wildcard, but no host", f"Write {base}, or * for all origins")
    origin = Origin.of(base)
    if parts["star"] and _NUMERIC_HOST.fullmatch(origin.host):
        return origin_invalid(text, "has a wildcard before an IP address", "Name the address itself")
    if parts["any_port"] and origin.port is not None:
        with_one_port = text.removesuffix(f":{origin.port}:*") + ":*"
        return origin_invalid(text, "has two ports", f"Write {with_one_port}")
    return WildcardOrigin(
        origin.scheme, origin.host, origin.port, parts["star"] is not None, parts["any_port"] is not None
    )


def _parse_regex(raw: Mapping[object, object]) -> RegexOrigin | Diagnostic:
    pattern = raw.get("regex")
    if set(raw) != {"regex"} or not isinstance(pattern, str):
        return Diagnostic(
            code="origin-form",
            message="an origin in braces has the one key regex, and a string",
            found=repr(dict(raw)),
            remedy="Write {regex: 'https://pr-[0-9]+\\.example\\.com'}",
        )
    try:
        return _compiled(pattern)
    except RegexRefused as refused:
        return Diagnostic(
            code="origin-regex",
            message=f"RE2 refuses the regular expression: {refused}",
            found=printable(pattern),
            remedy="Use RE2's syntax (no look-around, no back-references)",
            place=Place(("regex",)),
        )


# Thousands of APIs have the same few expressions. The binding keeps as many, for each may take megabytes.
@lru_cache(128)
def _compiled(pattern: str) -> RegexOrigin:
    return RegexOrigin(pattern, compile_regex(pattern))
