"""What else an expression admits, beside registrable domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import re2

from crossgate.lint.proof import grammar
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.hosts import SCHEMES, HostGraph
from crossgate.lint.proof.internal import LOCALHOST
from crossgate.lint.proof.origin_texts import complete, find_beginning
from crossgate.lint.proof.search import find_text
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import HOST_PATTERN, is_well_formed

MANY_PORTS: Final = 1000
"""So many ports for one host are any port."""


class FactCode(StrEnum):
    """Kinds of origins that belong to no registrable domain, and other things worth knowing."""

    NULL = "null"
    HTTP = "http"
    LOOPBACK = "loopback"
    PRIVATE_IP = "private-ip"
    PUBLIC_IP = "public-ip"
    IPV6 = "ipv6"
    INTERNAL = "internal"
    ANY_PORT = "any-port"
    OTHER_SCHEME = "other-scheme"
    PUBLIC_SUFFIX_HOST = "public-suffix-host"
    TRAILING_DOT = "trailing-dot"
    UNESCAPED_DOT = "unescaped-dot"
    BROWSER_SPECIFIC = "browser-specific"
    MATCHES_STAR = "matches-star"


_IPV4: Final = (
    (FactCode.LOOPBACK, grammar.LOOPBACK_IPV4),
    (FactCode.PRIVATE_IP, grammar.PRIVATE_IPV4),
    (FactCode.PUBLIC_IP, grammar.PUBLIC_IPV4),
)
_LOOPBACK_IPV6: Final = "[::1]"


@dataclass(frozen=True, slots=True)
class Fact:
    """One of them, with an origin that shows it if one does; RE2 has matched it."""

    code: FactCode
    example: str | None = None


def find_addresses(expression: Expression, graph: HostGraph) -> Iterator[Fact]:
    """IP addresses as hosts, one origin of each kind and scheme."""
    for scheme in SCHEMES:
        for code, host in _AddressSearch(expression, graph, scheme).find():
            origin = complete(expression, graph, scheme, host)
            if origin is not None:
                yield Fact(code, origin)


class _AddressSearch:
    """Looks for addresses behind one scheme."""

    def __init__(self, expression: Expression, graph: HostGraph, scheme: str) -> None:
        self._automaton = expression.automaton
        self._budget = expression.budget
        self._graph = graph
        self._ports = graph.ports[scheme]
        self._start = expression.automaton.run(f"{scheme}://")

    def find(self) -> Iterator[tuple[FactCode, str]]:
        if self._graph.ends_in("0123456789") and self._find(grammar.ROUGHLY_IPV4, "") is not None:
            for code, pattern in _IPV4:
                host = self._find(pattern, "")
                if host is not None:
                    yield code, host
        if self._automaton.run("[", self._start) == DEAD:
            return
        if self._ends(self._automaton.run(_LOOPBACK_IPV6, self._start)):
            yield FactCode.LOOPBACK, _LOOPBACK_IPV6
        if self._find(grammar.ROUGHLY_IPV6, "[") is not None:
            rest = self._find(HOST_PATTERN, "[", but=re2.escape(_LOOPBACK_IPV6))
            if rest is not None:
                yield FactCode.IPV6, "[" + rest

    def _find(self, pattern: str, begun: str, but: str | None = None) -> str | None:
        """What completes a host that ``begun`` begins and ``pattern`` matches, and ``but`` does not."""
        # The grammar comes first: it dies of most characters, and then the expression is not asked.
        kinds = [grammar.automaton_of(text) for text in (pattern, but) if text is not None]
        automata = (*kinds, self._automaton)
        starts = (*(kind.run(begun) for kind in kinds), self._automaton.run(begun, self._start))

        def accepts(states: Sequence[int]) -> bool:
            return (
                kinds[0].accepts(states[0])
                and not (but is not None and kinds[1].accepts(states[1]))
                and self._ends(states[-1])
            )

        return find_text(
            automata,
            accepts,
            self._budget,
            branching=len(kinds),
            starts=starts,
            may_die=frozenset({1} if but else ()),
        )

    def _ends(self, state: int) -> bool:
        return self._automaton.accepts(state) or self._ports.count(state) > 0


def find_named(
    expression: Expression, graph: HostGraph, code: FactCode, names: Mapping[str, int]
) -> Iterator[Fact]:
    """Origins whose hosts end in one of the names, one for each scheme."""
    for scheme in SCHEMES:
        for name, starts in names.items() if graph.nodes_of(scheme) else ():
            under = starts & graph.nodes_of(scheme)
            beginning = find_beginning(graph, under, plain=True) or find_beginning(graph, under, plain=False)
            if beginning is None:
                continue
            origin = complete(expression, graph, scheme, beginning.left + name)
            if origin is not None:
                yield Fact(code, origin)
                break


def find_localhost(graph: HostGraph) -> dict[str, int]:
    """``localhost`` and names below it, as :func:`find_named` takes them."""
    starts = graph.read_back(graph.ends, LOCALHOST) & graph.label_starts
    return {LOCALHOST: starts} if starts else {}


def find_strangers(expression: Expression) -> Iterator[Fact]:
    """What is no http or https origin: ``null``, other schemes, and the text ``*``."""
    for code, text in ((FactCode.NULL, NULL), (FactCode.MATCHES_STAR, ANY)):
        if expression.admits(text):
            yield Fact(code, text)
    origin = _find_other_scheme(expression)
    if origin is not None:
        yield Fact(FactCode.OTHER_SCHEME, origin)


def _find_other_scheme(expression: Expression) -> str | None:
    for pattern in (grammar.ROUGHLY_OTHER_ORIGIN, grammar.OTHER_ORIGIN):
        others = grammar.automaton_of(pattern)

        def accepts(states: Sequence[int], others: Automaton = others) -> bool:
            return expression.automaton.accepts(states[0]) and others.accepts(states[1])

        # The expression comes first: if it begins with https, it dies of most characters at once.
        origin = find_text((expression.automaton, others), accepts, expression.budget, branching=0)
        if origin is None:
            return None
        if is_well_formed(origin) and expression.admits(origin):
            return origin
    return None


def has_bare_dot(expression: Expression) -> bool:
    """Whether a ``.`` stands in the text where it looks like a dot between labels."""
    return any(any_char and not quantified for _, any_char, quantified in expression.automaton.tokens)
