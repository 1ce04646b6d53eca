"""The public suffix list as a trie, for reading hosts from the right.

Source: https://publicsuffix.org/list/, as the package publicsuffixlist carries it. The package's own look-up
answers for one host. The proof asks for all hosts of an automaton at once, and must tell the list's two
sections apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Final

import publicsuffixlist

from crossgate.lint.proof.alphabet import charset
from crossgate.lint.proof.bitset import CharSet

VISITED_FIRST: Final = ("net", "com", "org")
"""Suffixes that are tried first, so that the attacker's origin that is shown has a common one."""


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
    section = Section.ICANN
    for line in lines:
        if "===BEGIN PRIVATE DOMAINS===" in line:
            section = Section.PRIVATE
        rule = line.split(" ")[0].strip().lower()
        if rule and not rule.startswith("//"):
            _add_rule(root, rule, section)
    return root


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


def _file() -> Path:
    return Path(publicsuffixlist.PSLFILE)


@cache
def suffix_trie() -> SuffixNode:
    """The root of the trie of the installed list."""
    with _file().open(encoding="utf-8") as lines:
        return build_trie(lines)


@cache
def _library() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList()


def registrable_domain(host: str) -> str | None:
    """The public suffix of ``host`` and one label more, by the library's look-up; None if it has none."""
    name: str | None = _library().privatesuffix(host.removesuffix("."))
    return name


def find_domain(host: str) -> str | None:
    """The registrable domain of ``host`` as the proof computes it; None if it is a public suffix itself.

    Where only ``*.kobe.jp`` is listed, kobe.jp itself belongs to the company that registered it below jp.
    """
    labels = host.removesuffix(".").split(".")
    node, suffix_length = suffix_trie(), 1
    for depth, label in enumerate(reversed(labels)):
        if label in node.exceptions:
            suffix_length = depth
            break
        if node.wildcard is not None:
            suffix_length = depth + 1
        child = node.children.get(label)
        if child is None:
            break
        node = child
        if node.rule is not None:
            suffix_length = depth + 1
    return ".".join(labels[-suffix_length - 1 :]) if len(labels) > suffix_length else None


def is_in_list(name: str) -> bool:
    """Whether the list has a rule for ``name``, for a name below it, or a wildcard that covers it."""
    node = suffix_trie()
    for label in reversed(name.removesuffix(".").split(".")):
        child = node.children.get(label)
        if child is None:
            return label in node.exceptions
        node = child
    return True


def is_top_level(label: str) -> bool:
    """Whether ``label`` is a top-level domain of the list."""
    return label in suffix_trie().children


@cache
def list_date() -> dt.date:
    """The date of the installed list's version.

    Raises:
        LookupError: the list has no version line.

    """
    with _file().open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("// VERSION: "):
                return dt.date.fromisoformat(line.removeprefix("// VERSION: ")[:10])
    raise LookupError("the public suffix list has no VERSION line")
