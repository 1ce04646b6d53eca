"""Repairs an expression that admits too much, and offers nothing that has not been verified.

A repair is tried in the text itself: dots are escaped, a free run at the beginning of the host becomes
whole labels, a free tail is cut, the scheme is written, the ends are anchored. It is offered only if it is
proved, and admits nothing that the original did not.
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
from crossgate.lint.proof.inclusion import included
from crossgate.lint.proof.parse import parse
from crossgate.lint.proof.prove import prove
from crossgate.lint.proof.tree import Choice, Node, Repeat, Sequence, Symbol
from crossgate.lint.proof.verdict import Verdict

_LABELS: Final = r"(?:[a-z0-9-]+\.)"
_HTTPS: Final = "https://"
_AFTER_SCHEME: Final = re.compile(r":(?:\\?/){2}\(*(?:\?:)?$")

Edit = tuple[int, int, str]
"""From where to where in the text, and what to write there."""


@lru_cache(maxsize=2048)
def suggest(pattern: str, mode: MatchMode = MatchMode.FULL) -> str | None:
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
            if _is_better(candidate, pattern, mode):
                return candidate
    return None


def _quiet() -> object:
    options = re2.Options()
    options.log_errors = False
    return options


def _is_better(candidate: str, pattern: str, mode: MatchMode) -> bool:
    proof = prove(candidate, mode)
    return (
        proof.verdict is Verdict.PROVED
        and bool(proof.domains)
        and included(candidate, pattern, mode, mode).holds is True
    )


def _candidates(pattern: str, tree: Node, mode: MatchMode) -> Iterator[str]:
    """The least change first, but dots are escaped in any case: a bare one that harms nobody misleads."""
    dots = _escape_dots(pattern, tree)
    kinds = [edits for find in _REPAIRS if (edits := find(pattern, tree))]
    for number in range(len(kinds) + 1):
        for chosen in combinations(kinds, number):
            edits = [edit for edits in chosen for edit in edits]
            # An edit that takes the dot along makes escaping it overlap.
            text = _apply(pattern, [*edits, *dots]) or _apply(pattern, edits)
            if text is None:
                continue
            if mode is MatchMode.FULL:
                yield text
            else:
                yield from _anchored(text, mode)


def _anchored(text: str, mode: MatchMode) -> Iterator[str]:
    left = "" if mode is MatchMode.PREFIX or text.startswith(("^", "\\A")) else "^"
    right = "" if text.endswith(("$", "\\z")) else "$"
    yield f"{left}{text}{right}"
    yield f"^(?:{text})$"


def _apply(text: str, edits: list[Edit]) -> str | None:
    """None if edits overlap."""
    at = len(text)
    for start, end, replacement in sorted(set(edits), reverse=True):
        if end > at:
            return None
        text = text[:start] + replacement + text[end:]
        at = start
    return text


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Sequence(inside) | Choice(inside):
            for child in inside:
                yield from _nodes(child)
        case Repeat(body):
            yield from _nodes(body)
        case _:
            pass


def _free_runs(tree: Node) -> Iterator[Repeat]:
    for node in _nodes(tree):
        if isinstance(node, Repeat) and node.most is None and _is_open_symbol(node.body):
            yield node


def _is_open_symbol(node: Node) -> bool:
    return isinstance(node, Symbol) and is_open(node.chars)


def _escape_dots(text: str, tree: Node) -> list[Edit]:
    repeated = {(n.body.start, n.body.end) for n in _nodes(tree) if isinstance(n, Repeat)}
    return [
        (node.start, node.end, r"\.")
        for node in _nodes(tree)
        if isinstance(node, Symbol)
        and node.any_char
        and (node.start, node.end) not in repeated
        and text[node.start : node.end] == "."
    ]


def _whole_labels(text: str, tree: Node) -> list[Edit]:
    """A free run right behind the scheme may only be whole labels."""
    return [
        _whole_labels_for(text, run) for run in _free_runs(tree) if _AFTER_SCHEME.search(text[: run.start])
    ]


def _whole_labels_for(text: str, run: Repeat) -> Edit:
    if text.startswith(r"\.", run.end):
        return run.start, run.end + 2, _LABELS + "+"
    return run.start, run.end, _LABELS + "*"


def _drop_run(text: str, tree: Node) -> list[Edit]:
    """The same run goes: what it admits may leave no room for whole labels."""
    return [(run.start, run.end, "") for run in _free_runs(tree) if _AFTER_SCHEME.search(text[: run.start])]


def _cut_tail(text: str, tree: Node) -> list[Edit]:
    """A free run at the end goes."""
    end = re.compile(r"\)*(?:\$|\\z)?\Z")
    return [(run.start, run.end, "") for run in _free_runs(tree) if end.fullmatch(text[run.end :])]


def _write_scheme(text: str, tree: Node) -> list[Edit]:
    """A pattern that leaves the scheme open gets https, and whole labels for a free run there."""
    if "//" in text or "/\\/" in text:
        return []
    start = len(text) - len(text.removeprefix("^").removeprefix("\\A"))
    head = next((run for run in _free_runs(tree) if run.start == start), None)
    if head is None:
        return [(start, start, _HTTPS + _LABELS + "*")]
    start, end, labels = _whole_labels_for(text, head)
    return [(start, end, _HTTPS + labels)]


def _drop_free_scheme(text: str, tree: Node) -> list[Edit]:
    """What may stand before the scheme goes."""
    start = len(text) - len(text.removeprefix("^").removeprefix("\\A"))
    return [
        (run.start, run.end, "")
        for run in _free_runs(tree)
        if run.start == start and text[run.end :].startswith("http")
    ]


_REPAIRS: Final[tuple[Callable[[str, Node], list[Edit]], ...]] = (
    _whole_labels,
    _drop_run,
    _cut_tail,
    _write_scheme,
    _drop_free_scheme,
)
