"""The host proof: which registrable domains the hosts of an expression belong to.

The question
    A pattern admits a set of origins, mostly an infinite one. Who is trusted by it is decided by the
    *registrable domain* of each host: its public suffix and one label more. The proof computes the set of
    those domains, or shows that the set cannot be listed because anybody can register another member.
    Sample origins, as scanners send them, can find a hole but cannot show that there is none.

Hosts as a graph (host_graph.py)
    Each consuming token of the unrolled expression is a position. A node of the graph is a position that has
    just consumed a character of a host, together with the scheme and the place in the host. An edge means
    that one position may consume the character behind the other's. The graph is not made deterministic. A
    host exists if *some* way through the positions spells it, which is a question of reachability; the set of
    *all* positions after a given string is never needed. So there are at most a few nodes for each position,
    where a deterministic automaton can have 2^n states (``.*a.{16}`` has 65,536).

Read backwards
    Every edge into a node carries the same characters. So a set of nodes S and a character c determine
    ``back(S, c)``: the predecessors of those nodes in S that c leads to. Begin with ``ends``, the nodes at
    which a host may end, and read a string w from its last character to its first. The result S(w) is exactly
    the set of nodes from which w leads to an end. Unreachable nodes were never created, so:

    - S(w) is not empty if and only if some admitted host ends in w;
    - a node of S(w) is a label start if and only if some admitted host has w as whole labels at its end.

Along the suffix trie (suffix_trie.py)
    DNS names are delegated from the right, and the public suffix list is a trie of labels from the right.
    The walk descends this trie together with S: it follows an edge c only if ``back(S, c)`` is not empty.
    Both the list and the graph are finite, and so is the walk. Where S does not change, as behind ``.*``,
    labels are not read one by one (:meth:`SuffixWalk._reads`).

    At a public suffix s, let B be the nodes before the dot on its left. The labels that can be read backwards
    from B to a label start (labels.py) are what may be registered below s:

    - infinitely many, because a cycle of the graph lies on a way to B, or more than 4,096: s is *open*;
    - finitely many: each label l gives a registrable domain ``l.s``, and is recorded;
    - none: only s itself can be a host.

Why it is sound
    Take an admitted host h with the public suffix s and the label l before it. The accepting way of h passes
    a node at each of its characters, and that node is in S at each step of the walk. So the walk reaches s,
    and l is among the labels of B: either s is reported as open, or ``l.s`` is recorded. Hence with the
    verdict ``proved`` no host has a registrable domain that is not listed. Hosts without one are looked for
    apart: names under no listed suffix (:func:`find_internal_names`), addresses and ``localhost`` (facts.py).

    The other direction is not exact. An open suffix ignores that a host has at most 253 characters, and what
    a browser makes of punycode. So no hole is claimed before RE2 has matched an origin that goes through it
    (witness.py). If no such origin is found, the verdict is ``unproven``, never ``proved``.

Literal names
    A domain is a *near miss* if it is admitted and the author did not spell it out. What is spelled out is
    found by the same walk over a graph in which every token that leaves a character open is replaced by a
    placeholder (:func:`find_literal_names`).

The budget (budget.py)
    The sets S are computed when they are first needed and then remembered, so the work is bounded by the
    number of different sets: in the worst case exponential in the number of positions. Therefore each new
    node, set and trie node costs steps: 2 and one for each edge, 2 and a quarter of the set's size, 3 or 6.
    A proof has 40,000 steps and 40 more for each character of the pattern, at most 3,000,000. If they do not
    suffice, the verdict is ``unproven``. Steps are counted instead of seconds so that a pattern has the same
    verdict on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from crossgate.lint.proof.alphabet import DIGITS, HYPHEN, LETTERS
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.bitset import CharSet, NodeSet, bits, bitset
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.host_graph import HostGraph
from crossgate.lint.proof.labels import (
    MOST_WORDS,
    LabelReader,
    company_letters,
    registry_letters,
    unlisted_ends,
)
from crossgate.lint.proof.shared_domains import is_address_domain
from crossgate.lint.proof.suffix_list import SuffixList
from crossgate.lint.proof.suffix_trie import VISITED_FIRST, LabelTrie, Section, SuffixNode

LOCALHOST: Final = "localhost"
_LISTED: Final = CharSet(LETTERS | DIGITS | HYPHEN)
"""The characters of the list's labels."""
_DIGITS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class OpenSuffix:
    """A public suffix below which an attacker can register a name that is admitted."""

    name: str
    section: Section
    nodes: NodeSet
    """From which the registrable label is read backwards."""


@dataclass(slots=True)
class AdmittedHosts:
    """The result of a walk. The sets of nodes are where the named ends of hosts begin."""

    domains: dict[str, dict[str, NodeSet]] = field(default_factory=dict)
    """Registrable domains, each with the ends of hosts that belong to it and where those begin."""
    open_suffixes: list[OpenSuffix] = field(default_factory=list)
    suffix_hosts: dict[str, NodeSet] = field(default_factory=dict)
    """Public suffixes that are admitted as hosts themselves."""
    too_many: bool = False
    """There are more domains than were recorded."""


class _StopError(Exception):
    """Nothing that can still be found changes the verdict."""


class SuffixWalk:
    """One reading of a graph along the suffix trie.

    With ``stop_when_open`` it ends at the first open suffix of a registry, which decides the verdict.
    """

    def __init__(self, graph: HostGraph, budget: Budget, *, stop_when_open: bool) -> None:
        self._graph = graph
        self._budget = budget
        self._stop_when_open = stop_when_open
        self._readers = {
            Section.ICANN: LabelReader(graph, registry_letters(graph), budget),
            Section.PRIVATE: LabelReader(graph, company_letters(graph), budget),
        }
        self._readings: dict[NodeSet, tuple[CharSet, CharSet]] = {}
        self._found = AdmittedHosts()
        self.stopped = False
        """Whether the walk has ended at an open suffix of a registry."""

    def reader(self, section: Section) -> LabelReader:
        """The reader of registrable labels below a section's suffixes."""
        return self._readers[section]

    def run(self, root: SuffixNode) -> AdmittedHosts:
        """Walk from the root of the trie; called once.

        Raises:
            ExhaustedError: the budget ran out.

        """
        try:
            self._run(root)
        except _StopError:
            self.stopped = True
        return self._found

    def _run(self, root: SuffixNode) -> None:
        for label in VISITED_FIRST:
            starts = self._graph.starts_of(label, self._graph.ends)
            if starts:
                self._visit(label, root, starts, None)
        self._follow(root.labels, root, self._graph.ends, None)

    def _follow(self, labels: LabelTrie, parent: SuffixNode, nodes: NodeSet, owner: str | None) -> None:
        """Read backwards every label that the list has below ``parent``."""
        self._budget.spend(3)
        graph = self._graph
        class_of, leading = graph.automaton.class_of, graph.classes_into(nodes)
        before = {
            char: graph.back(nodes, class_of[ord(char)])
            for char in labels.children
            if leading >> class_of[ord(char)] & 1
        }
        if set(before.values()) == {nodes}:
            readable, moving = self._reads(nodes)
            if not labels.alphabet() & moving:
                self._visit_all(labels, parent, nodes, owner, readable)
                return
        starts = NodeSet(nodes & graph.label_starts)
        if labels.label is not None and starts:
            self._visit(labels.label, parent, starts, owner)
        for char, reached in before.items():
            self._follow(labels.children[char], parent, reached, owner)

    def _reads(self, nodes: NodeSet) -> tuple[CharSet, CharSet]:
        """The characters that lead to the nodes, and those of them that lead there from other nodes.

        Behind a run of any letters there are none of the latter, so labels need not be read one by one.
        """
        known = self._readings.get(nodes)
        if known is None:
            class_of = self._graph.automaton.class_of
            before = {code: self._graph.back(nodes, class_of[code]) for code in bits(_LISTED)}
            readable = CharSet(bitset(code for code, reached in before.items() if reached))
            moving = CharSet(bitset(code for code, reached in before.items() if reached not in (0, nodes)))
            known = self._readings[nodes] = readable, moving
        return known

    def _visit_all(
        self, labels: LabelTrie, parent: SuffixNode, nodes: NodeSet, owner: str | None, readable: CharSet
    ) -> None:
        starts = NodeSet(nodes & self._graph.label_starts)
        for label, chars in labels.below() if starts else ():
            if not chars & ~readable:
                self._visit(label, parent, starts, owner)

    def _visit(self, label: str, parent: SuffixNode, starts: NodeSet, owner: str | None) -> None:
        """Record what is admitted at and below a name of the list, which begins at ``starts``.

        ``owner`` is the registrable domain that the name is below, if no rule of the list makes it a suffix.
        """
        self._budget.spend(6)
        node = parent.children.get(label)
        before = self._graph.back(starts, self._graph.dot)
        if node is None or label in parent.exceptions:
            name = f"{label}.{parent.name}"
            self._record(name, name, starts)
            return
        begins = NodeSet(starts & self._graph.begins)
        # Names directly below the root are suffixes even without a rule (the list's default rule, *).
        rule = node.rule or parent.wildcard or (Section.ICANN if parent.name == "" else None)
        if rule is None:
            owner = owner or node.name
            self._record(owner, node.name, begins)
            if node.wildcard is None:
                for tail, nodes in unlisted_ends(self._graph, before, node.labels, self._budget).items():
                    self._record(owner, f"{tail}.{node.name}", nodes)
        else:
            owner = None
            self._add(self._found.suffix_hosts, node.name, begins)
            if before and node.wildcard is None:
                self._register(node, node.name, rule, before)
        if before and node.wildcard is not None:
            self._visit_wildcard(node, node.wildcard, before)
        if before:
            self._follow(node.labels, node, before, owner)

    def _register(
        self,
        node: SuffixNode | None,
        name: str,
        section: Section,
        before: NodeSet,
        path: frozenset[NodeSet] = frozenset(),
    ) -> None:
        """Record which names are admitted directly below the public suffix ``name``.

        ``path`` are the sets of nodes that led there, from below a domain whose names contain addresses.
        """
        reader = self._readers[section]
        if reader.count(before) > MOST_WORDS:
            self._open(name, section, before)
            return
        if len(self._found.domains) > MOST_WORDS:
            self._found.too_many |= reader.count(before) > 0
            return
        for label, starts in reader.words(before):
            if node is None or (label not in node.children and label not in node.exceptions):
                domain = f"{label}.{name}"
                if is_address_domain(name):
                    self._register_host(domain, section, starts, path)
                else:
                    self._record(domain, domain, starts)

    def _register_host(self, host: str, section: Section, starts: NodeSet, path: frozenset[NodeSet]) -> None:
        """Record a host that leads to the address in it; those below it lead to addresses of their own."""
        self._budget.spend(6)
        self._record(host, host, NodeSet(starts & self._graph.begins))
        further = self._graph.back(starts, self._graph.dot)
        if further in path:
            # Labels repeat without end, as in (a\.)+10-0-0-1\.nip\.io.
            self._open(host, section, further)
        elif further:
            self._register(None, host, section, further, path | {further})

    def _open(self, name: str, section: Section, before: NodeSet) -> None:
        self._found.open_suffixes.append(OpenSuffix(name, section, before))
        if self._stop_when_open and section is Section.ICANN:
            raise _StopError

    def _record(self, domain: str, name: str, starts: NodeSet) -> None:
        if starts:
            self._add(self._found.domains.setdefault(domain, {}), name, starts)

    def _visit_wildcard(self, node: SuffixNode, section: Section, before: NodeSet) -> None:
        """Record names below ``*.name``, a rule by which every label more makes a public suffix."""
        reader = self._readers[section]
        endless = reader.count(before) > MOST_WORDS
        labels = reader.unlisted(before, node.labels) if endless else reader.words(before)
        for label, starts in labels:
            if label in node.children or label in node.exceptions:
                continue
            name = f"{label}.{node.name}"
            self._add(self._found.suffix_hosts, name, NodeSet(starts & self._graph.begins))
            further = self._graph.back(starts, self._graph.dot)
            if not endless:
                self._register(None, name, section, further)
            elif reader.count(further):
                # One name below each of infinitely many suffixes is infinitely many names.
                self._open(name, section, further)
                return

    def _add(self, found: dict[str, NodeSet], name: str, starts: NodeSet) -> None:
        if starts:
            found[name] = NodeSet(found.get(name, 0) | starts)


@lru_cache(8)
def _public_endings(suffixes: SuffixList) -> LabelTrie:
    """Last labels that are no internal name: listed ones, ``localhost``, and numbers.

    A host whose last label is a number is an IPv4 address (URL, ends-in-a-number checker).
    """
    trie = LabelTrie()
    for label in (*suffixes.root.children, LOCALHOST):
        trie.add(label)
    number = LabelTrie(label="a number")
    number.children.update(dict.fromkeys(_DIGITS, number))
    _add_numbers(trie, number)
    return trie


def _add_numbers(trie: LabelTrie, number: LabelTrie) -> None:
    """Let every string of digits below ``trie`` lead to a label; ``number`` is its own child."""
    for digit in _DIGITS:
        child = trie.children.setdefault(digit, number)
        if child is not number:
            child.label = child.label or number.label
            _add_numbers(child, number)


def find_internal_names(graph: HostGraph, suffixes: SuffixList, budget: Budget) -> dict[str, NodeSet]:
    """Ends of names under no listed suffix, one for each scheme, with where they begin; not ``localhost``.

    Names that end in a hexadecimal number (0x7f) are among them. They make no well-formed origin, so
    they drop out when an origin is completed.
    """
    return unlisted_ends(graph, graph.ends, _public_endings(suffixes), budget)


@dataclass(frozen=True, slots=True)
class LiteralNames:
    """The names that the author of an expression spelled out, letter by letter."""

    domains: frozenset[str]
    internal: bool
    """Whether one of the names is under no listed suffix."""


def find_literal_names(automaton: Automaton, suffixes: SuffixList, budget: Budget) -> LiteralNames:
    """Read the expression once more, without the characters that it leaves open.

    Raises:
        ExhaustedError: the budget ran out.

    """
    graph = HostGraph(automaton, budget, literal_only=True)
    walk = SuffixWalk(graph, budget, stop_when_open=False)
    domains = frozenset(walk.run(suffixes.root).domains)
    return LiteralNames(domains, bool(find_internal_names(graph, suffixes, budget)))
