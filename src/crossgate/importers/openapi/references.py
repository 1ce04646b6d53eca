"""The values of a description with their places, and the references between them.

A reference is a JSON Pointer in the fragment of a URL (RFC 6901, §6: https://www.rfc-editor.org/rfc/rfc6901).
It is followed to a value of the same document, or of one that :meth:`Source.open` gives. Nothing is copied.
Each target is looked up once, and each problem with one is reported once, at the first reference to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeGuard
from urllib.parse import unquote

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity, Step
from crossgate.importers.source import Source
from crossgate.importers.tree import Tree

_MAX_CHAIN: Final = 50
"""References from one reference to the next before a value comes."""
_MAX_OF_A_CODE: Final = 100
"""Diagnostics with the same code that are kept."""
_REF: Final = "$ref"


Identity = tuple[int, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Located:
    """A value of a description, or of a document to which it refers."""

    value: object
    source: Source = field(repr=False)
    tree: Tree = field(repr=False)
    path: tuple[Step, ...] = ()

    @property
    def identity(self) -> Identity:
        """The same for the same value of the same document, however it is reached."""
        return id(self.tree), self.path

    def place(self, *steps: Step, key: bool = False) -> Place:
        """The place of the value at the steps below, or with ``key`` of its key."""
        return self.tree.place(*self.path, *steps, key=key)

    def below(self, step: Step, value: object) -> Located:
        """One of the values in this one."""
        return Located(value, self.source, self.tree, (*self.path, step))


class References:
    """Follows the references of a description, and collects what is wrong with its values."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._counts: Counter[str] = Counter()
        self._targets: dict[tuple[int, str], Located | None] = {}
        self._documents: dict[str, tuple[Source, Tree] | None] = {}
        self._misshapen: set[Identity] = set()

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep the diagnostic, unless there are very many with its code."""
        self._counts[diagnostic.code] += 1
        count = self._counts[diagnostic.code]
        if count <= _MAX_OF_A_CODE:
            self.diagnostics.append(diagnostic)
        elif count == _MAX_OF_A_CODE + 1:
            more = Diagnostic(
                diagnostic.code,
                f"there are more than {_MAX_OF_A_CODE} findings of this code; the others are not listed",
                "Correct those that are listed, then import again",
                Place(file=diagnostic.place.file),
                severity=diagnostic.severity,
            )
            self.diagnostics.append(more)

    def follow(self, value: Located) -> Located | None:
        """The value itself, or the one that its reference leads to; None, and reported, if there is none."""
        start, seen = value, {value.identity}
        for _ in range(_MAX_CHAIN):
            if not isinstance(value.value, Mapping) or _REF not in value.value:
                return value
            target = self._target(value, value.value[_REF])
            if target is None:
                return None
            if target.identity in seen:
                break
            seen.add(target.identity)
            value = target
        self._report_once(
            start,
            Diagnostic(
                "openapi-reference-loop",
                "the reference leads to no value: it leads back to itself, or through too many references",
                "Refer to the value itself",
                start.place(_REF),
                found=str(start.value[_REF]) if isinstance(start.value, Mapping) else None,
                severity=Severity.WARNING,
            ),
        )
        return None

    def refer(self, value: Located, reference: str) -> Located | None:
        """The value at a reference that stands in the document of a value."""
        target = self._target(value, reference)
        return None if target is None else self.follow(target)

    def entries(self, value: Located | None, *steps: str) -> Iterator[tuple[str, Located]]:
        """The entries of the mapping at the steps below, in order; none if there is none.

        References are followed before each step and at the end.
        """
        found = self.child(value, *steps)
        if found is None:
            return
        if not isinstance(found.value, Mapping):
            self.report_shape(found, "a mapping")
            return
        for key, entry in found.value.items():
            if key != _REF:
                yield key, found.below(key, entry)

    def items(self, value: Located | None, *steps: str) -> Iterator[Located]:
        """The items of the list at the steps below, in order; none if there is none."""
        found = self.child(value, *steps)
        if found is None:
            return
        if not is_list(found.value):
            self.report_shape(found, "a list")
            return
        for index, item in enumerate(found.value):
            yield found.below(index, item)

    def own(self, value: Located, step: str) -> Located | None:
        """A field of the value, after references; None if there is none.

        A reference in place of the value is not followed: a path item may have fields beside its own.
        """
        if not isinstance(value.value, Mapping) or step not in value.value:
            return None
        return self.child(value.below(step, value.value[step]))

    def child(self, value: Located | None, *steps: str) -> Located | None:
        """The value at the steps below; None if there is none, or null."""
        for step in steps:
            value = None if value is None else self.follow(value)
            if value is None:
                return None
            if not isinstance(value.value, Mapping):
                if value.value is not None:
                    self.report_shape(value, "a mapping")
                return None
            if step not in value.value:
                return None
            value = value.below(step, value.value[step])
        value = None if value is None else self.follow(value)
        return None if value is None or value.value is None else value

    def string(self, value: Located | None, *steps: str) -> Located | None:
        """The string at the steps below; None if there is none."""
        found = self.child(value, *steps)
        if found is None or isinstance(found.value, str):
            return found
        self.report_shape(found, "a string")
        return None

    def report_shape(self, value: Located, expected: str) -> None:
        """Report a value of the wrong type, once."""
        self._report_once(
            value,
            Diagnostic(
                "wrong-type",
                f"expected {expected}",
                "Correct the description; this value is ignored",
                value.place(),
                found=_type_of(value.value),
                severity=Severity.WARNING,
            ),
        )

    def _report_once(self, value: Located, diagnostic: Diagnostic) -> None:
        if value.identity not in self._misshapen:
            self._misshapen.add(value.identity)
            self.report(diagnostic)

    def _target(self, value: Located, reference: object) -> Located | None:
        if not isinstance(reference, str):
            self.report_shape(value.below(_REF, reference), "a string")
            return None
        key = id(value.tree), reference
        if key not in self._targets:
            target = self._look_up(value, reference)
            self._targets[key] = target if isinstance(target, Located) else None
            if isinstance(target, Diagnostic):
                self.report(target)
        return self._targets[key]

    def _look_up(self, value: Located, reference: str) -> Located | Diagnostic:
        url, _, fragment = reference.partition("#")
        source, tree = value.source, value.tree
        if url and not _is_own(value, url):
            opened = self._open(value, url)
            if isinstance(opened, Diagnostic):
                return opened
            source, tree = opened
        found = _look_up_pointer(Located(tree.root, source, tree), unquote(fragment))
        if found is not None:
            return found
        return Diagnostic(
            "openapi-reference-dangling",
            "the reference leads to no value",
            "Correct the reference, or define the value",
            value.place(_REF),
            found=reference,
            severity=Severity.WARNING,
        )

    def _open(self, value: Located, url: str) -> tuple[Source, Tree] | Diagnostic:
        try:
            source = value.source.open(url)
            known = self._documents.get(source.name)
            if known is None:
                trees = source.trees
                known = source, trees[0] if trees else Tree(None, source.name, _NoPositions())
                self._documents[source.name] = known
        except InvalidInput as refused:
            first = refused.diagnostics[0]
            return Diagnostic(
                "openapi-reference-refused",
                f"the reference was not followed: {first.message}",
                first.remedy,
                value.place(_REF),
                found=url,
                severity=Severity.WARNING,
            )
        return known


class _NoPositions:
    """Of an empty document."""

    def locate(self, place: Place, file: str | None, *, key: bool = False) -> Place:  # noqa: ARG002
        return Place(file=file)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether the value is a list of JSON or YAML."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_own(value: Located, url: str) -> bool:
    """Whether the URL is the one that the document gives itself (OpenAPI 3.2, ``$self``)."""
    return value.tree.get("$self") == url


def _look_up_pointer(root: Located, pointer: str) -> Located | None:
    """The value at the JSON Pointer; None if there is none. Anchors of JSON Schema are not pointers."""
    if pointer and not pointer.startswith("/"):
        return None
    path: list[Step] = []
    node = root.value
    for token in pointer.split("/")[1:]:
        step: Step = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and step in node:
            node = node[step]
        elif is_list(node) and token.isascii() and token.isdigit() and len(token) < 10:
            step = int(token)
            if step >= len(node):
                return None
            node = node[step]
        else:
            return None
        path.append(step)
    return Located(node, root.source, root.tree, tuple(path))


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"
