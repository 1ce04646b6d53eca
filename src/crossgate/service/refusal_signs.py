"""What a group of refusals looks like: an own page, an extension, an app, a scanner, a look-alike.

Each sign is a fact about the requests, with what shows it. A program can send any header, so that no sign
proves who sent them. Importing this module loads the linter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import printable
from crossgate.lint.proof import suffix_list
from crossgate.policy import (
    EffectivePolicy,
    ExactOrigin,
    Origin,
    ServerPolicy,
    WildcardOrigin,
    is_well_formed,
)
from crossgate.policy.look_alikes import looks_like, unicode_host
from crossgate.policy.names import NULL
from crossgate.policy.origin import is_hostless
from crossgate.policy.same_origin import SAME_ORIGIN
from crossgate.service.recorded_requests import Policy
from crossgate.service.refusals import CUT, RefusalGroup
from crossgate.service.scanner_origins import find_scanner, find_shape


class SignKind(StrEnum):
    """What refused requests look like."""

    SCANNER = "scanner"
    LOOK_ALIKE = "look-alike"
    RETIRED = "retired"
    OWN_PAGE = "own-page"
    EXTENSION = "extension"
    APP = "app"
    LOCAL_PAGE = "local-page"


HOSTILE: Final = frozenset({SignKind.SCANNER, SignKind.LOOK_ALIKE})
"""Signs of an attack, or of somebody who looks for a way to attack."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that a group looks like."""

    kind: SignKind
    sentence: str
    """What shows it; printable, whatever the requests sent."""

    @property
    def hostile(self) -> bool:
        """Whether it speaks against allowing the group."""
        return self.kind in HOSTILE


_BROWSERS: Final = frozenset(
    {
        "Android WebView",
        "Chrome",
        "Edge",
        "Electron",
        "Firefox",
        "Internet Explorer",
        "Opera",
        "Safari",
        "Samsung Internet",
        "UC Browser",
        "Vivaldi",
        "WebKit",
        "Yandex Browser",
    }
)
_SCANNER_FAMILY: Final = "scanner"
_EXTENSIONS: Final = {
    "chrome-extension": "Chrome and other browsers built on it",
    "moz-extension": "Firefox, which gives the extension another ID in each installation",
    "safari-web-extension": "Safari, which gives the extension another ID in each installation",
}
_APPS: Final = {
    "capacitor": "apps built with Capacitor",
    "ionic": "apps built with Ionic",
    "tauri": "apps built with Tauri",
    "app": "desktop apps",
    "file": "pages that were opened from a disk, and web views of apps",
}
_APP_ORIGINS: Final = {
    "http://localhost": "apps built with Ionic or Capacitor on Android",
    "https://localhost": "apps built with Capacitor on Android",
    "http://tauri.localhost": "apps built with Tauri on Windows",
    "https://tauri.localhost": "apps built with Tauri on Windows",
}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_MOST_OWN_HOSTS: Final = 200
_LEAST_LENGTH: Final = 5
"""Letters of the shortest label in which one other letter is a sign."""


def find_signs(
    catalogue: Catalogue, policy: Policy, group: RefusalGroup, retired: int | None = None
) -> tuple[Sign, ...]:
    """The signs of a group, hostile ones first; ``retired`` is the revision until which it was allowed."""
    origin = group.key.origin
    if not origin or origin.endswith(CUT):
        return ()
    own_hosts = [*_own_hosts(catalogue, policy)]
    signs = [
        *_scanner(group, own_hosts),
        *_look_alike(policy, group, own_hosts),
        *_retired(retired),
        *_own_page(group),
        *_program(origin),
    ]
    return tuple(signs)


def _from_browser(group: RefusalGroup) -> bool:
    """Whether a browser sent some of the requests, according to Fetch metadata."""
    return bool(group.seen_in.fetch_sites or group.seen_in.fetch_modes)


def _scanner(group: RefusalGroup, own_hosts: Sequence[str]) -> Iterator[Sign]:
    families = group.seen_in.user_agents
    if _SCANNER_FAMILY in families:
        yield Sign(SignKind.SCANNER, "A scanner names itself in its User-Agent")
    if _from_browser(group):
        return
    if group.key.origin == NULL:
        if families and _BROWSERS.isdisjoint(families):
            program = printable(families[0])
            yield Sign(SignKind.SCANNER, f"A program, not a browser, sends the origin null: {program}")
        return
    shown = find_scanner(group.key.origin, own_hosts, _domain_of)
    if shown is not None:
        yield Sign(SignKind.SCANNER, f"Scanners send such origins: {shown}")


def _look_alike(policy: Policy, group: RefusalGroup, own_hosts: Sequence[str]) -> Iterator[Sign]:
    origin = _parsed(group.key.origin)
    if origin is None or "." not in origin.host:
        return
    found = _find_look_alike(policy, origin, own_hosts)
    if found is not None:
        yield Sign(SignKind.LOOK_ALIKE, found)


def _find_look_alike(policy: Policy, origin: Origin, own_hosts: Sequence[str]) -> str | None:
    host = origin.host.removesuffix(".")
    hosts = frozenset(own_hosts)
    for other in looks_like(host):
        if other in hosts or _admits_host(policy, origin, other):
            shown = unicode_host(host)
            name = printable(host if shown == host else f"{shown} ({host})")
            return f"{name} looks like {other}, and is another name"
    domain = _domain_of(host)
    for own in own_hosts:
        shape = find_shape(host, own, _domain_of)
        if shape is not None:
            return f"{shape}: {host} belongs to {domain or host}"
        if domain is not None and _is_misspelt(domain, _domain_of(own)):
            return f"the domain {domain} is one letter away from {_domain_of(own)}"
    return None


def _admits_host(policy: Policy, origin: Origin, host: str) -> bool:
    if policy is None:
        return False
    candidates = (
        Origin(scheme, host, port) for scheme in (origin.scheme, "https") for port in (origin.port, None)
    )
    return any(is_well_formed(str(one)) and policy.origins.admits(str(one)) for one in candidates)


def _is_misspelt(domain: str, other: str | None) -> bool:
    """Whether the first labels differ in one letter: another, one more, one less, or two exchanged."""
    if other is None or domain == other:
        return False
    (one, _, suffix), (two, _, other_suffix) = domain.partition("."), other.partition(".")
    if suffix != other_suffix or min(len(one), len(two)) < _LEAST_LENGTH or abs(len(one) - len(two)) > 1:
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
    )
    rest, other_rest = one[start:], two[start:]
    if rest[:1].isdigit() and other_rest[:1].isdigit():
        return False  # shop1 and shop2 are a numbering
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )


def _retired(revision: int | None) -> Iterator[Sign]:
    if revision is not None:
        yield Sign(SignKind.RETIRED, f"It was allowed until revision {revision}")


def _own_page(group: RefusalGroup) -> Iterator[Sign]:
    sites = group.seen_in.fetch_sites
    if SAME_ORIGIN in sites:
        yield Sign(
            SignKind.OWN_PAGE, "A browser says that the page is the gateway's: Sec-Fetch-Site: same-origin"
        )
    elif "same-site" in sites:
        yield Sign(
            SignKind.OWN_PAGE,
            "A browser says that the page is of the gateway's own site: Sec-Fetch-Site: same-site",
        )


def _program(value: str) -> Iterator[Sign]:
    if value in _APP_ORIGINS:
        yield Sign(SignKind.APP, f"{_sentence(_APP_ORIGINS[value])} send it")
    origin = _parsed(value)
    if origin is None:
        return
    if origin.scheme in _EXTENSIONS:
        yield Sign(SignKind.EXTENSION, f"An extension of {_EXTENSIONS[origin.scheme]}")
    elif origin.scheme in _APPS:
        yield Sign(SignKind.APP, f"{_sentence(_APPS[origin.scheme])} send it")
    elif origin.host in _LOOPBACK or origin.host.endswith(".localhost"):
        yield Sign(SignKind.LOCAL_PAGE, "A page on the visitor's own machine, such as a developer's server")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _parsed(value: str) -> Origin | None:
    return Origin.of(value) if is_well_formed(value) or is_hostless(value) else None


def _own_hosts(catalogue: Catalogue, policy: Policy) -> Iterator[str]:
    """Hosts that a scanner would begin with, and their registrable domains: each once, some at most."""
    hosts = dict[str, None]()
    for origin in _own_origins(catalogue, policy):
        host = origin.host.removesuffix(".")
        hosts[host] = None
        domain = _domain_of(host)
        if domain is not None:
            hosts[domain] = None
        if len(hosts) >= _MOST_OWN_HOSTS:
            break
    yield from hosts


def _own_origins(catalogue: Catalogue, policy: Policy) -> Iterator[Origin]:
    for value in catalogue.gateway.public_origins:
        yield from filter(None, [_parsed(value)])
    patterns = () if policy is None else _patterns(policy)
    for pattern in patterns:
        match pattern:
            case ExactOrigin(value):
                yield from filter(None, [_parsed(value)])
            case WildcardOrigin():
                yield Origin(pattern.scheme, pattern.host, pattern.port)
            case _:
                pass
    if isinstance(policy, EffectivePolicy):
        for value in sorted(policy.application_origins)[:_MOST_OWN_HOSTS]:
            yield from filter(None, [_parsed(value)])


def _patterns(policy: EffectivePolicy | ServerPolicy) -> Sequence[object]:
    return policy.policy.allowed_origins if isinstance(policy, EffectivePolicy) else policy.allowed_origins


def _domain_of(host: str) -> str | None:
    return suffix_list().registrable_domain(host)
