"""The suffixes that a proof counts with: the public list, Crossgate's supplement, and the operator's changes.

Source of the public list: https://publicsuffix.org/list/, as the package publicsuffixlist carries it. Its
private section lists what companies registered there, and many did not: see ``shared_domains.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Final

import publicsuffixlist

from crossgate.lint.proof.shared_domains import (
    ADDRESS_DOMAINS,
    SHARED_DOMAINS,
    SHARED_HOST_ENDS,
    SHARED_HOSTS,
    shared_host_pattern,
)
from crossgate.lint.proof.suffix_trie import PRIVATE_SECTION, Section, SuffixNode, build_trie, rules_of


class SuffixList:
    """Public suffixes, as a trie and for look-ups; made by :func:`suffix_list` and compared by identity."""

    def __init__(self, shared: tuple[str, ...], single_owner: tuple[str, ...]) -> None:
        self._shared = shared
        self._single_owner = single_owner

    @cached_property
    def _lines(self) -> list[str]:
        registries: list[str] = []
        companies = [f"// {PRIVATE_SECTION}"]
        for rule, section in rules_of(_public_lines()):
            (registries if section is Section.ICANN else companies).append(rule)
        companies += [*SHARED_DOMAINS, *self._shared]
        return [*registries, *(rule for rule in companies if not self.has_single_owner(rule))]

    def has_single_owner(self, name: str) -> bool:
        """Whether the operator says that one company has all names at and below ``name``."""
        bare = name.removeprefix("!").removeprefix("*.")
        owners = [owner.removeprefix("*.") for owner in self._single_owner]
        return any(bare == owner or bare.endswith(f".{owner}") for owner in owners)

    @cached_property
    def shared_hosts(self) -> str:
        """An expression for hosts whose origin different people share; empty if there are none."""
        return shared_host_pattern(host for host in SHARED_HOSTS if not self.has_single_owner(host))

    def is_shared_host(self, host: str) -> bool:
        """Whether different people publish pages at this host."""
        return self.near_shared_host(host) and re.fullmatch(self.shared_hosts, host) is not None

    def near_shared_host(self, host: str) -> bool:
        """Whether ``host`` may be a shared host, or be above or below one."""
        return any(
            host == end or host.endswith(f".{end}") or end.endswith(f".{host}") for end in SHARED_HOST_ENDS
        )

    @cached_property
    def root(self) -> SuffixNode:
        """The root of the trie."""
        return build_trie(self._lines)

    @cached_property
    def _library(self) -> publicsuffixlist.PublicSuffixList:
        return publicsuffixlist.PublicSuffixList(self._lines)

    def registrable_domain(self, host: str) -> str | None:
        """The public suffix of ``host`` and one label more, by the library's look-up; None if it has none.

        Below domains whose names contain addresses, the whole host.
        """
        bare = host.removesuffix(".")
        name: str | None = self._library.privatesuffix(bare)
        return bare if name is not None and name.partition(".")[2] in ADDRESS_DOMAINS else name

    def find_domain(self, host: str) -> str | None:
        """The registrable domain of ``host`` as the proof computes it; None if it is a public suffix itself.

        Where only ``*.kobe.jp`` is listed, kobe.jp itself belongs to the company that registered it below jp.
        Below domains whose names contain addresses, it is the whole host.
        """
        labels = host.removesuffix(".").split(".")
        node, suffix_length = self.root, 1
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
        if len(labels) <= suffix_length:
            return None
        if ".".join(labels[-suffix_length:]) in ADDRESS_DOMAINS:
            return ".".join(labels)
        return ".".join(labels[-suffix_length - 1 :])

    def contains(self, name: str) -> bool:
        """Whether there is a rule for ``name``, for a name below it, or a wildcard that covers it."""
        node = self.root
        for label in reversed(name.removesuffix(".").split(".")):
            child = node.children.get(label)
            if child is None:
                return label in node.exceptions
            node = child
        return True

    def is_top_level(self, label: str) -> bool:
        """Whether ``label`` is a top-level domain of the list."""
        return label in self.root.children


_MOST_LISTS: Final = 4
"""A list takes some 10 MB: the default one, and those of an operator who is changing it."""


def suffix_list(shared: tuple[str, ...] = (), single_owner: tuple[str, ...] = ()) -> SuffixList:
    """The list with the operator's changes.

    ``shared`` are domains below which different people have names, in the syntax of the public list
    (``*.apps.example`` if each name below apps.example is such a domain). ``single_owner`` are domains at and
    below which rules of companies do not apply.
    """
    return _made(shared, single_owner)


@lru_cache(_MOST_LISTS)
def _made(shared: tuple[str, ...], single_owner: tuple[str, ...]) -> SuffixList:
    return SuffixList(shared, single_owner)


def _public_lines() -> list[str]:
    return _file().read_text(encoding="utf-8").splitlines()


def _file() -> Path:
    return Path(publicsuffixlist.PSLFILE)


@cache
def list_date() -> dt.date:
    """The date of the installed list's version.

    Raises:
        LookupError: the list has no version line.

    """
    for line in _public_lines():
        if line.startswith("// VERSION: "):
            return dt.date.fromisoformat(line.removeprefix("// VERSION: ")[:10])
    raise LookupError("the public suffix list has no VERSION line")
