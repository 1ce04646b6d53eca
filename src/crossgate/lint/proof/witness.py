"""The attacker's origin, and the token of the expression that lets it through.

An origin is shown only if three others agree: RE2 matches it; it is well-formed and fits the DNS; and by the
suffix library its registrable domain is the one that the proof names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from crossgate.lint.proof.alphabet import DOT
from crossgate.lint.proof.automaton import Automaton, CharKind, is_open
from crossgate.lint.proof.bitset import NodeSet, PositionSet, bits, bitset
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.host_graph import SCHEMES, HostGraph
from crossgate.lint.proof.host_proof import OpenSuffix
from crossgate.lint.proof.labels import LabelReader
from crossgate.lint.proof.nfa import ACCEPT, Position
from crossgate.lint.proof.shared_domains import ADDRESS_DOMAINS, is_address_domain
from crossgate.lint.proof.syntax_tree import Symbol
from crossgate.policy.origin import is_well_formed

_HOST_LENGTH: Final = 253
_LABEL_LENGTH: Final = 63
"""In characters; RFC 1035, §2.3.4 (https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)."""
_EVIL: Final = "evil"
_ADDRESS: Final = "203-0-113-7"
"""An address of documentation (RFC 5737), in the form that it has below nip.io."""
_MOST_TRIED: Final = 24


@dataclass(frozen=True, slots=True)
class HostPrefix:
    """The beginning of an origin, up to where a certain name begins."""

    scheme: str
    labels: str
    """What stands before the name: empty, or labels with their dots."""


def find_prefix(graph: HostGraph, starts: NodeSet, *, plain: bool) -> HostPrefix | None:
    """The shortest way from the beginning of a host to one of ``starts``; https if possible.

    With ``plain`` it has no punctuation that names in the public DNS lack.
    """
    for scheme in SCHEMES:
        if not starts & graph.nodes_of(scheme):
            continue
        labels = _shortest(graph, NodeSet(graph.begins & graph.nodes_of(scheme)), starts, plain=plain)
        if labels is not None:
            return HostPrefix(scheme, labels)
    return None


def _shortest(graph: HostGraph, begins: NodeSet, starts: NodeSet, *, plain: bool) -> str | None:
    if begins & starts:
        return ""
    seen = set(bits(begins))
    queue = [("", number) for number in seen]
    for string, number in queue:
        if len(string) > _HOST_LENGTH:
            return None
        graph.budget.spend()
        for target in sorted(graph.after[number], key=graph.rank):
            char = graph.character(target, plain=plain)
            if char is None or target in seen or not graph.live >> target & 1:
                continue
            if starts >> target & 1:
                return string + char
            seen.add(target)
            queue.append((string + char, target))
    return None


def complete_origin(expression: Expression, graph: HostGraph, scheme: str, host: str) -> str | None:
    """An origin of that host that the expression admits and a browser may send; None if there is none.

    It has no port and no root's dot if it is admitted without.
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
    """Whether host and labels are no longer than the DNS allows."""
    return len(host) <= _HOST_LENGTH and all(len(label) <= _LABEL_LENGTH for label in host.split("."))


@dataclass(frozen=True, slots=True)
class Witness:
    """An origin that is admitted, and the domain that its owner would have registered."""

    origin: str
    domain: str
    browser_specific: bool
    """Its host has punctuation that not every browser accepts."""


def witness_below(
    expression: Expression,
    graph: HostGraph,
    reader: LabelReader,
    open_suffix: OpenSuffix,
    known: frozenset[str],
) -> Witness | None:
    """A witness below an open suffix whose domain is not one of the ``known``."""
    tried = 0
    for label in _labels(reader, open_suffix):
        starts = graph.starts_of(label, open_suffix.nodes)
        domain = f"{label}.{open_suffix.name}"
        if not starts or domain in known or label.strip("-") != label:
            continue
        witness = _witness_of(expression, graph, domain, domain, starts)
        tried += 1
        if witness is not None or tried > _MOST_TRIED:
            return witness
    return None


def _labels(reader: LabelReader, open_suffix: OpenSuffix) -> Iterator[str]:
    samples = [label for label, _ in islice(reader.samples(open_suffix.nodes), _MOST_TRIED)]
    if open_suffix.name in ADDRESS_DOMAINS:
        yield _ADDRESS
    yield _EVIL
    for literal in samples[:1]:
        yield _EVIL + literal
        yield literal + _EVIL
        yield f"{_EVIL}-{literal}"
    yield from samples


def witness_among(
    expression: Expression, graph: HostGraph, domains: Mapping[str, Mapping[str, NodeSet]]
) -> Witness | None:
    """A witness of one of the domains: the plainest-looking that is admitted."""
    ordered = sorted(domains, key=lambda domain: (len(domain), -domain.count("x"), domain))
    for domain in ordered[:_MOST_TRIED]:
        for name, starts in domains[domain].items():
            witness = _witness_of(expression, graph, domain, name, starts)
            if witness is not None:
                return witness
    return None


def _witness_of(
    expression: Expression, graph: HostGraph, domain: str, name: str, starts: NodeSet
) -> Witness | None:
    """A host of the domain that ends in ``name``, which begins at ``starts``."""
    for plain in (True, False):
        prefix = find_prefix(graph, starts, plain=plain)
        if prefix is None:
            continue
        host = prefix.labels + name
        origin = complete_origin(expression, graph, prefix.scheme, host)
        if origin is not None and expression.suffixes.registrable_domain(host) == domain:
            return Witness(origin, domain, browser_specific=not plain)
    return None


class Cause(StrEnum):
    """What is wrong with the pattern, in the words of the message."""

    UNESCAPED_DOT = "unescaped dot: a bare . matches any character"
    ANY_HOST = "any host: nothing in the pattern names one"
    OPEN_RIGHT_END = "open right end: the attacker's domain may follow the name in the pattern"
    MISSING_DOT_BOUNDARY = "missing dot boundary: other letters may precede the name"
    TENANT = "tenant of a public suffix: a company gives names below it to its customers"
    ADDRESS_NAME = "name with an address: it belongs to the holder of that address"
    REGISTRANT = "any name below a public suffix: nothing fixes the registrable name"
    WILDCARD_TLD = "wildcard top-level domain: the name can be registered separately under each"
    CHARACTER_CLASS = "character class in the registrable name: each of its characters makes another name"
    ADDRESS_RANGE = "range of public addresses: cloud providers give one to the next customer who asks"
    SHARED_HOST = "shared host: its customers publish pages under paths, and all have the one origin"
    NULL = "null: any page can send it from a sandboxed frame"
    FILE = "file: any page that is opened from the device's storage may have it"
    OPEN_NAME = "open name: the registrable name itself is not fixed"


def find_cause(automaton: Automaton, witness: Witness, suffix: str, *, tenant: bool) -> Cause:
    """The cause that the witness makes visible. ``suffix`` is the public suffix of its domain."""
    start = witness.origin.index("://") + 3
    host_end = start + len(witness.origin[start:].split(":")[0].rstrip("."))
    tokens = _trace(automaton, witness.origin)
    label_start = host_end - len(witness.domain)
    suffix_start = host_end - len(suffix)
    label = tokens[label_start : suffix_start - 1]
    name = tokens[label_start:host_end]
    if any(_is_bare_dot(token) and char != "." for token, char in zip(name, witness.domain, strict=True)):
        return Cause.UNESCAPED_DOT
    open_label = [_is_open(position) for position in label]
    if all(_is_open(position) for position in tokens[suffix_start:host_end]):
        if not any(open_label):
            return Cause.WILDCARD_TLD
        literal = any(not _is_open(position) for position in tokens[start:host_end])
        return Cause.OPEN_RIGHT_END if literal else Cause.ANY_HOST
    if tenant:
        return Cause.ADDRESS_NAME if is_address_domain(suffix) else Cause.TENANT
    if all(open_label):
        return Cause.REGISTRANT
    if not any(position.quantified for position in label):
        return Cause.CHARACTER_CLASS
    return Cause.MISSING_DOT_BOUNDARY if open_label[0] and not open_label[-1] else Cause.OPEN_NAME


def find_open_characters(automaton: Automaton, witness: str, domain: str) -> list[int]:
    """The places in a witness's registrable domain whose characters the expression does not write out."""
    start = witness.index("://") + 3
    host_end = start + len(witness[start:].split(":", maxsplit=1)[0].rstrip("."))
    tokens = _trace(automaton, witness)
    return [
        at
        for at in range(host_end - len(domain), host_end)
        if (witness[at] != "." or tokens[at].quantified) and _width(tokens[at]) > _LETTER_CASES
    ]


_LETTER_CASES: Final = 2
"""Characters of a symbol that stands for one letter, with or without case."""


def _is_open(position: Position) -> bool:
    return isinstance(position.token, Symbol) and is_open(position.token.chars)


def _is_bare_dot(position: Position) -> bool:
    token = position.token
    return (
        isinstance(token, Symbol) and token.any_char and not position.quantified and bool(token.chars & DOT)
    )


def _trace(automaton: Automaton, string: str) -> list[Position]:
    """For each character of a string that matches, a token that consumes it, literal ones preferred."""
    positions = automaton.nfa.positions
    kinds = [CharKind.EDGE, *(automaton.kind_of(char) for char in string), CharKind.EDGE]
    moving: list[int] = []
    current = bitset(automaton.nfa.start)
    for index, char in enumerate(string):
        resolved = automaton.resolve(PositionSet(current), kinds[index], kinds[index + 1])
        moving.append(resolved & automaton.consumers(char))
        current = 0
        for number in bits(moving[-1]):
            current |= bitset(positions[number].follow)
    trace: list[Position] = []
    target = 1 << ACCEPT
    for index in range(len(string) - 1, -1, -1):
        leading = [
            number
            for number in bits(moving[index])
            if target & automaton.resolve(_follow(positions[number]), kinds[index + 1], kinds[index + 2])
        ]
        chosen = min(leading, key=lambda number: _width(positions[number]))
        trace.append(positions[chosen])
        target = 1 << chosen
    return trace[::-1]


def _follow(position: Position) -> PositionSet:
    return PositionSet(bitset(position.follow))


def _width(position: Position) -> int:
    return position.token.chars.bit_count() if isinstance(position.token, Symbol) else 0
