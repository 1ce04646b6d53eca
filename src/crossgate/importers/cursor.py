"""A value of a foreign JSON or YAML document with its place, read without trust in its shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crossgate.diagnostics import Diagnostic, Place, Severity, Step
from crossgate.importers.tree import Tree
from crossgate.record import as_found


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value of a tree; ``value`` is None if the tree has nothing at the path."""

    tree: Tree
    path: tuple[Step, ...] = ()
    value: object = None

    @classmethod
    def root(cls, tree: Tree) -> Cursor:
        """The whole document."""
        return cls(tree, (), tree.root)

    @property
    def place(self) -> Place:
        """With file, line and column."""
        return self.tree.place(*self.path)

    @property
    def exists(self) -> bool:
        """Whether there is a value other than null."""
        return self.value is not None

    def __getitem__(self, key: Step) -> Cursor:
        """The value at a key of a mapping or an index of a list; one without a value if there is none."""
        value: object = None
        if isinstance(self.value, dict):
            value = self.value.get(key)
        elif isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            value = self.value[key]
        return Cursor(self.tree, (*self.path, key), value)

    def first(self, *keys: str) -> Cursor:
        """The value at the first of these keys that there is; else without a value, at the first key."""
        return next((self[key] for key in keys if self[key].exists), self[keys[0]])

    def items(self) -> Iterator[tuple[str, Cursor]]:
        """The entries of a mapping; none of anything else."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, Cursor(self.tree, (*self.path, key), value)

    def entries(self) -> Iterator[Cursor]:
        """The entries of a list; none of anything else."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Cursor(self.tree, (*self.path, index), value)

    @property
    def text(self) -> str | None:
        """The value if it is a string that is not empty, or a number as a string; else None."""
        if isinstance(self.value, str):
            return self.value or None
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return str(self.value) if is_number else None

    def diagnose(
        self, code: str, message: str, remedy: str, severity: Severity = Severity.WARNING
    ) -> Diagnostic:
        """A diagnostic about the value. A mapping is not shown: its place says which it is."""
        found = None if self.value is None or isinstance(self.value, dict) else as_found(self.value)
        return Diagnostic(code, message, remedy, self.place, found, severity)

    def unexpected(self, expected: str) -> Diagnostic:
        """The warning that the value has another type than documented and is left out."""
        diagnostic = self.diagnose("wrong-type", f"expected {expected}; left out", f"Write {expected}")
        return replace(diagnostic, found=None if self.value is None else as_found(self.value))


@dataclass(frozen=True, slots=True)
class LayeredCursor(Cursor):
    """A mapping whose missing entries are those of another one."""

    defaults: Cursor | None = None

    def __getitem__(self, key: Step) -> Cursor:
        """The value at a key, of the mapping itself or of the other one."""
        own = Cursor(self.tree, (*self.path, key), self.tree.get(*self.path, key))
        return own if own.exists or self.defaults is None else self.defaults[key]
