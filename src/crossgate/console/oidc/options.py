"""The file that `crossgate run --oidc` names: which provider, and which of its groups have which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.files import read_text
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.record import Choice, Field, Invalid, ListOf, Nullable, Number, Parsed, Record, Text
from crossgate.service.permission import Role, find_limit_errors

SECRET_VARIABLE: Final = "CROSSGATE_OIDC_CLIENT_SECRET"
MAX_HOURS: Final = 12
"""The longest session, which is that of a token's session too."""


@dataclass(frozen=True, slots=True)
class GroupRole:
    """What the members of a group may do."""

    group: str
    role: Role
    apis: tuple[str, ...] = ()
    """The APIs that they are limited to, as of a token; empty: all."""


@dataclass(frozen=True, slots=True)
class OidcOptions:
    """How people sign in with their company's provider."""

    issuer: str
    client_id: str
    console_url: str
    """The console as browsers reach it; scheme, host and port."""
    roles: tuple[GroupRole, ...]
    client_secret_file: str | None = None
    groups_claim: str = "groups"
    author_claim: str = "email"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    label: str = "Continue with company sign-in"
    session_hours: float = MAX_HOURS
    ca: str | None = None
    client_secret: str = ""
    """Read from the file or from the environment; empty for a public client."""

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self.session_hours)

    @property
    def console_host(self) -> str:
        """The host name under which browsers reach the console."""
        return urlsplit(self.console_url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console by https."""
        return self.console_url.startswith("https:")


def is_private_url(url: SplitResult) -> bool:
    """Whether the URL is https, or http to this machine, so that nobody on the network reads along."""
    if url.scheme == "https":
        return bool(url.hostname)
    try:
        return url.scheme == "http" and (
            url.hostname == "localhost" or ip_address(url.hostname or "").is_loopback
        )
    except ValueError:
        return False


def _parse_issuer(raw: object) -> str | Diagnostic:
    url = _split(raw)
    if url is not None and is_private_url(url) and not url.query and not url.fragment:
        return str(raw)
    return Diagnostic(
        "oidc-issuer",
        "the issuer must be an https URL without query and fragment; http only to this machine",
        "Write the issuer as the provider's /.well-known/openid-configuration has it",
        found=repr(raw),
    )


def _parse_console_url(raw: object) -> str | Diagnostic:
    url = _split(raw)
    if (
        url is not None
        and is_private_url(url)
        and url.path in ("", "/")
        and not url.query
        and not url.fragment
    ):
        return f"{url.scheme}://{url.netloc}"
    return Diagnostic(
        "oidc-console-url",
        "the URL of the console must be https, without a path; http only to this machine",
        "Write scheme, host and port as browsers have them: https://console.example.com",
        found=repr(raw),
    )


def _split(raw: object) -> SplitResult | None:
    try:
        url = urlsplit(raw) if isinstance(raw, str) and raw.isascii() and raw.isprintable() else None
        _ = url.port if url is not None else None
    except ValueError:
        return None
    return None if url is None or url.username or " " in str(raw) else url


_ROLE: Final = Record(
    "GroupRole",
    "The role of a group's members.",
    GroupRole,
    (
        Field("group", Text(not_empty=True), "The group as the provider names it."),
        Field("role", Choice(Role), "`viewer`, `editor` or `admin`."),
        Field(
            "apis",
            ListOf(Text(not_empty=True)),
            "Names of the APIs that its members are limited to, such as `team-a-*`; not for admins.",
            default=(),
            default_doc="all",
        ),
    ),
)

OIDC: Final = Record(
    "Oidc",
    "Sign-in with a company's OpenID provider.",
    OidcOptions,
    (
        Field("issuer", Parsed(_parse_issuer), "The provider, as it names itself."),
        Field("client_id", Text(not_empty=True), "The name under which the provider knows this console."),
        Field(
            "client_secret_file",
            Nullable(Text(not_empty=True)),
            f"File with the client's secret, below the folder of this file unless absolute. The variable "
            f"`{SECRET_VARIABLE}` takes precedence. Without both, the client is public.",
            default=None,
            default_doc="none",
        ),
        Field(
            "console_url",
            Parsed(_parse_console_url),
            "The console as browsers reach it. At the provider, register `/sign-in/company/callback` there.",
        ),
        Field("roles", ListOf(_ROLE), "Which group has which role. Who is in none of them cannot sign in."),
        Field(
            "groups_claim", Text(not_empty=True), "The claim that lists a person's groups.", default="groups"
        ),
        Field(
            "author_claim",
            Text(not_empty=True),
            "The claim that names a person in revisions, after the prefix `oidc:`.",
            default="email",
        ),
        Field(
            "scopes",
            ListOf(Text(pattern=r"[!#-\[\]-~]+")),
            "The scopes to request. Many providers want another one for groups.",
            default=("openid", "profile", "email"),
            default_doc="`openid`, `profile`, `email`",
        ),
        Field(
            "label",
            Text(not_empty=True),
            "The words on the button.",
            default="Continue with company sign-in",
        ),
        Field(
            "session_hours",
            Number(0.1, MAX_HOURS),
            f"Hours until a session ends, up to {MAX_HOURS}.",
            default=float(MAX_HOURS),
            default_doc=str(MAX_HOURS),
        ),
        Field(
            "ca",
            Nullable(Text(not_empty=True)),
            "PEM file with the authorities of the provider's certificate.",
            default=None,
            default_doc="the system's",
        ),
    ),
)


def read_oidc_options(path: Path, environment: Mapping[str, str]) -> OidcOptions:
    """The options in the file, with the client's secret.

    Raises:
        InvalidInput: with every error, at its line and column.

    """
    text = read_text(path)
    if isinstance(text, Diagnostic):
        raise InvalidInput([text])
    source, errors = parse_yaml(text)
    if source is None:
        raise InvalidInput(_at(one, str(path)) for one in errors)
    options = OIDC.read(source.root)
    found = list(options.diagnostics) if isinstance(options, Invalid) else list(_find_errors(options))
    if errors or found:
        located = (
            Diagnostic(
                one.code,
                one.message,
                one.remedy,
                source.locate(one.place, str(path), key=one.code == "unknown-key"),
                one.found,
            )
            for one in found
        )
        raise InvalidInput([*(_at(one, str(path)) for one in errors), *located])
    assert not isinstance(options, Invalid)  # noqa: S101 - it would be among the errors
    return replace(options, client_secret=_read_secret(options, path.parent, environment))


def _find_errors(options: OidcOptions) -> list[Diagnostic]:
    errors = []
    if not options.roles:
        errors.append(
            Diagnostic(
                "oidc-roles",
                "no group has a role, so nobody could sign in",
                "Add for example {group: platform-team, role: admin}",
                Place(("roles",)),
            )
        )
    if "openid" not in options.scopes:
        errors.append(
            Diagnostic(
                "oidc-scopes", "the scope openid is missing", "Add openid to the scopes", Place(("scopes",))
            )
        )
    for index, one in enumerate(options.roles):
        errors += (found.within("roles", index) for found in find_limit_errors(one.apis, one.role))
    return errors


def _read_secret(options: OidcOptions, folder: Path, environment: Mapping[str, str]) -> str:
    if environment.get(SECRET_VARIABLE):
        return environment[SECRET_VARIABLE]
    if options.client_secret_file is None:
        return ""
    secret = read_text(folder / options.client_secret_file)
    if isinstance(secret, Diagnostic):
        raise InvalidInput([secret])
    return secret.strip()


def _at(found: Diagnostic, file: str) -> Diagnostic:
    return replace(found, place=replace(found.place, file=file))
