"""How many ports an expression admits for one host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import DEAD
from crossgate.lint.proof.hosts import SCHEMES, HostGraph, Spot

_EVERY_PORT: Final = 65_534
"""All but the scheme's default."""
_MOST_STATES: Final = 64
"""States that are looked at to tell hosts apart; if there are more, all hosts are taken for one."""


def most_ports(graph: HostGraph) -> int:
    """How many ports the expression admits for one host, at most."""
    return max(_most_under(graph, scheme) for scheme in SCHEMES)


def _most_under(graph: HostGraph, scheme: str) -> int:
    counts: dict[int, int] = {}
    for node in graph.nodes:
        if node.scheme == scheme and node.spot is not Spot.BEGIN:
            count = graph.count_ports(node)
            if count:
                counts[graph.state(node)] = count
    most, together = max(counts.values(), default=0), min(sum(counts.values()), _EVERY_PORT)
    if most == together:
        return most
    # One host may lead to several of them, as a.com does in a\.com:1\d\d|a\.com:2\d\d.
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
