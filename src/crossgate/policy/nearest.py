"""The allowed origin that is nearest to a refused one, and how they differ. Nothing is matched with it.

The work is bounded for sets of any size: some passes over the exact origins and wildcards, each a search for
a part of the host, and a comparison of the few with the longest such part. Variations of the refused origin
find what only a regular expression allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.look_alikes import looks_like
from crossgate.policy.origin import DEFAULT_PORTS, Origin, is_well_formed
from crossgate.policy.origin_pattern import ExactOrigin, WildcardOrigin
from crossgate.policy.server_cors import ServerPolicy

_MOST: Final = 64
"""Entries that are compared in detail, for each way of finding them."""
_LONGEST_HOST: Final = 253
"""Characters of the longest name of a host (RFC 1035, section 2.3.4)."""
_SIMILAR: Final = 0.75
"""The least similarity of two hosts, or two labels, that may be a mistake in writing; 1 is equal."""
_MOST_LABELS: Final = 8
"""Of hosts of which one label is left out."""
_WWW: Final = "www."
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_OTHER_SCHEME: Final = {"http": "https", "https": "http"}


@dataclass(frozen=True, slots=True)
class NearestOrigin:
    """An allowed origin, or the wildcard that allows it, and how it differs from the refused one."""

    entry: str
    difference: str
    """For example ``scheme https, not http; port 8443, not 443``."""
    example: str = field(default="", compare=False)
    """Of a wildcard, the origin that it allows and that is nearest; otherwise the entry."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    entry: str
    origin: Origin
    """Of a wildcard: the origin without the star."""
    any_subdomain: bool = False
    any_port: bool = False
    is_variation: bool = False
    """Whether it was made from the refused origin, and may be no entry of the policy."""
    looks_alike: bool = False
    """Whether people take the refused host for its host."""


def find_nearest_origin(policy: EffectivePolicy | ServerPolicy, value: str) -> NearestOrigin | None:
    """The allowed origin nearest to a well-formed one that is not allowed; None if none is similar."""
    refused = Origin.of(value)
    if not 0 < len(refused.host) <= _LONGEST_HOST:
        return None
    ranked = [(_rank(refused.host, candidate), candidate) for candidate in _candidates(policy, refused)]
    best = min((rank for rank, _ in ranked), default=_UNLIKE)
    if best == _UNLIKE:
        return None

    def distance(candidate: _Candidate) -> tuple[float, bool, bool, bool, str]:
        origin = candidate.origin
        return (
            -_similarity(origin.host, refused.host),
            origin.scheme != refused.scheme,
            origin.port != refused.port,
            candidate.is_variation,
            candidate.entry,
        )

    nearest = min((candidate for rank, candidate in ranked if rank == best), key=distance)
    return NearestOrigin(nearest.entry, "; ".join(_differences(refused, nearest)), _example(refused, nearest))


def _example(refused: Origin, nearest: _Candidate) -> str:
    allowed = nearest.origin
    port = refused.port if nearest.any_port else allowed.port
    host = allowed.host
    if nearest.any_subdomain:
        count = host.count(".") + 1
        labels = refused.host.split(".")[:-count]
        if not labels:
            return nearest.entry
        host = ".".join([*labels, host])
    return str(Origin(allowed.scheme, host, port))


def _candidates(policy: EffectivePolicy | ServerPolicy, refused: Origin) -> Iterator[_Candidate]:
    wildcards: dict[str, list[WildcardOrigin]] = {}
    for wildcard in policy.origins.wildcards:
        base = str(Origin(wildcard.scheme, wildcard.host, wildcard.port))
        wildcards.setdefault(base, []).append(wildcard)
    written = [*_exact_origins(policy), *wildcards]
    for value in {*_related(written, refused.host), *_parents(refused)}:
        if value in policy.origins.exact and is_well_formed(value):
            yield _Candidate(value, Origin.of(value))
        for wildcard in wildcards.get(value, ()):
            yield _Candidate(str(wildcard), Origin.of(value), wildcard.any_subdomain, wildcard.any_port)
    for variation in _variations(refused):
        if is_well_formed(str(variation)) and policy.origins.admits(str(variation)):
            yield _Candidate(str(variation), variation, is_variation=True)
    for look_alike in _look_alikes(refused):
        if is_well_formed(str(look_alike)) and policy.origins.admits(str(look_alike)):
            yield _Candidate(str(look_alike), look_alike, is_variation=True, looks_alike=True)


def _exact_origins(policy: EffectivePolicy | ServerPolicy) -> Iterator[str]:
    """In an order that is the same in every process, unlike that of a set."""
    if isinstance(policy, EffectivePolicy):
        yield from sorted(policy.application_origins)
        patterns = policy.policy.allowed_origins
    else:
        patterns = policy.allowed_origins
    for pattern in patterns:
        if isinstance(pattern, ExactOrigin):
            yield pattern.value


def _related(written: Sequence[str], host: str) -> Iterable[str]:
    """All of a few origins; of many, those that share the longest end or beginning of the host."""
    if len(written) <= _MOST:
        return written
    ends = [host[-length:] for length in range(1, len(host) + 1)]
    beginnings = [f"://{host[:length]}" for length in range(1, len(host) + 1)]
    # One search in one long string takes a fiftieth of a search in each of its parts.
    joined = "\n".join(written)
    parts = {_longest_part(ends, joined), _longest_part(beginnings, joined)} - {""}
    return [value for part in parts for value in _first_with(part, joined)]


def _first_with(part: str, joined: str) -> Iterator[str]:
    """The first lines that contain the part."""
    end = 0
    for _ in range(_MOST):
        at = joined.find(part, end)
        if at < 0:
            return
        end = joined.find("\n", at)
        end = len(joined) if end < 0 else end
        yield joined[joined.rfind("\n", 0, at) + 1 : end]


def _longest_part(parts: Sequence[str], joined: str) -> str:
    """The longest of the parts that the string contains; each of them contains the one before."""
    found, missing = -1, len(parts)
    while missing - found > 1:
        middle = (found + missing) // 2
        if parts[middle] in joined:
            found = middle
        else:
            missing = middle
    return parts[found] if found >= 0 else ""


def _parents(refused: Origin) -> Iterator[str]:
    """The origins of the domains above the host."""
    labels = refused.host.split(".")
    for count in range(1, len(labels)):
        for scheme in {refused.scheme, _OTHER_SCHEME.get(refused.scheme, refused.scheme)}:
            for port in {refused.port, None}:
                yield str(Origin(scheme, ".".join(labels[count:]), port))


def _variations(refused: Origin) -> Iterator[Origin]:
    """Origins that are often confused with it."""
    host = refused.host
    hosts = [host, host.removesuffix(".") if host.endswith(".") else f"{host}."]
    if host in _LOOPBACK:
        hosts = [*_LOOPBACK]
    elif not host.endswith("]"):
        hosts.append(host.removeprefix(_WWW) if host.startswith(_WWW) else f"{_WWW}{host}")
        labels = host.split(".")
        if 2 < len(labels) <= _MOST_LABELS:
            hosts += (".".join(labels[:at] + labels[at + 1 :]) for at in range(len(labels) - 2))
    for name in hosts:
        for scheme in (refused.scheme, _OTHER_SCHEME.get(refused.scheme, refused.scheme)):
            for port in {refused.port, None}:
                yield Origin(scheme, name, port)


def _look_alikes(refused: Origin) -> Iterator[Origin]:
    """Origins with a host that people take the refused one for."""
    for host in looks_like(refused.host):
        for port in {refused.port, None}:
            yield Origin(refused.scheme, host, port)


_SAME_HOST, _RELATED_HOST, _ONE_LABEL, _SAME_DOMAIN, _ALIKE, _UNLIKE = range(6)


def _rank(host: str, candidate: _Candidate) -> int:
    """How far a host is from the candidate's: one of the constants above, the nearest first."""
    allowed = candidate.origin.host
    if candidate.looks_alike:
        return _RELATED_HOST
    if candidate.any_subdomain:
        if host.endswith(f".{allowed}"):
            return _SAME_HOST
        if host == allowed:
            return _RELATED_HOST
        host = ".".join(host.split(".")[-len(allowed.split(".")) :])
    elif host == allowed:
        return _SAME_HOST
    elif (
        {host, allowed} <= {*_LOOPBACK}
        or host.endswith(f".{allowed}")
        or allowed.endswith(f".{host}")
        or host.removesuffix(".") == allowed.removesuffix(".")
        or f".{allowed}." in f".{host.removesuffix('.')}"
    ):
        return _RELATED_HOST
    labels, others = host.split("."), allowed.split(".")
    shared = _count_shared(labels, others)
    if (different := _one_different_label(host, allowed)) is not None and (
        shared >= 2 or _similarity(*different) >= _SIMILAR
    ):
        return _ONE_LABEL
    if shared >= 2:
        return _SAME_DOMAIN
    # Without what they share, so that a common top-level domain does not make short names alike.
    own, other = (".".join(names[: len(names) - shared]) for names in (labels, others))
    return _ALIKE if _similarity(own, other) >= _SIMILAR else _UNLIKE


def _count_shared(labels: list[str], others: list[str]) -> int:
    """How many labels are equal, counted from the last one."""
    pairs = zip(reversed(labels), reversed(others), strict=False)
    return next(
        (count for count, (one, other) in enumerate(pairs) if one != other), min(len(labels), len(others))
    )


def _one_different_label(host: str, allowed: str) -> tuple[str, str] | None:
    """The labels in which two names of equally many labels differ, if it is one."""
    labels, others = host.split("."), allowed.split(".")
    if len(labels) != len(others):
        return None
    different = [(one, other) for one, other in zip(labels, others, strict=True) if one != other]
    return different[0] if len(different) == 1 else None


def _similarity(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    # The bounds are quick to compute, and most pairs are below the limit.
    if matcher.real_quick_ratio() < _SIMILAR or matcher.quick_ratio() < _SIMILAR:
        return 0.0
    return matcher.ratio()


def _differences(refused: Origin, candidate: _Candidate) -> Iterator[str]:
    allowed = candidate.origin
    if allowed.scheme != refused.scheme:
        yield f"scheme {allowed.scheme}, not {refused.scheme}"
    yield from _host_difference(refused.host, candidate)
    if not candidate.any_port and _port(allowed) != _port(refused) and allowed.port != refused.port:
        yield f"port {_port(allowed)}, not {_port(refused)}"


def _port(origin: Origin) -> str:
    port = origin.port or DEFAULT_PORTS.get(origin.scheme)
    return "left out" if port is None else str(port)


def _host_difference(host: str, candidate: _Candidate) -> Iterator[str]:
    allowed = candidate.origin.host
    if candidate.looks_alike:
        yield f"host {allowed}, which {host} looks like"
    elif candidate.any_subdomain:
        if host == allowed:
            yield f"subdomains of {allowed}, not {allowed} itself"
        elif not host.endswith(f".{allowed}"):
            yield f"subdomains of {allowed}"
    elif host == allowed:
        return
    elif host == f"{allowed}.":
        yield "host without a trailing dot"
    elif allowed == f"{host}.":
        yield "host with a trailing dot"
    elif host.endswith(f".{allowed}"):
        yield f"host {allowed} without its subdomains"
    elif allowed.endswith(f".{host}"):
        yield f"host {allowed}, a subdomain"
    elif f".{allowed}." in f".{host.removesuffix('.')}":
        yield f"host {allowed}; {host} is in another domain, {host.rpartition(f'{allowed}.')[2]}"
    elif (different := _one_different_label(host, allowed)) is not None and not allowed[-1:].isdigit():
        yield f"host label {different[1]}, not {different[0]}"
    else:
        yield f"host {allowed}, not {host}"
