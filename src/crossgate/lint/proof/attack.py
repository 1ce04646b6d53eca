"""Builds the origin that an attacker would use.

It is shown only when RE2 matches it, when it is a well-formed origin that fits the DNS, and when the
suffix library agrees that its domain is one that can be registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.hosts import HostGraph
from crossgate.lint.proof.labels import LabelReader
from crossgate.lint.proof.origin_texts import complete, find_beginning
from crossgate.lint.proof.suffixes import registrable_domain
from crossgate.lint.proof.walk import OpenSuffix

_EVIL: Final = "evil"
_TRIES: Final = 24


@dataclass(frozen=True, slots=True)
class Attack:
    """An origin that is admitted, and the domain its owner would have registered."""

    origin: str
    domain: str
    browser_specific: bool
    """Its host has punctuation that not every browser lets through."""


def through_suffix(
    expression: Expression,
    graph: HostGraph,
    reader: LabelReader,
    open_suffix: OpenSuffix,
    known: frozenset[str],
) -> Attack | None:
    """An attack by a name below an open suffix, but for the ``known`` domains."""
    tried = 0
    for label in _labels(reader, open_suffix.nodes):
        starts = graph.read_back(open_suffix.nodes, label) & graph.label_starts
        domain = f"{label}.{open_suffix.name}"
        if not starts or domain in known or label.strip("-") != label:
            continue
        attack = through_name(expression, graph, domain, domain, starts)
        tried += 1
        if attack is not None or tried > _TRIES:
            return attack
    return None


def _labels(reader: LabelReader, nodes: int) -> Iterator[str]:
    samples = [label for label, _ in islice(reader.samples(nodes), _TRIES)]
    yield _EVIL
    for literal in samples[:1]:
        yield _EVIL + literal
        yield literal + _EVIL
        yield f"{_EVIL}-{literal}"
    yield from samples


def through_domains(
    expression: Expression, graph: HostGraph, domains: Mapping[str, Mapping[str, int]]
) -> Attack | None:
    """An attack by one of the domains; the plainest-looking of them that works."""
    ordered = sorted(domains, key=lambda domain: (len(domain), -domain.count("x"), domain))
    for domain in ordered[:_TRIES]:
        for name, starts in domains[domain].items():
            attack = through_name(expression, graph, domain, name, starts)
            if attack is not None:
                return attack
    return None


def through_name(
    expression: Expression, graph: HostGraph, domain: str, name: str, starts: int
) -> Attack | None:
    """An attack by a host of the domain that ends in ``name``, which begins at ``starts``."""
    for plain in (True, False):
        beginning = find_beginning(graph, starts, plain=plain)
        if beginning is None:
            continue
        host = beginning.left + name
        origin = complete(expression, graph, beginning.scheme, host)
        if origin is not None and registrable_domain(host) == domain:
            return Attack(origin, domain, browser_specific=not plain)
    return None
