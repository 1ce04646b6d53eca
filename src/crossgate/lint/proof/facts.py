"""What an expression admits beside registrable domains: ``null``, addresses, other schemes, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import re2

from crossgate.lint.proof import alphabet, grammar
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.bitset import NodeSet, State
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.host_graph import SCHEMES, HostGraph, HostPlace
from crossgate.lint.proof.host_proof import LOCALHOST
from crossgate.lint.proof.product import find_string
from crossgate.lint.proof.verdict import Fact, FactCode
from crossgate.lint.proof.witness import complete_origin, find_prefix
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import HOST_PATTERN, is_well_formed

MANY_PORTS: Final = 1000
"""With so many ports for one host, a pattern admits any port."""
_EVERY_PORT: Final = 65_534
"""All but the scheme's default."""
_MOST_STATES: Final = 64
"""States that are looked at to tell hosts apart; if there are more, all hosts count as one."""

_IPV4: Final = (
    (FactCode.LOOPBACK, grammar.LOOPBACK_IPV4),
    (FactCode.PRIVATE_IP, grammar.PRIVATE_IPV4),
    (FactCode.PUBLIC_IP, grammar.PUBLIC_IPV4),
)
_LOOPBACK_IPV6: Final = "[::1]"


def find_addresses(expression: Expression, graph: HostGraph) -> Iterator[Fact]:
    """IP addresses as hosts, one origin of each kind and scheme."""
    for scheme in SCHEMES:
        for code, host in _AddressSearch(expression, graph, scheme).find():
            origin = complete_origin(expression, graph, scheme, host)
            if origin is not None:
                yield Fact(code, origin)


class _AddressSearch:
    """Looks for addresses under one scheme."""

    def __init__(self, expression: Expression, graph: HostGraph, scheme: str) -> None:
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

    def _find(self, pattern: str, begun: str, but: str | None = None) -> str | None:
        """The rest of a host that begins with ``begun``, matches ``pattern`` and does not match ``but``."""
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

        return find_string(
            automata,
            accepts,
            self._budget,
            branching=len(kinds),
            starts=starts,
            may_die=frozenset({1} if but else ()),
        )

    def _may_end(self, state: State) -> bool:
        return self._automaton.accepts(state) or self._ports.count(state) > 0


def find_named(
    expression: Expression, graph: HostGraph, code: FactCode, names: Mapping[str, NodeSet]
) -> Iterator[Fact]:
    """Origins whose hosts end in one of the names, one for each scheme."""
    for scheme in SCHEMES:
        for name, starts in names.items() if graph.nodes_of(scheme) else ():
            under = NodeSet(starts & graph.nodes_of(scheme))
            prefix = find_prefix(graph, under, plain=True) or find_prefix(graph, under, plain=False)
            if prefix is None:
                continue
            origin = complete_origin(expression, graph, scheme, prefix.labels + name)
            if origin is not None:
                yield Fact(code, origin)
                break


def find_localhost(graph: HostGraph) -> dict[str, NodeSet]:
    """``localhost`` and names below it, in the form that :func:`find_named` takes."""
    starts = graph.starts_of(LOCALHOST, graph.ends)
    return {LOCALHOST: starts} if starts else {}


def find_non_web(expression: Expression) -> Iterator[Fact]:
    """What is not an http or https origin: ``null``, other schemes, and the string ``*``."""
    for code, string in ((FactCode.NULL, NULL), (FactCode.MATCHES_STAR, ANY)):
        if expression.admits(string):
            yield Fact(code, string)
    origin = _find_other_scheme(expression)
    if origin is not None:
        yield Fact(FactCode.OTHER_SCHEME, origin)


def _find_other_scheme(expression: Expression) -> str | None:
    for pattern in (grammar.ROUGH_OTHER_ORIGIN, grammar.OTHER_ORIGIN):
        others = grammar.automaton_of(pattern)

        def accepts(states: Sequence[State], others: Automaton = others) -> bool:
            return expression.automaton.accepts(states[0]) and others.accepts(states[1])

        # The expression comes first: if it begins with https, most characters kill it at once.
        origin = find_string((expression.automaton, others), accepts, expression.budget, branching=0)
        if origin is None:
            return None
        if is_well_formed(origin) and expression.admits(origin):
            return origin
    return None


def has_bare_dot(expression: Expression) -> bool:
    """Whether the pattern has a ``.`` that looks like a dot between labels."""
    return any(token.is_bare_dot for token in expression.automaton.tokens)


def most_ports(graph: HostGraph) -> int:
    """How many ports the expression admits for one host, at most."""
    return max(_most_under(graph, scheme) for scheme in SCHEMES)


def _most_under(graph: HostGraph, scheme: str) -> int:
    counts: dict[State, int] = {}
    for node in graph.nodes:
        if node.scheme == scheme and node.place is not HostPlace.BEGIN:
            count = graph.count_ports(node)
            if count:
                counts[graph.state(node)] = count
    most, together = max(counts.values(), default=0), min(sum(counts.values()), _EVERY_PORT)
    if most == together:
        return most
    # One host may lead to several nodes, as a.com does in a\.com:1\d\d|a\.com:2\d\d.
    for looked_at, count in enumerate(_counts_by_host(graph, scheme)):
        if looked_at == _MOST_STATES:
            return together
        most = max(most, count)
    return most


def _counts_by_host(graph: HostGraph, scheme: str) -> Iterator[int]:
    automaton = graph.automaton
    host = automaton.classes_within(alphabet.HOST)
    queue = [(automaton.run(f"{scheme}://"), False)]
    seen = set(queue)
    for state, inside in queue:
        if inside:
            yield graph.ports[scheme].count(state)
        for klass in automaton.classes_from(state):
            if not host >> klass & 1 or (klass == graph.dot and not inside):
                continue
            after = automaton.step(state, klass), klass != graph.dot
            if after not in seen and after[0] != DEAD:
                seen.add(after)
                queue.append(after)
