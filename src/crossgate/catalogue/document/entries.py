"""The document's shape: one model for each kind of mapping in it, and the source of its JSON Schema.

Docstrings here are what editors show to whoever writes a document. Values are parsed while the models are
filled, field by field, so that one bad field hides no other.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, SkipValidation

from crossgate.catalogue.document.cors_entry import CorsEntry, validate_cors
from crossgate.catalogue.document.field import Entry, each_parsed_by, parsed_by, text_parsed_by
from crossgate.catalogue.document.settings_entry import SettingsEntry
from crossgate.catalogue.model import (
    CODE_PATTERN,
    DEFAULT_NATIVE_TIMEOUT,
    LEAST_NATIVE_TIMEOUT,
    MOST_NATIVE_TIMEOUT,
    ApiType,
    NativeService,
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
from crossgate.net.address import HostPort, parse_listen_address
from crossgate.policy import CorsPolicy, parse_exact_origin


def _exact_origin(loose: object) -> str | Diagnostic:
    parsed = parse_exact_origin(loose)
    return parsed if isinstance(parsed, Diagnostic) else parsed.value


_Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$", max_length=MAX_NAME)]
_Endpoint = Annotated[str, Field(pattern=f"^{ENDPOINT_PATTERN}$", max_length=MAX_ENDPOINT)]
_Origin = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://[^/?#@\s*]+$")]


class TlsEntry(Entry):
    """The listener's certificate; with it the gateway speaks HTTPS only."""

    certificate: str
    """PEM file with the certificate and those that lead to its authority; relative to this document."""
    key: str
    """PEM file with the private key; relative to this document."""


class GatewayEntry(Entry):
    """The gateway's own settings."""

    listen: Annotated[HostPort, parsed_by(parse_listen_address, str)] = Field(
        default="127.0.0.1:8080", validate_default=True
    )
    """Address and port to listen on: `127.0.0.1:8080`, `0.0.0.0:8080`, `'[::1]:8080'`."""
    tls: TlsEntry | None = None
    """Certificate and key of the listener; without them it speaks HTTP in clear text."""
    native_ca: str | None = None
    """PEM file with the authorities trusted for https native services, relative to this document; without
    it, those that the system trusts."""
    public_origins: Annotated[tuple[str, ...], each_parsed_by(_exact_origin, _Origin)] = ()
    """The gateway's own origins: requests from them pass as if they had no Origin header."""


class SuppressionEntry(Entry):
    """A finding of the linter that is accepted."""

    code: Annotated[str, Field(pattern=f"^{CODE_PATTERN}$")]
    """The finding's code, as `crossgate check` shows it in brackets."""
    reason: Annotated[str, Field(min_length=1)]
    """Why it is accepted."""


class LintEntry(Entry):
    """What the linter is told about an API."""

    allow: list[SuppressionEntry] = Field(default=[])
    """Findings that are accepted, each with a reason."""


class ApiEntry(Entry):
    """An API: what the gateway serves, from which native service, under which policy."""

    name: Annotated[str, text_parsed_by(parse_name, _Name)]
    """Letters, digits and `. _ ~ -`; part of the default endpoint."""
    version: Annotated[str, text_parsed_by(parse_name, _Name)]
    """A text, so quote it: `"1.0"`; part of the default endpoint."""
    type: Annotated[ApiType, Field(strict=False)]
    """`rest`, `soap` or `odata`; it decides the default endpoint."""
    native: Annotated[NativeService, text_parsed_by(parse_native_url, str)]
    """Base URL of the native service; the certificate of an https one is verified."""
    native_timeout: Annotated[
        float, Field(ge=LEAST_NATIVE_TIMEOUT, le=MOST_NATIVE_TIMEOUT, allow_inf_nan=False)
    ] = DEFAULT_NATIVE_TIMEOUT
    """Seconds that the native service has for its whole answer, from 0.001 to 3600."""
    endpoints: Annotated[tuple[str, ...], each_parsed_by(parse_endpoint, _Endpoint)] = ()
    """Path prefixes under which the API is served. Without any: `/gateway/{name}/{version}`, for SOAP
    `/ws/{name}/{version}`. None may lie inside another."""
    cors: Annotated[CorsPolicy | None, PlainValidator(validate_cors, json_schema_input_type=CorsEntry)] = (
        Field(default=None)
    )
    """The CORS policy. Leave it out, and everything passes through to the native service untouched."""
    trusted_domains: Annotated[tuple[str, ...], each_parsed_by(parse_trusted_domain, str)] = ()
    """Whom this API trusts: `example.com`, names below it included. With any of these the linter proves that
    all that the policy admits, its applications' origins included, lies within them."""
    lint: LintEntry = Field(default_factory=LintEntry)
    """Which of the linter's findings are accepted."""


class ApplicationEntry(Entry):
    """A registered consumer of APIs. Its origins count as allowed origins of the APIs it names."""

    name: Annotated[
        str, text_parsed_by(parse_application_name, Annotated[str, Field(min_length=1, max_length=MAX_NAME)])
    ]
    """What the application is called; no two alike."""
    javascript_origins: Annotated[tuple[str, ...], each_parsed_by(_exact_origin, _Origin)] = ()
    """The origins that the application's pages are served from; exact values only."""
    apis: list[str] = Field(default=[])
    """The APIs that it is associated with, as `name/version`."""
    suspended: bool = False
    """While true, its origins count for nothing."""


class DocumentEntry(Entry):
    """Everything that a Crossgate gateway serves and enforces."""

    gateway: GatewayEntry = Field(default_factory=GatewayEntry)
    settings: SkipValidation[SettingsEntry] = Field(default_factory=SettingsEntry)
    apis: list[ApiEntry] = Field(default=[])
    """The APIs that the gateway publishes."""
    applications: list[ApplicationEntry] = Field(default=[])
    """The consumers of the APIs."""
