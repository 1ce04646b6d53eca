"""The public suffix list, arranged for reading hosts from the right.

Source: https://publicsuffix.org/list/, as the package publicsuffixlist carries it. Its own look-up answers
for one host; the proof asks for all hosts of an automaton at once, and needs the two sections told apart.
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

FIRST: Final = ("net", "com", "org")
"""Looked at first, so that an attacker's origin is an ordinary one."""


class Section(Enum):
    """Under whose rules names are given out."""

    ICANN = "icann"
    """A registry: whoever pays may have a name."""
    PRIVATE = "private"
    """A company that gives names to its customers."""


@dataclass(slots=True)
class CharTree:
    """Labels, spelled from their last character to their first."""

    after: dict[str, CharTree] = field(default_factory=dict)
    label: str | None = None
    _ends: tuple[tuple[str, int], ...] | None = None
    _alphabet: int | None = None

    def add(self, label: str) -> None:
        """Put one label in."""
        node = self
        for char in reversed(label):
            node = node.after.setdefault(char, CharTree())
        node.label = label

    def ends(self) -> tuple[tuple[str, int], ...]:
        """Every label from here on, with the set of the characters that are yet to be read of it."""
        if self._ends is None:
            further = (
                (label, charset(char) | chars)
                for char, longer in self.after.items()
                for label, chars in longer.ends()
            )
            self._ends = (*(((self.label, 0),) if self.label is not None else ()), *further)
        return self._ends

    def alphabet(self) -> int:
        """All characters that are yet to be read of some label."""
        if self._alphabet is None:
            self._alphabet = reduce(or_, (chars for _, chars in self.ends()), 0)
        return self._alphabet


@dataclass(slots=True)
class Suffix:
    """What the list says of the names that end in ``name``; the root's name is empty."""

    name: str
    rule: Section | None = None
    wildcard: Section | None = None
    exceptions: set[str] = field(default_factory=set)
    children: dict[str, Suffix] = field(default_factory=dict)
    labels: CharTree = field(default_factory=CharTree)
    """The labels of children and exceptions."""

    def child(self, label: str) -> Suffix:
        """The node one label further left, made if there is none."""
        known = self.children.get(label)
        if known is None:
            known = self.children[label] = Suffix(f"{label}.{self.name}" if self.name else label)
            self.labels.add(label)
        return known


def arrange(lines: Iterable[str]) -> Suffix:
    """The tree of a list in the list's own format."""
    root = Suffix("")
    for label in FIRST:
        root.child(label)
    section = Section.ICANN
    for line in lines:
        if "===BEGIN PRIVATE DOMAINS===" in line:
            section = Section.PRIVATE
        rule = line.split(" ")[0].strip().lower()
        if rule and not rule.startswith("//"):
            _add_rule(root, rule, section)
    return root


def _add_rule(root: Suffix, rule: str, section: Section) -> None:
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
def suffix_tree() -> Suffix:
    """The tree of the installed list."""
    with _file().open(encoding="utf-8") as lines:
        return arrange(lines)


@cache
def _library() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList()


def registrable_domain(host: str) -> str | None:
    """The public suffix of ``host`` and one label more, by the library's own look-up; None if it has none."""
    name: str | None = _library().privatesuffix(host.removesuffix("."))
    return name


def find_domain(host: str) -> str | None:
    """The registrable domain of ``host`` by this tree, as the proof sees it; None if it is a suffix itself.

    Where only ``*.kobe.jp`` is listed, kobe.jp itself belongs to whoever registered it below jp.
    """
    labels = host.removesuffix(".").split(".")
    node, suffix_length = suffix_tree(), 1
    for depth, label in enumerate(reversed(labels)):
        if label in node.exceptions:
            suffix_length = depth
            break
        if node.wildcard is not None:
            suffix_length = depth + 1
        below = node.children.get(label)
        if below is None:
            break
        node = below
        if node.rule is not None:
            suffix_length = depth + 1
    return ".".join(labels[-suffix_length - 1 :]) if len(labels) > suffix_length else None


def is_in_list(name: str) -> bool:
    """Whether the list has a rule for ``name``, for a name below it, or a wildcard that covers it."""
    node = suffix_tree()
    for label in reversed(name.removesuffix(".").split(".")):
        below = node.children.get(label)
        if below is None:
            return label in node.exceptions
        node = below
    return True


def is_listed(label: str) -> bool:
    """Whether ``label`` is a top-level domain of the list."""
    return label in suffix_tree().children


@cache
def list_date() -> dt.date:
    """The day of the installed list's version.

    Raises:
        LookupError: the list does not say.

    """
    with _file().open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("// VERSION: "):
                return dt.date.fromisoformat(line.removeprefix("// VERSION: ")[:10])
    raise LookupError("the public suffix list names no version")
