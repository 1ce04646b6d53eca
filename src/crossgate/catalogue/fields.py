"""The tables of fields: every key of a document, how its value is read, its default and its documentation.

From these tables come the reader, the writer, the JSON Schema and the tables of ``docs/reference/file.md``. A
new key is a line here and an attribute in :mod:`crossgate.catalogue.model`. The policy engine reads policies
and server-level settings itself; their keys are listed here for the schema and the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from crossgate.catalogue.model import (
    CODE_PATTERN,
    DEFAULT_LISTEN,
    DEFAULT_NATIVE_TIMEOUT,
    LEAST_NATIVE_TIMEOUT,
    MOST_NATIVE_TIMEOUT,
    Api,
    ApiType,
    Application,
    Gateway,
    LintSettings,
    Suppression,
    Tls,
    default_endpoint,
)
from crossgate.catalogue.names import (
    ENDPOINT_PATTERN,
    MAX_ENDPOINT,
    MAX_NAME,
    NAME_PATTERN,
    parse_application_name,
    parse_endpoint,
    parse_name,
    parse_trusted_domain,
)
from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic
from crossgate.net.address import parse_listen_address
from crossgate.policy import CorsPolicy, Mode, PlainOptions, parse_exact_origin, read_policy
from crossgate.policy.cors_policy import MAX_AGE_LIMIT
from crossgate.policy.names import TOKEN_PATTERN
from crossgate.policy.server_settings import PREFIX
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
    Number,
    Parsed,
    Record,
    Schema,
    Text,
    wrong_type,
)


def _parse_origin(raw: object) -> str | Diagnostic:
    parsed = parse_exact_origin(raw)
    return parsed if isinstance(parsed, Diagnostic) else parsed.value


def _string(**bounds: object) -> Schema:
    return {"type": "string", **bounds}


_NAME: Final = Parsed(parse_name, _string(pattern=f"^{NAME_PATTERN}$", maxLength=MAX_NAME), string_only=True)
_APPLICATION_NAME: Final = Parsed(
    parse_application_name, _string(minLength=1, maxLength=MAX_NAME), string_only=True
)
_NATIVE: Final = Parsed(parse_native_url, string_only=True)
_ENDPOINT: Final = Parsed(parse_endpoint, _string(pattern=f"^{ENDPOINT_PATTERN}$", maxLength=MAX_ENDPOINT))
_ORIGIN: Final = Parsed(_parse_origin, _string(pattern=r"^[a-z][a-z0-9+.-]*://[^/?#@\s*]+$"))
_DOMAIN: Final = Parsed(parse_trusted_domain)

TLS: Final = Record(
    "TlsEntry",
    "The listener's certificate. With it the gateway serves HTTPS only.",
    Tls,
    (
        Field("certificate", Text(), "PEM file with the certificate and its chain."),
        Field("key", Text(), "PEM file with the private key."),
    ),
)

GATEWAY: Final = Record(
    "GatewayEntry",
    "The gateway's own settings.",
    Gateway,
    (
        Field(
            "listen",
            Parsed(parse_listen_address),
            "IP address and port to listen on: `127.0.0.1:8080`, `0.0.0.0:8080`, `'[::1]:8080'`. Names, "
            "`localhost` included, and port 0 are refused.",
            default=DEFAULT_LISTEN,
            default_doc="`127.0.0.1:8080`",
            always_written=True,
        ),
        Field(
            "tls",
            Nullable(TLS),
            "Certificate and key of the listener; with them the gateway serves HTTPS only.",
            default=None,
            default_doc="clear text",
        ),
        Field(
            "native_ca",
            Nullable(Text()),
            "PEM file with the authorities that are trusted for `https` native services.",
            default=None,
            default_doc="the system's",
        ),
        Field(
            "public_origins",
            ListOf(_ORIGIN),
            "The gateway's own origins, exact ones. A request from one of them is handled as if it had no "
            "`Origin`: browsers send one on same-origin POSTs too.",
            default=(),
        ),
    ),
)

SUPPRESSION: Final = Record(
    "SuppressionEntry",
    "A finding of the linter that is accepted.",
    Suppression,
    (
        Field(
            "code",
            Text(pattern=CODE_PATTERN),
            "The finding's code, as `crossgate check` prints it in brackets.",
        ),
        Field("reason", Text(not_empty=True), "Why it is accepted."),
    ),
)

LINT: Final = Record(
    "LintEntry",
    "What the linter accepts in an API.",
    LintSettings,
    (Field("allow", ListOf(SUPPRESSION), "List of accepted findings.", default=()),),
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


def _default_endpoints(api: Api) -> tuple[str, ...]:
    return (default_endpoint(api.type, api.name, api.version),)


API: Final = Record(
    "ApiEntry",
    "An API: what the gateway serves, from which native service, under which policy.",
    Api,
    (
        Field("name", _NAME, f"1 to {MAX_NAME} letters, digits and `. _ ~ -`; part of the default endpoint."),
        Field(
            "version",
            _NAME,
            'Likewise. Quote a version that looks like a number: `"1.0"`.',
        ),
        Field("type", Choice(ApiType), "`rest`, `soap` or `odata`; it decides the default endpoint."),
        Field(
            "native",
            _NATIVE,
            "Base URL of the native service, `http` or `https` (its certificate is verified). What follows "
            "the endpoint in a request's path is appended to it.",
        ),
        Field(
            "native_timeout",
            Number(LEAST_NATIVE_TIMEOUT, MOST_NATIVE_TIMEOUT),
            "Seconds that the native service has for its whole answer, from 0.001 to 3600.",
            default=DEFAULT_NATIVE_TIMEOUT,
            default_doc="30",
        ),
        Field(
            "endpoints",
            ListOf(_ENDPOINT),
            "List of path prefixes under which the API is served, none inside another.",
            default=(),
            default_doc="`/gateway/{name}/{version}`, for SOAP `/ws/{name}/{version}`",
            default_of=_default_endpoints,
        ),
        Field(
            "cors",
            Delegated(_read_policy, CorsPolicy.to_dict, POLICY),
            "The CORS policy. Without it everything passes through untouched; `{}` allows nothing.",
            default=None,
            default_doc="pass-through",
        ),
        Field(
            "trusted_domains",
            ListOf(_DOMAIN),
            "List of domains that the API trusts, names below them included: `example.com`. With any, the "
            "linter proves that all that the policy and the API's applications admit lies within them.",
            default=(),
        ),
        Field(
            "lint",
            LINT,
            "Which of the linter's findings are accepted.",
            default=LintSettings(),
            default_doc="none",
        ),
    ),
)

APPLICATION: Final = Record(
    "ApplicationEntry",
    "A registered consumer of APIs. Its origins count as allowed origins of the APIs that it lists.",
    Application,
    (
        Field("name", _APPLICATION_NAME, f"1 to {MAX_NAME} printable characters; unique."),
        Field(
            "javascript_origins",
            ListOf(_ORIGIN),
            "List of the origins of the application's pages, exact ones; its APIs allow them.",
            default=(),
        ),
        Field("apis", ListOf(Text()), "List of APIs, as `name/version`.", default=()),
        Field("suspended", Boolean(), "While true, its origins are ignored.", default=False),
    ),
)

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


@dataclass(frozen=True, slots=True)
class Document:
    """The sections of a document."""

    gateway: Gateway = field(default_factory=Gateway)
    settings: Mapping[str, object] = field(default_factory=dict)
    """As they were written; :func:`crossgate.policy.read_server_policy` reads them."""
    apis: tuple[Api, ...] = ()
    applications: tuple[Application, ...] = ()


DOCUMENT: Final = Record(
    "Document",
    "Everything that a Crossgate gateway serves and enforces.",
    Document,
    (
        Field("gateway", GATEWAY, "The gateway's own settings.", default=Gateway()),
        Field("settings", Delegated(_read_settings, dict, SETTINGS), "Server-level CORS.", default={}),
        Field("apis", ListOf(API), "The APIs that the gateway publishes.", default=()),
        Field("applications", ListOf(APPLICATION), "The consumers of the APIs.", default=()),
    ),
)
