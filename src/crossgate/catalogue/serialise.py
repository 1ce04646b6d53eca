"""APIs, applications and the gateway's settings as a document has them: plain values for YAML and JSON.

What is at its default is left out, except the address to listen on.
"""

from __future__ import annotations

from crossgate.catalogue.model import DEFAULT_NATIVE_TIMEOUT, Api, Application, Gateway, default_endpoint


def gateway_to_dict(gateway: Gateway) -> dict[str, object]:
    """The entry under ``gateway``."""
    written: dict[str, object] = {"listen": str(gateway.listen)}
    if gateway.tls is not None:
        written["tls"] = {"certificate": gateway.tls.certificate, "key": gateway.tls.key}
    if gateway.native_ca is not None:
        written["native_ca"] = gateway.native_ca
    if gateway.public_origins:
        written["public_origins"] = list(gateway.public_origins)
    return written


def api_to_dict(api: Api) -> dict[str, object]:
    """The entry under ``apis``."""
    written: dict[str, object] = {
        "name": api.name,
        "version": api.version,
        "type": api.type.value,
        "native": str(api.native),
    }
    if api.native_timeout != DEFAULT_NATIVE_TIMEOUT:
        written["native_timeout"] = api.native_timeout
    if api.endpoints != (default_endpoint(api.type, api.name, api.version),):
        written["endpoints"] = list(api.endpoints)
    if api.cors is not None:
        written["cors"] = api.cors.to_dict()
    if api.trusted_domains:
        written["trusted_domains"] = list(api.trusted_domains)
    if api.suppressions:
        allowed = [{"code": found.code, "reason": found.reason} for found in api.suppressions]
        written["lint"] = {"allow": allowed}
    return written


def application_to_dict(application: Application) -> dict[str, object]:
    """The entry under ``applications``."""
    written: dict[str, object] = {"name": application.name}
    if application.javascript_origins:
        written["javascript_origins"] = list(application.javascript_origins)
    if application.apis:
        written["apis"] = list(application.apis)
    if application.suspended:
        written["suspended"] = True
    return written
