"""Makes whole origins out of what was found in the graph of hosts, and checks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.lint.proof.automaton import bits
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.hosts import SCHEMES, HostGraph
from crossgate.policy.origin import is_well_formed

_HOST_LENGTH: Final = 253
_LABEL_LENGTH: Final = 63
"""RFC 1035, §2.3.4, as text."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of an origin, up to where a certain name begins."""

    scheme: str
    left: str
    """What stands before the name: empty, or labels with their dots."""


def find_beginning(graph: HostGraph, starts: int, *, plain: bool) -> Beginning | None:
    """The shortest way from the beginning of a host to one of ``starts``; https if it can be.

    ``plain`` ways have no punctuation that names in the public DNS lack.
    """
    for scheme in SCHEMES:
        if not starts & graph.nodes_of(scheme):
            continue
        left = _shortest(graph, graph.begins & graph.nodes_of(scheme), starts, plain=plain)
        if left is not None:
            return Beginning(scheme, left)
    return None


def _shortest(graph: HostGraph, begins: int, starts: int, *, plain: bool) -> str | None:
    if begins & starts:
        return ""
    seen = set(bits(begins))
    queue = [("", number) for number in seen]
    for text, number in queue:
        if len(text) > _HOST_LENGTH:
            return None
        graph.budget.spend()
        for target in sorted(graph.after[number], key=graph.rank):
            char = graph.character(target, plain=plain)
            if char is None or target in seen or not graph.live >> target & 1:
                continue
            if starts >> target & 1:
                return text + char
            seen.add(target)
            queue.append((text + char, target))
    return None


def complete(expression: Expression, graph: HostGraph, scheme: str, host: str) -> str | None:
    """An origin of that host that the expression admits and a browser may send; None if there is none.

    Without a port if possible; the root's dot is added if nothing else will do.
    """
    if not fits_dns(host):
        return None
    for origin in _candidates(expression, graph, scheme, host):
        if is_well_formed(origin) and expression.admits(origin):
            return origin
    return None


def _candidates(expression: Expression, graph: HostGraph, scheme: str, host: str) -> Iterator[str]:
    for dotted in (host, host + "."):
        origin = f"{scheme}://{dotted}"
        state = expression.automaton.run(origin)
        if expression.automaton.accepts(state):
            yield origin
        port = graph.ports[scheme].example(state)
        if port:
            yield origin + port


def fits_dns(host: str) -> bool:
    """Whether the host is no longer than a name in the DNS can be."""
    return len(host) <= _HOST_LENGTH and all(len(label) <= _LABEL_LENGTH for label in host.split("."))
