"""The objects of a catalogue: APIs, applications and the gateway's settings, already validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from crossgate.catalogue.labels import Labels
from crossgate.catalogue.limits import Limits
from crossgate.catalogue.telemetry import AccessLog, Telemetry
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.net.address import HostPort
from crossgate.policy import CorsPolicy, SameOrigin, ServerPolicy

DEFAULT_LISTEN: Final = HostPort("127.0.0.1", 8080)
CODE_PATTERN: Final = "[a-z0-9-]+"
"""The syntax of the codes of lint findings."""


class ApiType(StrEnum):
    """The kind of an API's service; it decides the default endpoint."""

    REST = "rest"
    SOAP = "soap"
    ODATA = "odata"


@dataclass(frozen=True, slots=True)
class NativeService:
    """The HTTP service behind an API: scheme ``http`` or ``https`` (verified), address and base path."""

    scheme: str
    host: str
    """A domain name, an IPv4 address, or an IPv6 address without brackets."""
    port: int
    base_path: str = ""
    """Precedes the rest of a request's path; begins with a slash and ends without one, or is empty."""

    @property
    def authority(self) -> str:
        """The ``Host`` header sent to the native service, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding of the linter that is accepted, and the reason."""

    code: str
    reason: str
    entry: str | None = None
    """What the finding shows as found; None if it shows nothing, and in suppressions of old versions."""


@dataclass(frozen=True, slots=True)
class LintSettings:
    """What the linter accepts in an object."""

    allow: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainOwnership:
    """What the operator knows about who has the names below a domain."""

    shared: tuple[str, ...] = ()
    """Domains below which different people have names; ``*.`` before one stands for one more label."""
    single_owner: tuple[str, ...] = ()
    """Domains below which one company has all names, whatever the linter's lists say."""


@dataclass(frozen=True, slots=True)
class GatewayLint(LintSettings):
    """What the linter accepts in the gateway object, and what it counts with everywhere."""

    shared_domains: tuple[str, ...] = ()
    single_owner_domains: tuple[str, ...] = ()

    @property
    def domains(self) -> DomainOwnership:
        """Both lists."""
        return DomainOwnership(self.shared_domains, self.single_owner_domains)


@dataclass(frozen=True, slots=True)
class Api:
    """One API; ``key`` names it everywhere."""

    name: str
    version: str
    type: ApiType
    native: NativeService
    endpoints: tuple[str, ...] = ()
    """Path prefixes, normalised, without a slash at the end; given none, the default one."""
    cors: CorsPolicy | None = None
    native_timeout: float | None = None
    """Seconds to begin an answer, 0 for no limit; None for the gateway's, here and in the next two."""
    native_idle_timeout: float | None = None
    websocket_idle_timeout: float | None = None
    trusted_domains: tuple[str, ...] = ()
    """If there are any, every origin that the policy and the applications admit must lie within them."""
    owner: str = ""
    labels: Labels = ()
    lint: LintSettings = LintSettings()

    def __post_init__(self) -> None:
        if not self.endpoints:
            object.__setattr__(self, "endpoints", (default_endpoint(self.type, self.name, self.version),))

    @property
    def key(self) -> str:
        """``name/version``, by which applications and commands refer to the API."""
        return f"{self.name}/{self.version}"


def default_endpoint(api_type: ApiType, name: str, version: str) -> str:
    """The endpoint of an API that lists none."""
    return f"/{'ws' if api_type is ApiType.SOAP else 'gateway'}/{name}/{version}"


@dataclass(frozen=True, slots=True)
class Application:
    """A registered consumer of APIs, with its own JavaScript origins."""

    name: str
    javascript_origins: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    """Keys of the associated APIs."""
    suspended: bool = False
    owner: str = ""
    labels: Labels = ()
    lint: LintSettings = LintSettings()


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of the PEM files with a certificate and its key."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class NativeClientCertificate:
    """Paths of the certificate that the gateway presents to some https native services, and of its key."""

    hosts: tuple[str, ...]
    """Lower-case domain names or IP addresses; ``*.`` before a domain stands for one or more labels."""
    certificate: str
    key: str

    @property
    def pair(self) -> Tls:
        """Both paths."""
        return Tls(self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's own settings."""

    listen: HostPort = DEFAULT_LISTEN
    tls: tuple[Tls, ...] = ()
    """The listener's: the name that a client requests chooses one, else the first. Empty: plain HTTP."""
    native_ca: str | None = None
    """Path of a PEM file with the authorities trusted for https native services; None for the system's."""
    native_client_certificates: tuple[NativeClientCertificate, ...] = ()
    public_origins: tuple[str, ...] = ()
    same_origin: SameOrigin = SameOrigin.DETECT
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies whose ``X-Forwarded-*`` headers are believed."""
    denied_native_networks: tuple[str, ...] = ()
    """Networks in which no native service of a new or changed API may be."""
    limits: Limits = field(default_factory=Limits)
    underscore_headers: UnderscoreHeaders = UnderscoreHeaders.REJECT
    """What to do with requests that have a header name with an underscore."""
    telemetry: Telemetry = field(default_factory=Telemetry)
    access_log: AccessLog | None = None
    ready_path: bool = False
    """Whether the listener answers load balancers that ask whether it is ready."""
    lint: GatewayLint = GatewayLint()


@dataclass(frozen=True, slots=True)
class Settings:
    """The server-level settings, and what they configure."""

    values: Mapping[str, object] = field(default_factory=dict)
    """As they were written, ``lint`` included."""
    policy: ServerPolicy | None = None
    """None unless ``watt.server.cors.enabled`` is true."""
    disabled_policy: ServerPolicy | None = None
    """The policy that would be in force if they were enabled; None if they are, or name no origin."""
    lint: LintSettings = LintSettings()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every object of a gateway; its readers guarantee that they are consistent."""

    gateway: Gateway = Gateway()
    settings: Settings = field(default_factory=Settings)
    apis: Mapping[str, Api] = field(default_factory=dict)
    applications: Mapping[str, Application] = field(default_factory=dict)

    server_policy: ServerPolicy | None = field(init=False, repr=False, compare=False)
    """The policy of the settings with what the gateway says about its own origins; while it is set, no API's
    policy is enforced."""

    def __post_init__(self) -> None:
        policy, gateway = self.settings.policy, self.gateway
        if policy is not None:
            own = frozenset(gateway.public_origins), gateway.same_origin
            if own != (policy.public_origins, policy.same_origin):
                policy = replace(policy, public_origins=own[0], same_origin=own[1])
        object.__setattr__(self, "server_policy", policy)
