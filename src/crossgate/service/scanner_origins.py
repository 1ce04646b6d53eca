"""Origins that public scanners for CORS mistakes send. Facts about them; no origin is judged by them.

Sources: https://github.com/s0md3v/Corsy (``core/tests.py``), https://github.com/chenjj/CORScanner
(``common/corscheck.py``, ``origins.json``), https://github.com/projectdiscovery/nuclei-templates
(``http/vulnerabilities/generic/cors-misconfig.yaml``), ZAP (https://www.zaproxy.org/docs/alerts/40040/),
https://portswigger.net/burp/documentation/collaborator, https://github.com/projectdiscovery/interactsh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

_HOSTS: Final = {
    "evil.com": "CORScanner",
    "example.com": "Corsy",
    "attacker.com": "many scanners",
    "evil.example": "many scanners",
    "attacker.example": "many scanners",
    "evil.org": "many scanners",
    "evil.net": "many scanners",
    "hacker.com": "many scanners",
    "malicious.com": "many scanners",
    "evil-site.com": "many scanners",
    "malicious-site.com": "many scanners",
}
_DOMAINS: Final = {
    "burpcollaborator.net": "Burp",
    "oastify.com": "Burp",
    "bxss.me": "Acunetix",
    "interact.sh": "nuclei",
    "oast.pro": "nuclei",
    "oast.live": "nuclei",
    "oast.site": "nuclei",
    "oast.online": "nuclei",
    "oast.fun": "nuclei",
    "oast.me": "nuclei",
}
"""Domains below which a scanner waits for requests."""
_THIRD_PARTIES: Final = frozenset(
    {
        "https://github.com",
        "https://gitlab.com",
        "https://pastebin.com",
        "http://jsbin.com",
        "https://codepen.io",
        "https://jsfiddle.net",
        "http://whatever.s3.amazonaws.com",
    }
)
_ZAP: Final = re.compile(r"https?://[A-Za-z0-9]{8}\.com")
_LOCALHOST_INSIDE: Final = re.compile(r"https?://localhost\.[a-z0-9]+\.com")
_HOST: Final = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#:@]*)", re.IGNORECASE)


def find_scanner(origin: str, own_hosts: Iterable[str], domain_of: Callable[[str], str | None]) -> str | None:
    """What shows that a scanner sends the origin; None if nothing does.

    ``own_hosts`` are hosts that a scanner knows: the gateway's own, and those of allowed origins.
    ``domain_of`` returns the registrable domain of a host.
    """
    found = _HOST.match(origin)
    if found is None:
        return None
    host = found[1].lower()
    if host in _HOSTS:
        return f"{_HOSTS[host]} sends the host {host}"
    for domain, scanner in _DOMAINS.items():
        if host.endswith(f".{domain}"):
            return f"{domain} is where {scanner} waits for requests"
    if origin in _THIRD_PARTIES:
        return "CORScanner sends this origin"
    if _ZAP.fullmatch(origin) and origin != origin.lower():
        return "ZAP sends eight random letters and digits; browsers send no upper-case letters"
    if _LOCALHOST_INSIDE.fullmatch(origin):
        return "nuclei sends localhost as the beginning of another domain"
    for own in own_hosts:
        shape = find_shape(host, own, domain_of)
        if shape is not None:
            return f"{shape}, as Corsy, CORScanner and nuclei send it"
    return None


def find_shape(host: str, own: str, domain_of: Callable[[str], str | None]) -> str | None:
    """How the host is made from one of another domain; None if it is not."""
    if "." not in own or host == own:
        return None
    if host == f"evil.{own}":
        return f"evil stands before {own}"
    if host.endswith(f".{own}"):
        return None
    if not (domain_of(host) or "").startswith(domain_of(own) or own):
        if host.startswith(own):
            return f"{own} stands at the beginning of a name in another domain"
        if f".{own}." in host:
            return f"{own} stands inside a name in another domain"
    if host.endswith(own):
        return f"letters stand before {own} without a dot"
    if len(host) == len(own) and all(
        sign == other or (other == "." and sign.isalnum()) for sign, other in zip(host, own, strict=True)
    ):
        return f"another character stands for a dot of {own}"
    return None
