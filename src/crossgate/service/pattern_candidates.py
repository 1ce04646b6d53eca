"""A wildcard for several refused origins of one domain, if it is proven to admit that domain only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic
from crossgate.lint.proof import SuffixList, Verdict, prove_pattern, suffix_list
from crossgate.policy import EffectivePolicy, Origin, OriginPattern, is_well_formed, parse_origin_pattern
from crossgate.service.refusal_signs import find_signs
from crossgate.service.refusals import DismissalReason, Disposition, RefusalGroup

_MOST_JUDGED: Final = 100
"""Groups whose signs are looked for to find a pattern. What attackers send is not to take long."""
_ATTACKS: Final = frozenset({DismissalReason.ATTACK, DismissalReason.BOT})


@dataclass(frozen=True, slots=True)
class FoundPattern:
    """A proven wildcard, and the name below which it admits all."""

    pattern: OriginPattern
    below: str


@dataclass(frozen=True, slots=True)
class PatternFinder:
    """Finds a pattern for refused origins of one API."""

    catalogue: Catalogue
    policy: EffectivePolicy
    api: str
    groups: Sequence[RefusalGroup]

    def find(self, value: str) -> FoundPattern | None:
        """The pattern for a refused origin and others like it."""
        parent = self._common_parent(value) if is_well_formed(value) else None
        if parent is None:
            return None
        domain, below = parent
        origin = Origin.of(value)
        pattern = parse_origin_pattern(str(Origin(origin.scheme, f"*.{below}", origin.port)))
        if isinstance(pattern, Diagnostic):
            return None
        proof = prove_pattern(pattern, self._suffixes())
        proven = proof.verdict is Verdict.PROVED and proof.domains == (domain,)
        return FoundPattern(pattern, below) if proven else None

    def _common_parent(self, value: str) -> tuple[str, str] | None:
        """The registrable domain, and the longest name below which several refused origins are."""
        origin = Origin.of(value)
        domain = self._suffixes().registrable_domain(origin.host)
        if domain is None or origin.scheme != "https" or origin.host == domain:
            return None
        hosts = {origin.host, *self._refused_hosts(origin, domain)}
        names = origin.host.split(".")
        for count in range(1, len(names)):
            below = ".".join(names[count:])
            if sum(host.endswith(f".{below}") for host in hosts) > 1:
                return domain, below
            if below == domain:
                break
        return None

    def _refused_hosts(self, origin: Origin, domain: str) -> Iterator[str]:
        """Hosts below the domain of the API's refused origins with that scheme and port.

        Without dismissed attacks, and without what looks like one.
        """
        for one in islice(self._below(origin, domain), _MOST_JUDGED):
            if not any(sign.hostile for sign in find_signs(self.catalogue, self.policy, one)):
                yield Origin.of(one.key.origin).host

    def _below(self, origin: Origin, domain: str) -> Iterator[RefusalGroup]:
        for one in self.groups:
            if one.key.api != self.api or not is_well_formed(one.key.origin) or _is_attack(one.disposition):
                continue
            other = Origin.of(one.key.origin)
            alike = (other.scheme, other.port) == (origin.scheme, origin.port)
            if alike and other.host != origin.host and other.host.endswith(f".{domain}"):
                yield one

    def _suffixes(self) -> SuffixList:
        domains = self.catalogue.gateway.lint.domains
        return suffix_list(domains.shared, domains.single_owner)


def _is_attack(disposition: Disposition | None) -> bool:
    return disposition is not None and disposition.reason in _ATTACKS
