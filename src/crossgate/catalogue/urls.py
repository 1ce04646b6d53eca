"""Base URLs of native services."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import NativeService
from crossgate.diagnostics import Diagnostic
from crossgate.net.address import parse_ip_address, parse_port

_URL: Final = re.compile(
    r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?", re.DOTALL)
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Fault:
    reason: str
    remedy: str


def parse_native_url(loose: object) -> NativeService | Diagnostic:
    """The native service at a base URL: http or https, a host, perhaps a port and a path, nothing else."""
    parsed = _parse(loose) if isinstance(loose, str) else _Fault("is no text", "Write http://host:port/path")
    if isinstance(parsed, NativeService):
        return parsed
    found = loose if isinstance(loose, str) else repr(loose)
    return Diagnostic(
        "native-invalid", f"the native service's URL {parsed.reason}", parsed.remedy, found=found
    )


def _parse(text: str) -> NativeService | _Fault:
    url = _URL.fullmatch(text)
    if url is None or url["scheme"].lower() not in _DEFAULT_PORTS:
        return _Fault("begins with neither http:// nor https://", "Write http://host:port/path")
    if url["rest"]:
        return _Fault("has a query or a fragment", f"Leave it out: {text[: -len(url['rest'])]}")
    if "@" in url["authority"]:
        return _Fault("has user information", "Leave it out; credentials do not belong into this file")
    scheme = url["scheme"].lower()
    authority = _parse_authority(url["authority"], _DEFAULT_PORTS[scheme])
    base_path = _parse_path(url["path"])
    if isinstance(authority, _Fault):
        return authority
    if isinstance(base_path, _Fault):
        return base_path
    return NativeService(scheme, *authority, base_path)


def _parse_authority(text: str, default_port: int) -> tuple[str, int] | _Fault:
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        return _Fault(
            "has an impossible host", "Write a domain name or an IP address; IPv6 in brackets: [::1]"
        )
    port = default_port if parts["port"] is None else parse_port(parts["port"])
    if not port:
        return _Fault("has an impossible port", "Write a port from 1 to 65535, or none")
    host = _parse_host(parts["host"])
    return (host, port) if isinstance(host, str) else host


def _parse_host(text: str) -> str | _Fault:
    lower = text.lower()
    ip = parse_ip_address(lower)
    if ip is not None:
        return ip
    if not text:
        return _Fault("has no host", "Write http://host:port/path")
    if not text.isascii():
        return _Fault("has a host beyond ASCII", "Write the host in punycode (xn--...)")
    ends_in_number = re.search(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", lower)
    if ends_in_number or not _DOMAIN.fullmatch(lower.removesuffix(".")):
        return _Fault(
            "has an impossible host", "Write a domain name or an IP address; IPv6 in brackets: [::1]"
        )
    return lower


def _parse_path(text: str) -> str | _Fault:
    path = text.removesuffix("/")
    if not path:
        return path
    if not _PATH.fullmatch(path):
        return _Fault(
            "has a path with an empty segment or a character that no path has",
            "Write the path as it is sent, other characters escaped: a blank as %20",
        )
    segments = path.replace("%2e", ".").replace("%2E", ".").split("/")
    if {".", ".."} & set(segments):
        return _Fault("has dot segments in its path", "Write the path they lead to")
    return path
