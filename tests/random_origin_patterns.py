"""Random origin patterns, origins that they are likely to admit, and a second opinion on domains.

Used by the fuzzers in the test suite and, at any size, by ``make fuzz-proof``.
"""

from __future__ import annotations

import gc
import ipaddress
import random
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import publicsuffixlist
import tldextract

from crossgate.lint.proof import FactCode, MatchMode, Proof, Verdict
from crossgate.lint.proof.automaton import DEAD
from crossgate.lint.proof.budget import Budget, ExhaustedError
from crossgate.lint.proof.expression import Expression, read
from crossgate.lint.proof.shared_domains import SHARED_DOMAINS
from crossgate.lint.proof.suffix_list import suffix_list
from crossgate.policy.origin import Origin, is_well_formed

_SCHEMES = [
    "https://",
    "https?://",
    "http://",
    "^https:\\/\\/",
    "(https|http)://",
    ".*",
    "",
    "(?i)https://",
    "\\A\\w+://",
]
_WORDS = [
    "example",
    "foo",
    "a",
    "co",
    "github",
    "s3",
    "city",
    "kobe",
    "my-app",
    "xn--p1ai",
    "evil",
    "x_y",
    "b0",
]
_SUFFIXES = [
    "com",
    "co\\.uk",
    "github\\.io",
    "kobe\\.jp",
    "amazonaws\\.com",
    "compute\\.amazonaws\\.com",
    "ck",
    "net",
]
_SUFFIXES += [
    "localhost",
    "internal",
    "vercel\\.app",
    "www\\.ck",
    "city\\.kobe\\.jp",
    "platform\\.sh",
    "co.uk",
    "io",
]
_SUFFIXES += [
    "(com|net)",
    "co[m]",
    "[a-z]{2}",
    "[a-z]+",
    "s3\\.amazonaws\\.com",
    "(\\d+\\.){3}\\d+",
    "8\\.8\\.\\d+\\.\\d+",
    "8\\.8\\.[0-9]\\.1",
    "\\[2001:db8::[0-9a-f]+\\]",
    "futurecms\\.at",
]
_JOINTS = ["\\.", "\\.", "\\.", ".", "", "-", "[.]", "[^/]", "\\.?", "\\b", "(\\.|-)", "\\B", ".?"]
_OPEN = [
    ".*",
    ".+",
    "[a-z]+",
    "[a-z0-9-]*",
    "[^.]+",
    "\\w+",
    "[^/]*",
    "\\d{1,3}",
    "(?:[a-z]+\\.)*",
    "(a|b|)",
    "[a-c]",
]
_OPEN += [
    "[a-z]{1,2}",
    "(?:foo|bar)",
    "[[:alnum:]-]+",
    "(?i:Foo)",
    "[^a-z]*",
    "(www\\.)?",
    "[._-]",
    "\\S{0,3}",
]
_TAILS = [
    "",
    "",
    "",
    "$",
    "(:\\d+)?",
    ":\\d+",
    ":8080",
    ".*",
    ":443",
    "(:443)?",
    "\\.?",
    "(/.*)?",
    "[^.]*",
    "\\b.*",
]


def random_origin_pattern(rng: random.Random) -> str:
    """A pattern as people write it for origins, with typical mistakes."""
    if rng.random() < 0.1:
        return f"{random_origin_pattern(rng)}|{random_origin_pattern(rng)}"
    host = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3))):
        host += [rng.choice(_OPEN if rng.random() < 0.5 else _WORDS), rng.choice(_JOINTS)]
    host += [rng.choice(_SUFFIXES)]
    body = "".join(host)
    if rng.random() < 0.15:
        body = f"({body}|{rng.choice(_WORDS)}\\.{rng.choice(_SUFFIXES)})"
    return rng.choice(_SCHEMES) + body + rng.choice(_TAILS)


def random_mode(rng: random.Random) -> MatchMode:
    """A match mode, mostly the gateway's own."""
    return rng.choice([MatchMode.FULL] * 4 + [MatchMode.SEARCH, MatchMode.PREFIX])


def expressions(rng: random.Random) -> Iterator[Expression]:
    """Random patterns, endlessly; RE2 accepts all of them."""
    while True:
        try:
            yield read(random_origin_pattern(rng), random_mode(rng), Budget(1_000_000))
        except ExhaustedError:
            continue


def admitted_origins(rng: random.Random, expression: Expression, count: int) -> Iterator[str]:
    """Well-formed origins that RE2 matches: found along the automaton, or changed from the last one."""
    suffixes = list(suffix_list().root.children)
    last = "https://example.com"
    for number in range(count):
        origin = _walk(rng, expression)
        if number % 3 == 1:
            origin = _twist(rng, last, suffixes)
        if is_well_formed(origin) and expression.admits(origin):
            last = origin
            yield origin


def _walk(rng: random.Random, expression: Expression) -> str:
    automaton = expression.automaton
    text = rng.choice(("https://", "https://", "http://"))
    state = automaton.run(text)
    for _ in range(60):
        if state == DEAD or (automaton.accepts(state) and rng.random() < 0.25):
            break
        ways = [
            n for n, char in enumerate(automaton.exemplars) if _in_host(char) and automaton.step(state, n)
        ]
        if not ways:
            break
        klass = rng.choice(ways)
        chars = [c for c in "abcdeghiknomtuxyz0189-_.:!" if automaton.class_of[ord(c)] == klass]
        text += rng.choice(chars or [automaton.exemplars[klass]])
        state = automaton.step(state, klass)
    return text


def _in_host(char: str) -> bool:
    return char in "abcdefghijklmnopqrstuvwxyz0123456789-_.:!"


def _twist(rng: random.Random, origin: str, suffixes: list[str]) -> str:
    match rng.randrange(6):
        case 0:
            return re.sub(r"\.", lambda _: rng.choice(".x-."), origin)
        case 1:
            return origin + rng.choice((".evil.net", ".net", "evil.net", ".s3.amazonaws.com", ".localhost"))
        case 2:
            return origin.replace("://", "://" + rng.choice(("evil", "evil.", "evil-", "a.b.")), 1)
        case 3:
            return re.sub(r"\.[a-z]+$", lambda _: f".{rng.choice(suffixes)}", origin)
        case 4:
            return re.sub(r"\.([a-z]+)$", lambda _: f".{rng.choice(suffixes)}.{rng.choice(suffixes)}", origin)
        case _:
            at = rng.randrange(8, len(origin) + 1)
            return origin[:at] + rng.choice("abx0-.") + origin[at + rng.randrange(2) :]


_extract = tldextract.TLDExtract(
    suffix_list_urls=[Path(publicsuffixlist.PSLFILE).as_uri()],
    cache_dir=None,
    fallback_to_snapshot=False,
    include_psl_private_domains=True,
    extra_suffixes=tuple(SHARED_DOMAINS),
)
with warnings.catch_warnings():
    # The library leaves closing the list's file to the garbage collector.
    warnings.simplefilter("ignore", ResourceWarning)
    _extract.extract_str("example.com")
    gc.collect()


def second_opinion(host: str) -> str | None:
    """The registrable domain of a host by a library that the proof does not use; None without one."""
    return _extract.extract_str(host.removesuffix(".")).top_domain_under_public_suffix or None


_COMPANY_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_REGISTRY_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def uncovered(proof: Proof, origin: str) -> str | None:
    """Why an admitted http or https origin is not covered by the proof; None if it is covered."""
    host = Origin.of(origin).host
    kind = _kind(host)
    if kind is not None:
        return None if proof.fact(kind) else f"no fact {kind}"
    bare = host.removesuffix(".")
    domain = second_opinion(host)
    if domain is None:
        listed = bare.rpartition(".")[2] in suffix_list().root.children
        if not listed:
            # A harmless variant of an unescaped dot may go unreported.
            fine = proof.fact(FactCode.INTERNAL) or proof.fact(FactCode.UNESCAPED_DOT)
            return None if fine else "no fact internal"
        return None if proof.fact(FactCode.PUBLIC_SUFFIX_HOST) or not _dns(bare) else "no fact suffix host"
    if bare.rpartition(".")[2] not in suffix_list().root.children:
        fine = proof.fact(FactCode.INTERNAL) or proof.fact(FactCode.UNESCAPED_DOT)
        return None if fine else "no fact internal"
    if domain in proof.domains or not _dns(domain):
        return None
    return f"domain {domain} is not listed"


def _dns(name: str) -> bool:
    label, _, rest = name.partition(".")
    return bool(_REGISTRY_LABEL.fullmatch(label)) and all(
        _REGISTRY_LABEL.fullmatch(x) for x in rest.split(".")
    )


def _kind(host: str) -> FactCode | None:
    if (
        host == "localhost"
        or host.removesuffix(".").endswith(".localhost")
        or host in ("localhost.", "[::1]")
    ):
        return FactCode.LOOPBACK
    if host.startswith("["):
        return FactCode.IPV6
    if re.fullmatch(r"[0-9.]+", host):
        address = ipaddress.IPv4Address(host)
        if address.is_loopback or host == "0.0.0.0":
            return FactCode.LOOPBACK
        shared = address in ipaddress.ip_network("100.64.0.0/10")
        local = any(address in ipaddress.ip_network(n) for n in _LOCAL)
        return FactCode.PRIVATE_IP if shared or local else FactCode.PUBLIC_IP
    return None


def public_addresses(origins: Iterable[str]) -> set[str]:
    """The hosts of the origins that are public IP addresses."""
    hosts = {Origin.of(origin).host for origin in origins}
    return {
        host
        for host in hosts
        if _kind(host) is FactCode.PUBLIC_IP
        or (_kind(host) is FactCode.IPV6 and ipaddress.IPv6Address(host[1:-1]).is_global)
    }


_LOCAL = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")

BAD = frozenset({Verdict.NEARMISS, Verdict.MANY, Verdict.UNBOUNDED, Verdict.TENANT})
