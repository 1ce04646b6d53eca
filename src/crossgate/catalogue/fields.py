"""The tables of fields: every key of a document, how its value is read, its default and its documentation.

From these tables come the reader, the writer, the JSON Schema and the tables of ``docs/reference/file.md``. A
new key is a line here and an attribute in :mod:`crossgate.catalogue.model`. The tables of policies and of
server-level settings are in :mod:`crossgate.policy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.catalogue.labels import (
    LABEL_KEY_PATTERN,
    LABEL_VALUE_PATTERN,
    MAX_OWNER,
    parse_label_key,
    parse_label_value,
    parse_owner,
)
from crossgate.catalogue.limits import API_TIMES, LIMITS, Limits
from crossgate.catalogue.model import (
    CODE_PATTERN,
    DEFAULT_LISTEN,
    Api,
    ApiType,
    Application,
    Gateway,
    GatewayLint,
    LintSettings,
    NativeClientCertificate,
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
    parse_shared_domain,
    parse_trusted_domain,
)
from crossgate.catalogue.native_hosts import find_repeated_hosts, parse_native_host
from crossgate.catalogue.telemetry import ACCESS_LOG, TELEMETRY, Telemetry
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic
from crossgate.net.address import parse_listen_address, parse_network
from crossgate.policy import SameOrigin, parse_exact_origin
from crossgate.policy.cors_policy import POLICY, POLICY_ENTRY
from crossgate.policy.other_names import OTHER_NAMES
from crossgate.policy.server_cors import SETTINGS as SERVER_SETTINGS
from crossgate.record import (
    Boolean,
    CheckedKind,
    Choice,
    Delegated,
    Field,
    Invalid,
    ListOf,
    Nullable,
    OneOrMore,
    Pairs,
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
_ORIGIN: Final = Parsed(_parse_origin, _string(pattern=r"^[a-z][a-z0-9+.-]*://[^/?#@\s*]*$"))
_DOMAIN: Final = Parsed(parse_trusted_domain)
_SHARED_DOMAIN: Final = Parsed(parse_shared_domain)

_NATIVE_HOST: Final = Parsed(parse_native_host)


def _find_no_host(hosts: Sequence[str]) -> list[Diagnostic]:
    if hosts:
        return []
    return [Diagnostic("wrong-type", "expected at least one host", "Name the native services", found="[]")]


TLS: Final = Record(
    "TlsEntry",
    "A certificate of the listener. With one the gateway serves HTTPS only.",
    Tls,
    (
        Field("certificate", Text(), "PEM file with the certificate and its chain."),
        Field("key", Text(), "PEM file with the private key."),
    ),
)

NATIVE_CLIENT_CERTIFICATE: Final = Record(
    "NativeClientCertificateEntry",
    "The certificate that the gateway presents to some `https` native services.",
    NativeClientCertificate,
    (
        Field(
            "hosts",
            CheckedKind(ListOf(_NATIVE_HOST), _find_no_host),
            "List of the native services' hosts: `partner.example`, an IP address, or `*.internal.example` "
            "for every name below it. The exact name has precedence, then the longest wildcard.",
        ),
        *TLS.fields,
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
        Field(
            "entry",
            Nullable(Text()),
            "The entry that the finding is about, as the finding shows it after `found`. Leave it out only "
            "for a finding that shows none.",
            default=None,
            default_doc="none",
        ),
        Field("reason", Text(not_empty=True), "Why it is accepted."),
    ),
)

LINT: Final = Record(
    "LintEntry",
    "What the linter accepts in the object.",
    LintSettings,
    (Field("allow", ListOf(SUPPRESSION), "List of accepted findings.", default=()),),
)

_LINT: Final = Field(
    "lint",
    LINT,
    "Which of the linter's findings are accepted.",
    default=LintSettings(),
    default_doc="none",
)

_OWNERSHIP: Final = (
    Field(
        "owner",
        Parsed(parse_owner, _string(minLength=1, maxLength=MAX_OWNER), string_only=True),
        f"Who answers for it, for people: at most {MAX_OWNER} characters.",
        default="",
    ),
    Field(
        "labels",
        Pairs(
            Parsed(parse_label_key, _string(pattern=f"^{LABEL_KEY_PATTERN}$")),
            Parsed(parse_label_value, _string(pattern=f"^{LABEL_VALUE_PATTERN}$"), string_only=True),
        ),
        "Mapping by which selectors find it, with the syntax of Kubernetes' labels: `{team: checkout}`.",
        default=(),
    ),
)

GATEWAY_LINT: Final = Record(
    "GatewayLintEntry",
    "What the linter accepts in the gateway object, and what it counts with in all objects.",
    GatewayLint,
    (
        *LINT.fields,
        Field(
            "shared_domains",
            ListOf(_SHARED_DOMAIN),
            "List of domains below which different people have names, in addition to the public suffix list "
            "and to Crossgate's supplement: `apps.example.com`, or `*.apps.example.com` if they have names "
            "below each `region.apps.example.com`.",
            default=(),
        ),
        Field(
            "single_owner_domains",
            ListOf(_SHARED_DOMAIN),
            "List of domains that the linter's lists call shared, and below which one company has all names: "
            "`atlassian.net` at Atlassian. Rules of registries, such as `co.uk`, always apply.",
            default=(),
        ),
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
            OneOrMore(TLS),
            "Certificate and key of the listener, or a list of such pairs; with them the gateway serves "
            "HTTPS only. Of several, the name that the client requests (SNI) chooses one; the first is the "
            "default.",
            default=(),
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
            "native_client_certificates",
            CheckedKind(ListOf(NATIVE_CLIENT_CERTIFICATE), find_repeated_hosts),
            "List of certificates that the gateway presents to `https` native services, chosen by their "
            "host.",
            default=(),
        ),
        Field(
            "public_origins",
            ListOf(_ORIGIN),
            "The gateway's own origins, exact ones. A request from one of them is handled as if it had no "
            "`Origin`: browsers send one on same-origin POSTs too.",
            default=(),
        ),
        Field(
            "same_origin",
            Choice(SameOrigin),
            "How other requests from the gateway's own pages are recognised: `detect` by `Sec-Fetch-Site: "
            "same-origin`, which browsers send over https and to loopback addresses; `listed` not at all. "
            "Recognised ones are handled as if they had no `Origin`.",
            default=SameOrigin.DETECT,
        ),
        Field(
            "trusted_proxies",
            ListOf(Parsed(parse_network, string_only=True)),
            "Networks of the proxies in front of the gateway: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`. "
            "Their `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed; everybody "
            "else's are replaced.",
            default=(),
        ),
        Field(
            "denied_native_networks",
            ListOf(Parsed(parse_network, string_only=True)),
            "Networks in which no native service of a new or changed API may be, such as `169.254.0.0/16` "
            "with the metadata service of a cloud. A name is resolved when the API is saved, not later.",
            default=(),
        ),
        Field("limits", LIMITS, "Times, sizes and numbers.", default=Limits(), default_doc="those below"),
        Field(
            "underscore_headers",
            Choice(UnderscoreHeaders),
            "What to do with requests that have a header name with an underscore: `reject` (400) or `allow`, "
            "except names that native services may take for one that the gateway sets, removes or judges, "
            "and all that begin with `x_`: those headers are removed.",
            default=UnderscoreHeaders.REJECT,
            default_doc="`reject`",
        ),
        Field(
            "telemetry",
            TELEMETRY,
            "What nodes report about requests.",
            default=Telemetry(),
            default_doc="as below",
        ),
        Field(
            "access_log",
            Nullable(ACCESS_LOG),
            "A file with a line for each refused request, or for each request.",
            default=None,
            default_doc="none",
        ),
        Field(
            "ready_path",
            Boolean(),
            "Whether the listener answers `/.well-known/crossgate/ready`, for load balancers: 200, or 503 "
            "before it stops. No policy applies to that path.",
            default=False,
        ),
        Field(
            "lint",
            GATEWAY_LINT,
            "Which of the linter's findings are accepted, and which domains it calls shared.",
            default=GatewayLint(),
            default_doc="none",
        ),
    ),
)


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
            "Base URL of the native service, `http` or `https` (its certificate is verified); not an address "
            "of the gateway itself. What follows the endpoint in a request's path is appended to it.",
        ),
        *API_TIMES,
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
            POLICY_ENTRY,
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
        *_OWNERSHIP,
        _LINT,
    ),
    {
        **dict.fromkeys(
            ("cors_policy", "cors_configuration", "cors_configurations", "cors_config", "enable_cors"), "cors"
        ),
        **dict.fromkeys(
            ("upstream", "upstream_url", "backend", "backend_url", "service_url", "target", "target_url"),
            "native",
        ),
        **dict.fromkeys(("native_url", "native_service", "url", "uri", "proxy_pass"), "native"),
        **dict.fromkeys(("path", "paths", "base_path", "listen_path", "endpoint", "routes"), "endpoints"),
        **dict.fromkeys(("timeout", "read_timeout", "timeout_seconds"), "native_timeout"),
        **dict.fromkeys(("proxy_read_timeout", "proxy_send_timeout"), "native_idle_timeout"),
        **dict.fromkeys(OTHER_NAMES, "cors, under which the properties of a policy stand"),
        **dict.fromkeys(
            (field.name for field in POLICY.fields), "cors, under which the properties of a policy stand"
        ),
    },
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
        *_OWNERSHIP,
        _LINT,
    ),
    dict.fromkeys(
        ("origins", "origin", "allowed_origins", "allow_origins", "redirect_origins"), "javascript_origins"
    ),
)


def _read_settings(raw: object) -> Mapping[str, object] | Invalid:
    return raw if isinstance(raw, Mapping) else wrong_type("a mapping", raw, "Write keys and values")


SETTINGS: Final = replace(SERVER_SETTINGS, fields=(*SERVER_SETTINGS.fields, _LINT))
_SETTINGS: Final = Delegated(_read_settings, dict, SETTINGS)


@dataclass(frozen=True, slots=True)
class Document:
    """The sections of a document."""

    gateway: Gateway = field(default_factory=Gateway)
    settings: Mapping[str, object] = field(default_factory=dict)
    """As they were written; :mod:`crossgate.catalogue.reader` reads them."""
    apis: tuple[Api, ...] = ()
    applications: tuple[Application, ...] = ()


DOCUMENT: Final = Record(
    "Document",
    "Everything that a Crossgate gateway serves and enforces.",
    Document,
    (
        Field("gateway", GATEWAY, "The gateway's own settings.", default=Gateway()),
        Field("settings", _SETTINGS, "Server-level CORS.", default={}),
        Field("apis", ListOf(API), "The APIs that the gateway publishes.", default=()),
        Field("applications", ListOf(APPLICATION), "The consumers of the APIs.", default=()),
    ),
    {
        "services": "apis",
        "routes": "apis",
        "consumers": "applications",
        "clients": "applications",
        "server": "gateway",
        "cors": "cors, under an entry of apis",
    },
)
