"""Reads every host of a graph from the right, along the public suffix list.

The answer is complete: a host that a browser may send and whose public suffix and registrable label a
registry could have given out is covered by one of the findings, or stands under no listed suffix.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Final

from crossgate.lint.proof.alphabet import DIGITS, HYPHEN, LETTERS
from crossgate.lint.proof.automaton import as_set, bits
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.hosts import HostGraph
from crossgate.lint.proof.labels import MOST_WORDS, LabelReader, company_letters, registry_letters, ways_out
from crossgate.lint.proof.suffixes import FIRST, CharTree, Section, Suffix

_LISTED: Final = LETTERS | DIGITS | HYPHEN
"""The characters of the list's labels."""


@dataclass(frozen=True, slots=True)
class OpenSuffix:
    """Under this public suffix an attacker may have a name that is admitted."""

    name: str
    section: Section
    nodes: int
    """From which the registrable label is read backwards."""


@dataclass(slots=True)
class Findings:
    """What the hosts of a graph come down to. Sets of nodes are beginnings of what is named."""

    domains: dict[str, dict[str, int]] = field(default_factory=dict)
    """Registrable domains, each with ends of hosts that belong to it and where those begin."""
    private: set[str] = field(default_factory=set)
    """Those of the domains that a company gave out, not a registry."""
    open_suffixes: list[OpenSuffix] = field(default_factory=list)
    suffix_hosts: dict[str, int] = field(default_factory=dict)
    """Public suffixes that are admitted as hosts themselves."""
    too_many: bool = False
    """There are more domains than were recorded."""


class StopError(Exception):
    """Enough is known: no further finding would change the verdict."""


class Walk:
    """One reading of one graph; ``findings`` holds what came of it."""

    def __init__(self, graph: HostGraph, budget: Budget, *, stop_when_open: bool) -> None:
        self._graph = graph
        self._budget = budget
        self._stop_when_open = stop_when_open
        self._readers = {
            Section.ICANN: LabelReader(graph, registry_letters(graph), budget),
            Section.PRIVATE: LabelReader(graph, company_letters(graph), budget),
        }
        self._readings: dict[int, tuple[int, int]] = {}
        self.findings = Findings()

    def reader(self, section: Section) -> LabelReader:
        """The reader of registrable labels under a section's suffixes."""
        return self._readers[section]

    def run(self, root: Suffix) -> Findings:
        """Everything; or, if so wished, what there is when the first registry's suffix is open."""
        with contextlib.suppress(StopError):
            for label in FIRST:
                starts = self._graph.read_back(self._graph.ends, label) & self._graph.label_starts
                if starts:
                    self._visit(label, root, starts, None)
            self._follow(root.labels, root, self._graph.ends, None)
        return self.findings

    def _follow(self, labels: CharTree, parent: Suffix, nodes: int, owner: str | None) -> None:
        """Read backwards every label that the list has below ``parent``."""
        self._budget.spend(3)
        graph = self._graph
        class_of, leading = graph.automaton.class_of, graph.classes_into(nodes)
        before = {
            char: graph.back(nodes, class_of[ord(char)])
            for char in labels.after
            if leading >> class_of[ord(char)] & 1
        }
        if set(before.values()) == {nodes}:
            readable, moving = self._reads(nodes)
            if not labels.alphabet() & moving:
                self._visit_all(labels, parent, nodes, owner, readable)
                return
        if labels.label is not None and nodes & graph.label_starts:
            self._visit(labels.label, parent, nodes & graph.label_starts, owner)
        for char, reached in before.items():
            self._follow(labels.after[char], parent, reached, owner)

    def _reads(self, nodes: int) -> tuple[int, int]:
        """The characters that lead to the nodes, and those of them that come from other nodes.

        Behind a run of any letters there are none of the latter: labels need not be read one by one.
        """
        known = self._readings.get(nodes)
        if known is None:
            class_of = self._graph.automaton.class_of
            before = {code: self._graph.back(nodes, class_of[code]) for code in bits(_LISTED)}
            readable = as_set(code for code, reached in before.items() if reached)
            moving = as_set(code for code, reached in before.items() if reached not in (0, nodes))
            known = self._readings[nodes] = readable, moving
        return known

    def _visit_all(
        self, labels: CharTree, parent: Suffix, nodes: int, owner: str | None, readable: int
    ) -> None:
        starts = nodes & self._graph.label_starts
        for label, chars in labels.ends() if starts else ():
            if not chars & ~readable:
                self._visit(label, parent, starts, owner)

    def _visit(self, label: str, parent: Suffix, starts: int, owner: str | None) -> None:
        self._budget.spend(6)
        node = parent.children.get(label)
        before = self._graph.back(starts, self._graph.dot)
        if node is None or label in parent.exceptions:
            name = f"{label}.{parent.name}"
            self._record(name, parent.wildcard, name, starts)
            return
        # Names right below the root are suffixes even without a rule (the list's default rule, *).
        rule = node.rule or parent.wildcard or (Section.ICANN if parent.name == "" else None)
        if rule is None:
            owner = owner or node.name
            self._record(owner, None, node.name, starts & self._graph.begins)
            if node.wildcard is None:
                for tail, nodes in ways_out(self._graph, before, node.labels, self._budget).items():
                    self._record(owner, None, f"{tail}.{node.name}", nodes)
        else:
            owner = None
            self._add(self.findings.suffix_hosts, node.name, starts & self._graph.begins)
            if before and node.wildcard is None:
                self._register(node, node.name, rule, before)
        if before and node.wildcard is not None:
            self._visit_wildcard(node, node.wildcard, before)
        if before:
            self._follow(node.labels, node, before, owner)

    def _register(self, node: Suffix | None, name: str, section: Section, before: int) -> None:
        """Record which names are admitted directly below the public suffix ``name``."""
        reader = self._readers[section]
        if reader.count(before) > MOST_WORDS:
            self._open(name, section, before)
            return
        if len(self.findings.domains) > MOST_WORDS:
            self.findings.too_many |= reader.count(before) > 0
            return
        for label, starts in reader.words(before):
            if node is None or (label not in node.children and label not in node.exceptions):
                domain = f"{label}.{name}"
                self._record(domain, section, domain, starts)

    def _open(self, name: str, section: Section, before: int) -> None:
        self.findings.open_suffixes.append(OpenSuffix(name, section, before))
        if self._stop_when_open and section is Section.ICANN:
            raise StopError

    def _record(self, domain: str, section: Section | None, name: str, starts: int) -> None:
        if not starts:
            return
        self._add(self.findings.domains.setdefault(domain, {}), name, starts)
        if section is Section.PRIVATE:
            self.findings.private.add(domain)

    def _visit_wildcard(self, node: Suffix, section: Section, before: int) -> None:
        """``*.name`` is in the list: any one label more makes a public suffix."""
        reader = self._readers[section]
        endless = reader.count(before) > MOST_WORDS
        labels = reader.unlisted(before, node.labels) if endless else reader.words(before)
        for label, starts in labels:
            if label in node.children or label in node.exceptions:
                continue
            name = f"{label}.{node.name}"
            self._add(self.findings.suffix_hosts, name, starts & self._graph.begins)
            further = self._graph.back(starts, self._graph.dot)
            if not endless:
                self._register(None, name, section, further)
            elif reader.count(further):
                # Without end of suffixes, one name below each is without end of names.
                self._open(name, section, further)
                return

    def _add(self, found: dict[str, int], name: str, starts: int) -> None:
        if starts:
            found[name] = found.get(name, 0) | starts
