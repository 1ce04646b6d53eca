"""What an expression admits beside registrable domains: ``null``, addresses, other schemes, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from crossgate.lint.proof import alphabet, grammar
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.bitset import NodeSet, State
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.host_graph import SCHEMES, HostGraph, HostPlace
from crossgate.lint.proof.host_proof import LOCALHOST
from crossgate.lint.proof.ports import Ports
from crossgate.lint.proof.product import find_string
from crossgate.lint.proof.shared_domains import SHARED_HOST_ENDS
from crossgate.lint.proof.verdict import Fact, FactCode
from crossgate.lint.proof.witness import complete_origin, find_prefix
from crossgate.policy.names import ANY, NULL
from crossgate.policy.origin import is_well_formed

MANY_PORTS: Final = 1000
"""With so many ports for one host, a pattern admits any port."""
_EVERY_PORT: Final = 65_534
"""All but the scheme's default."""
_MOST_STATES: Final = 64
"""States that are looked at to tell hosts apart; if there are more, all hosts count as one."""


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


def find_shared_host(expression: Expression, graph: HostGraph) -> Iterator[Fact]:
    """An origin that different people share, each with paths of their own."""
    hosts = expression.suffixes.shared_hosts
    if not hosts or not any(graph.read_back(graph.ends, end) for end in SHARED_HOST_ENDS):
        return
    shared = grammar.automaton_of(hosts)
    for scheme in SCHEMES:
        ports = graph.ports[scheme]

        def accepts(states: Sequence[State], ports: Ports = ports) -> bool:
            ends = expression.automaton.accepts(states[1]) or ports.count(states[1]) > 0
            return ends and shared.accepts(states[0])

        starts = shared.start, expression.automaton.run(f"{scheme}://")
        host = find_string(
            (shared, expression.automaton), accepts, expression.budget, branching=1, starts=starts
        )
        origin = None if host is None else complete_origin(expression, graph, scheme, host)
        if origin is not None:
            yield Fact(FactCode.SHARED_HOST, origin)
            return


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
