"""The tables of the keys of policies and of server-level settings, for the JSON Schema and the reference.

The policy engine reads and writes these values itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from crossgate.diagnostics import Diagnostic
from crossgate.policy import CorsPolicy, Mode, PlainOptions, read_policy
from crossgate.policy.cors_policy import MAX_AGE_LIMIT
from crossgate.policy.names import TOKEN_PATTERN
from crossgate.policy.server_cors import PREFIX
from crossgate.record import (
    AsIs,
    Boolean,
    Choice,
    Definitions,
    Delegated,
    Field,
    Invalid,
    ListOf,
    Nullable,
    Record,
    Schema,
    Text,
    wrong_type,
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

_TOKENS: Final[ListOf[str]] = ListOf(Text(pattern=TOKEN_PATTERN))


@dataclass(frozen=True, slots=True)
class _Origins:
    """The origins of a policy, as the schema shows them."""

    def read(self, raw: object) -> object:
        return raw

    def write(self, value: tuple[object, ...]) -> object:
        return list(value)

    def schema(self, definitions: Definitions) -> Schema:
        return {"type": "array", "items": {"anyOf": [{"type": "string"}, REGEX.schema(definitions)]}}


POLICY: Final = Record(
    "CorsEntry",
    "The CORS policy of one API. Whatever is not listed is not allowed.",
    CorsPolicy,
    (
        Field(
            "allowed_origins",
            _Origins(),
            "List of origins that may call the API: `https://example.com`, `https://*.example.com` (any "
            "subdomain, never the domain itself), `https://example.com:*` (any port), `{regex: …}`, `'*'` "
            "(all), `'null'`.",
            default=(),
        ),
        Field(
            "allowed_methods",
            _TOKENS,
            "List of methods that a preflight may request, case-sensitive; `'*'` for all. GET, HEAD and POST "
            "must be listed like any other.",
            default=(),
        ),
        Field(
            "allow_headers",
            _TOKENS,
            "List of request headers that a preflight may request; `'*'` for all but Authorization, which "
            "must be listed.",
            default=(),
        ),
        Field(
            "expose_headers",
            _TOKENS,
            "List of response headers that scripts may read; `'*'` for all, not with credentials.",
            default=(),
        ),
        Field(
            "allow_credentials",
            Boolean(),
            "Whether requests with cookies, HTTP authentication or client certificates are allowed; not with "
            "the origin `'*'`.",
            default=False,
        ),
        Field(
            "max_age",
            Nullable(AsIs({"type": "integer", "minimum": 0, "maximum": MAX_AGE_LIMIT})),
            "Seconds for which a browser may cache the answer to a preflight, 0 included.",
            default=None,
            default_doc="not sent",
        ),
        Field(
            "plain_options",
            Choice(PlainOptions),
            "What becomes of OPTIONS requests that are not preflights: `refuse` (405) or `forward`.",
            default=PlainOptions.REFUSE,
        ),
        Field(
            "mode",
            Choice(Mode),
            "`enforce`, or `observe`: decide and record, but forward every request unchanged.",
            default=Mode.ENFORCE,
        ),
    ),
)


def _read_policy(raw: object) -> CorsPolicy | Invalid:
    if not isinstance(raw, Mapping):
        return wrong_type(
            "a mapping",
            raw,
            "Remove the key for pass-through; write {} for a policy that allows nothing",
        )
    policy, diagnostics = read_policy(raw)
    return Invalid(tuple(map(_mind_yaml, diagnostics))) if diagnostics else policy


def _mind_yaml(found: Diagnostic) -> Diagnostic:
    """The remedy for the one mistake that only YAML makes possible: null without quotes."""
    if found.code == "origin-form" and found.found == "None":
        return replace(found, found="null", remedy="Quote it if the origin null is meant: 'null'")
    return found


POLICY_KIND: Final = Delegated(_read_policy, CorsPolicy.to_dict, POLICY)
"""A policy as a value of ``cors``."""

_WORDS: Final = AsIs({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
_SWITCH: Final = AsIs({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]})


def _setting(name: str, kind: AsIs, doc: str, default: object, default_doc: str = "") -> Field:
    return Field(PREFIX + name, kind, doc, default, default_doc)


SETTINGS: Final[Record[Any]] = Record(
    "SettingsEntry",
    "Server-level CORS, with the names and values of the reference product's server. While it is enabled, it "
    "is enforced on every request and no API's policy is.",
    dict,
    (
        _setting("enabled", _SWITCH, "True or false.", default=False),
        _setting(
            "allowedOrigins",
            _WORDS,
            "Origins, separated by commas or spaces, or a list; `r:` before a regular expression; `*` for "
            "all, not with credentials; `file:<path>` for a file with one a line. Required while enabled.",
            default="",
        ),
        _setting(
            "supportedMethods",
            _WORDS,
            "Methods, separated likewise.",
            default="",
            default_doc="OPTIONS, HEAD, GET, POST, PUT, PATCH, DELETE",
        ),
        _setting(
            "supportedHeaders",
            _WORDS,
            "Request headers; Accept, Accept-Language and a form, multipart or plain Content-Type are always "
            "allowed.",
            default="",
        ),
        _setting("exposedHeaders", _WORDS, "Response headers that scripts may read.", default=""),
        _setting(
            "host",
            AsIs({"type": "string"}),
            "The value that the `Host` header must have, port included.",
            default="",
            default_doc="any",
        ),
        _setting(
            "maxAge",
            AsIs({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            "Seconds for which a browser may cache the answer to a preflight; -1 sends nothing.",
            default=-1,
        ),
        _setting(
            "supportsCredentials",
            _SWITCH,
            "True or false; not with the origin `*`.",
            default=False,
        ),
    ),
)


def _read_settings(raw: object) -> Mapping[str, object] | Invalid:
    return raw if isinstance(raw, Mapping) else wrong_type("a mapping", raw, "Write keys and values")


SETTINGS_KIND: Final = Delegated(_read_settings, dict, SETTINGS)
"""Server-level settings as they were written."""
