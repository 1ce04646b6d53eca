"""The URL of a service of Kong: its own, or that of the first target of its upstream."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found
from crossgate.importers.kong.entities import Entities

_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https", "grpc": "", "grpcs": ""}


def native_of(entities: Entities, node: Cursor, diagnostics: list[Diagnostic]) -> Found[str] | None:
    """The base URL of a service; None if none can be made of it."""
    url = node["url"]
    if url.text:
        parts = _split(url.text)
        protocol, host, port, path = parts or ("", "", "", "")
        place, reason = url.place, "url of the service"
    else:
        protocol, host = node["protocol"].text or "http", node["host"].text or ""
        port, path = (
            node["port"].text or "80",  # Kong's default, for https, too: only a url without port has 443
            node["path"].text or "",
        )
        place, reason = (
            (node["host"] if host else node).place,
            "protocol, host, port and path of the service",
        )
    protocol = node["protocol"].text or protocol
    scheme = _SCHEMES.get(protocol, "")
    target = entities.upstream_target(host)
    if target is not None:
        entry, count = target
        host, _, port = (
            (entry.text or "").rpartition(":")
            if ":" in (entry.text or "")
            else (entry.text or "", "", "8000")
        )
        place, reason = entry.place, f"first target of the upstream {node['host'].text or host}"
        if count > 1:
            diagnostics.append(
                entry.diagnose(
                    "native-chosen",
                    f"the upstream has {count} targets; the native service is the first one",
                    "Put a load balancer in front of them, and name it with --native API=URL",
                    Severity.INFO,
                )
            )
    if not scheme or not host:
        diagnostics.append(
            node.diagnose(
                "native-undetermined",
                f"no native service can be made of the service's URL ({protocol or 'no'} protocol)",
                "Name its URL with --native API=URL",
            )
        )
        return None
    default = "443" if scheme == "https" else "80"
    authority = host if port in ("", default) else f"{host}:{port}"
    return Found(f"{scheme}://{authority}{path.rstrip('/')}", place, reason)


def _split(url: str) -> tuple[str, str, str, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    return parts.scheme, f"[{host}]" if ":" in host else host, "" if port is None else str(port), parts.path
