"""A list of public suffixes as a trie, for reading hosts from the right.

A library's look-up answers for one host. The proof asks for all hosts of an automaton at once, and must tell
the list's two sections apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import or_
from typing import Final

from crossgate.lint.proof.alphabet import charset
from crossgate.lint.proof.bitset import CharSet

VISITED_FIRST: Final = ("net", "com", "org")
"""Suffixes that are tried first, so that the attacker's origin that is shown has a common one."""


PRIVATE_SECTION: Final = "===BEGIN PRIVATE DOMAINS==="


class Section(Enum):
    """Whose rule of the list a public suffix is."""

    ICANN = "icann"
    """A registry's: anybody can buy a name below it."""
    PRIVATE = "private"
    """A company's, which gives names below it to its customers."""


@dataclass(slots=True)
class LabelTrie:
    """A set of labels, spelled from their last character to their first."""

    children: dict[str, LabelTrie] = field(default_factory=dict)
    label: str | None = None
    """The label that is complete here."""
    _below: tuple[tuple[str, CharSet], ...] | None = None
    _alphabet: CharSet | None = None

    def add(self, label: str) -> None:
        """Insert a label."""
        node = self
        for char in reversed(label):
            node = node.children.setdefault(char, LabelTrie())
        node.label = label

    def below(self) -> tuple[tuple[str, CharSet], ...]:
        """Every label from here on, with the set of its characters that are not read yet."""
        if self._below is None:
            further = (
                (label, CharSet(charset(char) | chars))
                for char, child in self.children.items()
                for label, chars in child.below()
            )
            self._below = (*(((self.label, CharSet(0)),) if self.label is not None else ()), *further)
        return self._below

    def alphabet(self) -> CharSet:
        """All characters that are not read yet of some label."""
        if self._alphabet is None:
            self._alphabet = CharSet(reduce(or_, (chars for _, chars in self.below()), 0))
        return self._alphabet


@dataclass(slots=True)
class SuffixNode:
    """The list's rules for names that end in ``name``; the root's name is empty."""

    name: str
    rule: Section | None = None
    """Whose rule makes ``name`` itself a public suffix."""
    wildcard: Section | None = None
    """Whose rule ``*.name`` makes every name directly below a public suffix."""
    exceptions: set[str] = field(default_factory=set)
    """Labels that the wildcard does not cover (``!www.ck``)."""
    children: dict[str, SuffixNode] = field(default_factory=dict)
    labels: LabelTrie = field(default_factory=LabelTrie)
    """The labels of children and exceptions."""

    def child(self, label: str) -> SuffixNode:
        """The node one label further left, created if necessary."""
        known = self.children.get(label)
        if known is None:
            known = self.children[label] = SuffixNode(f"{label}.{self.name}" if self.name else label)
            self.labels.add(label)
        return known


def build_trie(lines: Iterable[str]) -> SuffixNode:
    """The root of the trie of a list in the list's own format."""
    root = SuffixNode("")
    for label in VISITED_FIRST:
        root.child(label)
    for rule, section in rules_of(lines):
        _add_rule(root, rule, section)
    return root


def rules_of(lines: Iterable[str]) -> Iterator[tuple[str, Section]]:
    """The rules of a list, each with its section."""
    section = Section.ICANN
    for line in lines:
        if PRIVATE_SECTION in line:
            section = Section.PRIVATE
        rule = line.split(" ")[0].strip().lower()
        if rule and not rule.startswith("//"):
            yield rule, section


def _add_rule(root: SuffixNode, rule: str, section: Section) -> None:
    exception = rule.startswith("!")
    labels = rule.removeprefix("!").encode("idna").decode("ascii").split(".")
    first = labels.pop(0) if exception or labels[0] == "*" else None
    node = root
    for label in reversed(labels):
        node = node.child(label)
    if exception and first is not None:
        node.exceptions.add(first)
        node.labels.add(first)
    elif first is not None:
        node.wildcard = section
    else:
        node.rule = section
