"""Fields of Envoy's messages, whose JSON has names in snake case or in camel case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crossgate.importers.cursor import Cursor
from crossgate.importers.tree import Tree


def field(message: Cursor, name: str) -> Cursor:
    """The field with that name in snake case, or its camel case."""
    return message.first(name, re.sub("_([a-z])", lambda found: found[1].upper(), name))


def messages(tree: Tree) -> Iterator[Cursor]:
    """Every mapping in the document, from its begin to its end, the outer ones first."""
    waiting = [Cursor.root(tree)]
    while waiting:
        at = waiting.pop()
        if isinstance(at.value, dict):
            yield at
            waiting += reversed([inner for _, inner in at.items()])
        else:
            waiting += reversed(list(at.entries()))


def is_type(message: Cursor, name: str) -> bool:
    """Whether the message says that it is of the type with that last name, such as ``CorsPolicy``."""
    return str(message["@type"].value).rpartition(".")[2] == name
