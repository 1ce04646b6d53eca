"""Which IP addresses an expression admits as hosts, and whether they make up a range.

One address has one holder: it is a fact beside the verdict. Of a range, an attacker can get one: cloud
providers give an address to the next customer who asks. So more than a few public addresses that the author
did not spell out have the verdict ``unowned``. Private addresses have a rule of their own, ``private-ip``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import re2

from crossgate.lint.proof import grammar
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.bitset import State
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.host_graph import SCHEMES, HostGraph
from crossgate.lint.proof.product import find_string, list_strings
from crossgate.lint.proof.verdict import Fact, FactCode
from crossgate.lint.proof.witness import complete_origin
from crossgate.policy.origin import HOST_PATTERN

MOST_ADDRESSES: Final = 16
"""More public addresses than this, not spelled out, are a range: a /28 is the least that providers assign."""

_IPV4: Final = (
    (FactCode.LOOPBACK, grammar.LOOPBACK_IPV4),
    (FactCode.PRIVATE_IP, grammar.PRIVATE_IPV4),
    (FactCode.PUBLIC_IP, grammar.PUBLIC_IPV4),
)
_LOOPBACK_IPV6: Final = "[::1]"
_PRIVATE_IPV6: Final = r"\[(?:::1?|(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):[0-9a-f:]*)\]"
"""The local machine, RFC 4193 (unique local) and RFC 4291, §2.5.6 (link-local)."""
_UNALLOCATED_IPV6: Final = r"\[[^2].*"
"""Of global unicast only 2000::/3 is assigned (https://www.iana.org/assignments/ipv6-address-space)."""
_IPV4_CHARS: Final = "0123456789."
_IPV6_CHARS: Final = "0123456789abcdef:]"


def find_addresses(expression: Expression, graph: HostGraph) -> Iterator[Fact]:
    """IP addresses as hosts, one origin of each kind and scheme."""
    for scheme in SCHEMES:
        for code, host in _AddressSearch(expression, graph, scheme).find():
            origin = complete_origin(expression, graph, scheme, host)
            if origin is not None:
                yield Fact(code, origin)


def find_address_range(expression: Expression, graph: HostGraph) -> Iterator[Fact]:
    """One of more than :data:`MOST_ADDRESSES` public addresses that are admitted and not spelled out."""
    for scheme in SCHEMES if expression.automaton.has_open_tokens else ():
        host = _AddressSearch(expression, graph, scheme).find_range()
        origin = None if host is None else complete_origin(expression, graph, scheme, host)
        if origin is not None:
            yield Fact(FactCode.PUBLIC_IP_RANGE, origin)
            return


class _AddressSearch:
    """Looks for addresses under one scheme."""

    def __init__(self, expression: Expression, graph: HostGraph, scheme: str) -> None:
        self._pattern = expression.pattern
        self._automaton = expression.automaton
        self._budget = expression.budget
        self._graph = graph
        self._ports = graph.ports[scheme]
        self._start = expression.automaton.run(f"{scheme}://")

    def find(self) -> Iterator[tuple[FactCode, str]]:
        if self._graph.ends_in("0123456789") and self._find(grammar.ROUGH_IPV4, "") is not None:
            for code, pattern in _IPV4:
                host = self._find(pattern, "")
                if host is not None:
                    yield code, host
        if self._automaton.run("[", self._start) == DEAD:
            return
        if self._may_end(self._automaton.run(_LOOPBACK_IPV6, self._start)):
            yield FactCode.LOOPBACK, _LOOPBACK_IPV6
        if self._find(grammar.ROUGH_IPV6, "[") is not None:
            rest = self._find(HOST_PATTERN, "[", but=re2.escape(_LOOPBACK_IPV6))
            if rest is not None:
                yield FactCode.IPV6, "[" + rest

    def find_range(self) -> str | None:
        """One address of a range that is admitted; None without such a range."""
        if self._exceeds(self._public_ipv4()):
            return self._find(grammar.PUBLIC_IPV4, "")
        if self._exceeds(self._public_ipv6()):
            assigned = self._find(HOST_PATTERN, "[", but=f"{_PRIVATE_IPV6}|{_UNALLOCATED_IPV6}")
            rest = assigned or self._find(HOST_PATTERN, "[", but=_PRIVATE_IPV6)
            return None if rest is None else "[" + rest
        return None

    def _exceeds(self, hosts: Iterator[str]) -> bool:
        """Whether more hosts than allowed are not in the pattern, letter by letter."""
        unwritten = (host for host in hosts if not self._is_written(host))
        return any(number == MOST_ADDRESSES for number, _ in enumerate(unwritten))

    def _is_written(self, host: str) -> bool:
        return host.replace(".", r"\.") in self._pattern or host.strip("[]") in self._pattern

    def _public_ipv4(self) -> Iterator[str]:
        if self._graph.ends_in("0123456789"):
            yield from self._list(grammar.PUBLIC_IPV4, _IPV4_CHARS)

    def _public_ipv6(self) -> Iterator[str]:
        if self._automaton.run("[", self._start) != DEAD:
            for rest in self._list(HOST_PATTERN, _IPV6_CHARS, begun="[", but=_PRIVATE_IPV6):
                yield "[" + rest

    def _list(self, pattern: str, chars: str, begun: str = "", but: str | None = None) -> Iterator[str]:
        """The rest of every host of :meth:`_find`."""
        automata, starts, accepts = self._product(pattern, begun, but)
        return list_strings(
            automata,
            accepts,
            self._budget,
            chars=chars,
            starts=starts,
            may_die=frozenset({1} if but else ()),
        )

    def _find(self, pattern: str, begun: str, but: str | None = None) -> str | None:
        """The rest of a host that begins with ``begun``, matches ``pattern`` and does not match ``but``."""
        automata, starts, accepts = self._product(pattern, begun, but)
        return find_string(
            automata,
            accepts,
            self._budget,
            branching=len(automata) - 1,
            starts=starts,
            may_die=frozenset({1} if but else ()),
        )

    def _product(
        self, pattern: str, begun: str, but: str | None
    ) -> tuple[tuple[Automaton, ...], tuple[State, ...], Callable[[Sequence[State]], bool]]:
        # The grammar comes first: most characters kill it, and then the expression is not stepped.
        kinds = [grammar.automaton_of(each) for each in (pattern, but) if each is not None]
        automata = (*kinds, self._automaton)
        starts = (*(kind.run(begun) for kind in kinds), self._automaton.run(begun, self._start))

        def accepts(states: Sequence[State]) -> bool:
            return (
                kinds[0].accepts(states[0])
                and not (but is not None and kinds[1].accepts(states[1]))
                and self._may_end(states[-1])
            )

        return automata, starts, accepts

    def _may_end(self, state: State) -> bool:
        return self._automaton.accepts(state) or self._ports.count(state) > 0
