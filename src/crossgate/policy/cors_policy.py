"""The CORS policy of one API: one table of properties reads, writes and documents it.

Raw values come in, from a document, a REST request or :func:`build_policy`; out comes a valid policy or every
error in them. A new property is an attribute of :class:`CorsPolicy`, a row of :data:`POLICY` and an argument
of :func:`build_policy`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.policy.list_like import ListLike
from crossgate.policy.names import ANY, TOKEN_PATTERN, is_forbidden_method, is_token
from crossgate.policy.origin_pattern import OriginPattern, parse_origin_pattern, serialise_origin_pattern
from crossgate.policy.other_names import OTHER_NAMES
from crossgate.record import (
    Boolean,
    Choice,
    Definitions,
    Delegated,
    Field,
    Invalid,
    ListOf,
    Named,
    Nullable,
    Parsed,
    Record,
    Remedy,
    Schema,
    Text,
    ValueKind,
    WholeNumber,
    as_found,
    wrong_type,
)


class Mode(StrEnum):
    """Whether refusals are enforced, or only recorded."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class PlainOptions(StrEnum):
    """What to do with an OPTIONS request that is not a preflight."""

    REFUSE = "refuse"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """A valid policy. Build it with :func:`build_policy`; only what is listed is allowed."""

    allowed_origins: tuple[OriginPattern, ...] = ()
    allowed_methods: tuple[str, ...] = ()
    """Case-sensitive, in configured order; ``*`` allows every method."""
    allow_headers: tuple[str, ...] = ()
    """As configured, compared without case; ``*`` allows every name but ``Authorization``."""
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int | None = None
    """Seconds; None sends nothing."""
    plain_options: PlainOptions = PlainOptions.REFUSE
    mode: Mode = Mode.ENFORCE

    def to_dict(self) -> dict[str, object]:
        """The policy as raw values, which :func:`build_policy` reads back; defaults are left out."""
        return POLICY.write(self)


MAX_AGE_LIMIT: Final = 2**31 - 1


OriginArgument = Collection[str]
"""An entry of ``allowed_origins``: a string or ``{"regex": string}``. Both are collections of strings, and
that is what type checkers infer for a list of both."""


def build_policy(
    *,
    allowed_origins: ListLike[OriginArgument] = (),
    allowed_methods: ListLike[str] = (),
    allow_headers: ListLike[str] = (),
    expose_headers: ListLike[str] = (),
    allow_credentials: bool = False,
    max_age: int | None = None,
    plain_options: PlainOptions | Literal["refuse", "forward"] = PlainOptions.REFUSE,
    mode: Mode | Literal["enforce", "observe"] = Mode.ENFORCE,
) -> CorsPolicy:
    """The policy with these properties, if they are valid.

    An origin is a string (``https://example.com``, ``https://*.example.com``, ``https://example.com:*``,
    ``*``, ``null``) or ``{"regex": string}``. ``max_age`` is in seconds.

    Raises:
        InvalidInput: with every error, each with its place.

    """
    policy, diagnostics = read_policy(
        {
            "allowed_origins": allowed_origins,
            "allowed_methods": allowed_methods,
            "allow_headers": allow_headers,
            "expose_headers": expose_headers,
            "allow_credentials": allow_credentials,
            "max_age": max_age,
            "plain_options": plain_options,
            "mode": mode,
        }
    )
    if diagnostics:
        raise InvalidInput(diagnostics)
    return policy


def read_policy(raw: Mapping[str, object]) -> tuple[CorsPolicy, list[Diagnostic]]:
    """The policy and all errors in ``raw``; use the policy only without errors."""
    policy = POLICY.read(raw)
    contradictions = _find_contradictions(raw)
    if isinstance(policy, Invalid):
        return CorsPolicy(), [*policy.diagnostics, *contradictions]
    return policy, [*contradictions]


def _parse_method(raw: object) -> str | Diagnostic:
    if not isinstance(raw, str) or not is_token(raw):
        return Diagnostic(
            code="method-invalid",
            message="a method must be one token",
            found=repr(raw),
            remedy="Write one method per entry, for example GET",
        )
    if is_forbidden_method(raw):
        return Diagnostic(
            code="method-forbidden",
            message="scripts cannot send this method (Fetch, forbidden method)",
            found=raw,
            remedy="Remove it",
        )
    return raw


def _parse_header_name(raw: object) -> str | Diagnostic:
    if isinstance(raw, str) and is_token(raw):
        return raw
    return Diagnostic(
        code="header-invalid",
        message="a header name must be one token",
        found=repr(raw),
        remedy="Write one header name per entry, for example Content-Type",
    )


REGEX: Final[Record[Any]] = Record(
    "RegexEntry",
    "Origins that match a regular expression as a whole.",
    dict,
    (
        Field(
            "regex",
            Text(),
            r"RE2 expression that must match the whole origin: `https://pr-[0-9]+\.preview\.example\.com`.",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class _Origin:
    """One entry of the allowed origins."""

    def read(self, raw: object) -> OriginPattern | Invalid:
        parsed = parse_origin_pattern(raw)
        return Invalid((parsed,)) if isinstance(parsed, Diagnostic) else parsed

    def write(self, value: OriginPattern) -> object:
        return serialise_origin_pattern(value)

    def schema(self, definitions: Definitions) -> Schema:
        return {"anyOf": [{"type": "string"}, REGEX.schema(definitions)]}


def _property(
    name: str,
    kind: ValueKind[Any],
    expected: str,
    doc: str,
    *,
    default: object,
    remedy: Remedy = "",
    default_doc: str = "",
) -> Field:
    code = f"{name.replace('_', '-')}-invalid"
    named = Named(kind, code, f"{name} must be {expected}", remedy or f"Write {expected}")
    return Field(name, named, doc, default=default, default_doc=default_doc)


def _list(name: str, entry: ValueKind[Any], doc: str) -> Field:
    return _property(name, ListOf(entry), "a list", doc, default=(), remedy=_list_remedy)


def _list_remedy(raw: object) -> str:
    """How to write the value as a list, if it can be one: a string of several values is split at commas."""
    if isinstance(raw, str) and raw.strip(" ,"):
        entries: list[object] = [*re.split(r"[\s,]+", raw[:_SHOWN].strip(" ,"))]
    elif isinstance(raw, set | frozenset) and raw:
        entries = sorted(raw, key=repr)
    elif isinstance(raw, Mapping) and raw:
        entries = [raw]
    else:
        return "Write a list with one entry for each value"
    return f"Write a list with one entry for each value: {as_found(entries)}"


_SHOWN: Final = 200
"""Characters of a string that are split into entries."""


def _boolean(name: str, doc: str) -> Field:
    return _property(name, Boolean(), "true or false", doc, default=False)


def _choice(name: str, choices: type[StrEnum], doc: str, *, default: StrEnum) -> Field:
    expected = f"one of {', '.join(choice.value for choice in choices)}"
    return _property(name, Choice(choices), expected, doc, default=default)


_TOKEN: Final[Schema] = {"type": "string", "pattern": f"^{TOKEN_PATTERN}$"}
_METHOD: Final = Parsed(_parse_method, _TOKEN)
_HEADER: Final = Parsed(_parse_header_name, _TOKEN)

POLICY: Final = Record(
    "CorsEntry",
    "The CORS policy of one API. Whatever is not listed is not allowed.",
    CorsPolicy,
    (
        _list(
            "allowed_origins",
            _Origin(),
            "List of origins that may call the API: `https://example.com`, `https://*.example.com` (any "
            "subdomain, never the domain itself), `https://example.com:*` (any port), `{regex: …}`, `'*'` "
            "(all), `'null'`.",
        ),
        _list(
            "allowed_methods",
            _METHOD,
            "List of methods that a preflight may request, case-sensitive; `'*'` for all. GET, HEAD and POST "
            "must be listed like any other.",
        ),
        _list(
            "allow_headers",
            _HEADER,
            "List of request headers that a preflight may request; `'*'` for all but Authorization, which "
            "must be listed.",
        ),
        _list(
            "expose_headers",
            _HEADER,
            "List of response headers that scripts may read; `'*'` for all, not with credentials.",
        ),
        _boolean(
            "allow_credentials",
            "Whether requests with cookies, HTTP authentication or client certificates are allowed; not with "
            "the origin `'*'`.",
        ),
        _property(
            "max_age",
            Nullable(WholeNumber(0, MAX_AGE_LIMIT)),
            f"a whole number of seconds from 0 to {MAX_AGE_LIMIT}",
            "Seconds for which a browser may cache the response to a preflight, 0 included.",
            default=None,
            default_doc="not sent",
            remedy="Write the seconds for which browsers may cache a preflight response, or remove max_age",
        ),
        _choice(
            "plain_options",
            PlainOptions,
            "What to do with OPTIONS requests that are not preflights: `refuse` (405) or `forward`.",
            default=PlainOptions.REFUSE,
        ),
        _choice(
            "mode",
            Mode,
            "`enforce`, or `observe`: decide and record, but forward every request unchanged.",
            default=Mode.ENFORCE,
        ),
    ),
    OTHER_NAMES,
)
"""The properties of a policy."""


def _read_entry(raw: object) -> CorsPolicy | Invalid:
    if not isinstance(raw, Mapping):
        return wrong_type(
            "a mapping",
            raw,
            "Remove the key for pass-through; write {} for a policy that allows nothing",
        )
    policy, diagnostics = read_policy(raw)
    return Invalid(tuple(map(_explain_null, diagnostics))) if diagnostics else policy


def _explain_null(found: Diagnostic) -> Diagnostic:
    """The remedy for a mistake that is possible in YAML only: null without quotes."""
    if found.code == "origin-form" and found.found == "None":
        return replace(found, found="null", remedy="Quote it if you mean the origin null: 'null'")
    return found


POLICY_ENTRY: Final = Delegated(_read_entry, CorsPolicy.to_dict, POLICY)
"""A policy as a value in a document."""


_STAR_WITH_CREDENTIALS: Final = {
    "allowed_origins": Diagnostic(
        code="origin-star-credentials",
        message="the origin * cannot be allowed with credentials",
        found=ANY,
        remedy="Name the origins that may send credentials, or set allow_credentials to false",
    ),
    "expose_headers": Diagnostic(
        code="expose-star-credentials",
        message="with credentials, browsers read * among exposed headers as a literal name",
        found=ANY,
        remedy="Name the headers to expose, or set allow_credentials to false",
    ),
}


def _find_contradictions(raw: Mapping[str, object]) -> Iterable[Diagnostic]:
    """Checked on the raw values, so that each error has the place of its entry."""
    if raw.get("allow_credentials") is not True:
        return
    for name, diagnostic in _STAR_WITH_CREDENTIALS.items():
        entries = raw.get(name, ())
        if isinstance(entries, Sequence) and not isinstance(entries, str | bytes):
            for index, entry in enumerate(entries):
                if entry == ANY:
                    yield diagnostic.within(name, index)
