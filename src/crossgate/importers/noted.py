"""Values of a document that is being built, each with where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crossgate.diagnostics import Place, Step, printable
from crossgate.importers.found import Found
from crossgate.importers.result import Taken

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Noted:
    """A value of a document, and where it comes from."""

    value: object
    reason: str
    place: Place | None
    places: int = 1


Node = Mapping[str, "Node"] | Sequence["Node"] | Noted
"""A document whose values are noted; those in lists and mappings of them."""


def noted(found: Found[_Value], value: object = None) -> Noted:
    """The value that was found, or the one that was made of it."""
    return Noted(found.value if value is None else value, found.reason, found.place)


def merge_equal(
    found: Iterable[Found[_Value]], key: Callable[[_Value], Hashable] = repr
) -> list[tuple[Found[_Value], int]]:
    """The first of those with equal keys, and how many places say so."""
    first: dict[Hashable, Found[_Value]] = {}
    places: dict[Hashable, set[Place]] = {}
    for one in found:
        name = key(one.value)
        first.setdefault(name, one)
        places.setdefault(name, set()).add(one.place)
    return [(one, len(places[name])) for name, one in first.items()]


def plain_values(node: Node) -> object:
    """The document without its notes."""
    if isinstance(node, Noted):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain_values(value) for key, value in node.items()}
    return [plain_values(value) for value in node]


def taken_values(node: Node, path: tuple[Step, ...] = ()) -> Iterator[Taken]:
    """Every noted value of the document, in its order."""
    if isinstance(node, Noted):
        yield Taken(path, node.value, printable(node.reason), node.place, node.places)
        return
    entries = node.items() if isinstance(node, Mapping) else enumerate(node)
    for step, value in entries:
        yield from taken_values(value, (*path, step))
