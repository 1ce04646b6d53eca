"""The syntax of native services' base URLs."""

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
class _Error:
    reason: str
    remedy: str


_INVALID_HOST: Final = _Error(
    "has an invalid host", "Write a domain name or an IP address; IPv6 in brackets: [::1]"
)


def parse_native_url(raw: object) -> NativeService | Diagnostic:
    """The native service at a base URL: ``http`` or ``https``, a host, optionally a port and a path."""
    parsed = (
        _parse(raw) if isinstance(raw, str) else _Error("must be a string", "Write http://host:port/path")
    )
    if isinstance(parsed, NativeService):
        return parsed
    found = raw if isinstance(raw, str) else repr(raw)
    return Diagnostic(
        "native-invalid", f"the native service's URL {parsed.reason}", parsed.remedy, found=found
    )


def parse_host(text: str) -> str | None:
    """The host of a URL in lower case, an IP address in its shortest form; None if it is invalid."""
    host = _parse_host(text)
    return None if isinstance(host, _Error) else host


def _parse(text: str) -> NativeService | _Error:
    url = _URL.fullmatch(text)
    if url is None or url["scheme"].lower() not in _DEFAULT_PORTS:
        return _Error("must begin with http:// or https://", "Write http://host:port/path")
    if url["rest"]:
        return _Error("must not have a query or a fragment", f"Write {text[: -len(url['rest'])]}")
    if "@" in url["authority"]:
        return _Error("must not have user information", "Remove it; keep credentials out of documents")
    scheme = url["scheme"].lower()
    authority = _parse_authority(url["authority"], _DEFAULT_PORTS[scheme])
    base_path = _parse_path(url["path"])
    if isinstance(authority, _Error):
        return authority
    if isinstance(base_path, _Error):
        return base_path
    return NativeService(scheme, *authority, base_path)


def _parse_authority(text: str, default_port: int) -> tuple[str, int] | _Error:
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        return _INVALID_HOST
    port = default_port if parts["port"] is None else parse_port(parts["port"])
    if not port:
        return _Error("has an invalid port", "Write a port from 1 to 65535, or none")
    host = _parse_host(parts["host"])
    return host if isinstance(host, _Error) else (host, port)


def _parse_host(text: str) -> str | _Error:
    lower = text.lower()
    ip = parse_ip_address(lower)
    if ip is not None:
        return ip
    if not text:
        return _Error("must have a host", "Write http://host:port/path")
    if not text.isascii():
        return _Error("has a host that is not ASCII", "Write the host in punycode (xn--...)")
    # A host that ends in a number is an IPv4 address in another form (https://url.spec.whatwg.org/#hosts).
    ends_in_number = re.search(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", lower)
    return _INVALID_HOST if ends_in_number or not _DOMAIN.fullmatch(lower.removesuffix(".")) else lower


def _parse_path(text: str) -> str | _Error:
    path = text.removesuffix("/")
    if not path:
        return path
    if not _PATH.fullmatch(path):
        return _Error(
            "has a path with an empty segment or an invalid character",
            "Write the path as it is sent, with other characters escaped: a space as %20",
        )
    segments = path.replace("%2e", ".").replace("%2E", ".").split("/")
    if {".", ".."} & set(segments):
        return _Error("has dot segments in its path", "Write the path that they lead to")
    return path
