"""Repairs an expression that admits too much, and suggests only repairs that have been verified.

A repair is tried in the pattern itself: dots are escaped, an open run at the beginning of the host becomes
whole labels, an open tail is cut, the scheme is written, the ends are anchored. It is suggested only if its
verdict is ``proved``, and if it admits nothing that the original does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from typing import Final

import re2

from crossgate.lint.proof.automaton import is_open
from crossgate.lint.proof.budget import ExhaustedError
from crossgate.lint.proof.expression import MatchMode
from crossgate.lint.proof.parser import parse
from crossgate.lint.proof.product import included
from crossgate.lint.proof.prove import prove
from crossgate.lint.proof.suffix_list import SuffixList
from crossgate.lint.proof.syntax_tree import Node, Repeat, Symbol, walk
from crossgate.lint.proof.verdict import Verdict

_LABELS: Final = r"(?:[a-z0-9-]+\.)"
_HTTPS: Final = "https://"
_AFTER_SCHEME: Final = re.compile(r":(?:\\?/){2}\(*(?:\?:)?$")

Edit = tuple[int, int, str]
"""Start and end in the pattern, and the replacement."""


@lru_cache(maxsize=2048)
def suggest(pattern: str, mode: MatchMode = MatchMode.FULL, suffixes: SuffixList | None = None) -> str | None:
    """An expression that admits less and is proved; None if none was found. Never raises."""
    try:
        re2.compile(pattern.encode(), options=_quiet())
        tree = parse(pattern)
    except (re2.error, UnicodeEncodeError, ExhaustedError):
        return None
    seen = {pattern}
    for candidate in _candidates(pattern, tree, mode):
        if candidate not in seen:
            seen.add(candidate)
            if _is_better(candidate, pattern, mode, suffixes):
                return candidate
    return None


def _quiet() -> object:
    options = re2.Options()
    options.log_errors = False
    return options


def _is_better(candidate: str, pattern: str, mode: MatchMode, suffixes: SuffixList | None) -> bool:
    proof = prove(candidate, mode, suffixes)
    return (
        proof.verdict is Verdict.PROVED
        and bool(proof.domains)
        and included(candidate, pattern, mode, mode).holds is True
    )


def _candidates(pattern: str, tree: Node, mode: MatchMode) -> Iterator[str]:
    """The smallest change first. Dots are always escaped: even a harmless bare dot misleads its reader."""
    dots = _escape_dots(pattern, tree)
    repairs = [edits for find in _REPAIRS if (edits := find(pattern, tree))]
    for number in range(len(repairs) + 1):
        for chosen in combinations(repairs, number):
            edits = [edit for edits in chosen for edit in edits]
            # An edit that includes the dot overlaps with escaping it.
            edited = _apply(pattern, [*edits, *dots]) or _apply(pattern, edits)
            if edited is None:
                continue
            if mode is MatchMode.FULL:
                yield edited
            else:
                yield from _anchored(edited, mode)


def _anchored(pattern: str, mode: MatchMode) -> Iterator[str]:
    left = "" if mode is MatchMode.PREFIX or pattern.startswith(("^", "\\A")) else "^"
    right = "" if pattern.endswith(("$", "\\z")) else "$"
    yield f"{left}{pattern}{right}"
    yield f"^(?:{pattern})$"


def _apply(pattern: str, edits: list[Edit]) -> str | None:
    """The edited pattern; None if edits overlap."""
    at = len(pattern)
    for start, end, replacement in sorted(set(edits), reverse=True):
        if end > at:
            return None
        pattern = pattern[:start] + replacement + pattern[end:]
        at = start
    return pattern


def _open_runs(tree: Node) -> Iterator[Repeat]:
    for node in walk(tree):
        if isinstance(node, Repeat) and node.most is None and _is_open_symbol(node.body):
            yield node


def _is_open_symbol(node: Node) -> bool:
    return isinstance(node, Symbol) and is_open(node.chars)


def _escape_dots(pattern: str, tree: Node) -> list[Edit]:
    repeated = {(node.body.start, node.body.end) for node in walk(tree) if isinstance(node, Repeat)}
    return [
        (node.start, node.end, r"\.")
        for node in walk(tree)
        if isinstance(node, Symbol)
        and node.any_char
        and (node.start, node.end) not in repeated
        and pattern[node.start : node.end] == "."
    ]


def _whole_labels(pattern: str, tree: Node) -> list[Edit]:
    """An open run right behind the scheme becomes whole labels."""
    return [_whole_labels_for(pattern, run) for run in _runs_after_scheme(pattern, tree)]


def _runs_after_scheme(pattern: str, tree: Node) -> Iterator[Repeat]:
    return (run for run in _open_runs(tree) if _AFTER_SCHEME.search(pattern[: run.start]))


def _whole_labels_for(pattern: str, run: Repeat) -> Edit:
    if pattern.startswith(r"\.", run.end):
        return run.start, run.end + 2, _LABELS + "+"
    return run.start, run.end, _LABELS + "*"


def _drop_run(pattern: str, tree: Node) -> list[Edit]:
    """The same run is removed: what it admits may leave no room for whole labels."""
    return [(run.start, run.end, "") for run in _runs_after_scheme(pattern, tree)]


def _cut_tail(pattern: str, tree: Node) -> list[Edit]:
    """An open run at the end is removed."""
    end = re.compile(r"\)*(?:\$|\\z)?\Z")
    return [(run.start, run.end, "") for run in _open_runs(tree) if end.fullmatch(pattern[run.end :])]


def _write_scheme(pattern: str, tree: Node) -> list[Edit]:
    """A pattern without a scheme gets https, and whole labels in place of an open run at its beginning."""
    if "//" in pattern or "/\\/" in pattern:
        return []
    start = _start_behind_anchor(pattern)
    head = next((run for run in _open_runs(tree) if run.start == start), None)
    if head is None:
        return [(start, start, _HTTPS + _LABELS + "*")]
    start, end, labels = _whole_labels_for(pattern, head)
    return [(start, end, _HTTPS + labels)]


def _start_behind_anchor(pattern: str) -> int:
    return len(pattern) - len(pattern.removeprefix("^").removeprefix("\\A"))


def _drop_before_scheme(pattern: str, tree: Node) -> list[Edit]:
    """An open run before the scheme is removed."""
    start = _start_behind_anchor(pattern)
    return [
        (run.start, run.end, "")
        for run in _open_runs(tree)
        if run.start == start and pattern[run.end :].startswith("http")
    ]


_REPAIRS: Final[tuple[Callable[[str, Node], list[Edit]], ...]] = (
    _whole_labels,
    _drop_run,
    _cut_tail,
    _write_scheme,
    _drop_before_scheme,
)
