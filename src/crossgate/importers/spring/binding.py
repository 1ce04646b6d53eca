"""Configuration properties as Spring Boot binds them: relaxed names, profiles, placeholders.

``allowed-origins``, ``allowedOrigins`` and ``ALLOWED_ORIGINS`` are one property; keys may be dotted; a key in
brackets is taken as it is (https://docs.spring.io/spring-boot/reference/features/external-config.html,
"Relaxed Binding" and "Binding Maps").
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.cursor import Cursor
from crossgate.importers.properties import read_properties
from crossgate.importers.source import Source
from crossgate.record import as_found

_SEGMENT: Final = re.compile(r"\[([^\]]*)\]|([^.\[]+)")
_PLACEHOLDER: Final = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")
_DEEPEST: Final = 50
"""Parts of one dotted key; the rest of a longer one is ignored."""
_MOST_PLACEHOLDERS: Final = 20
_LONGEST: Final = 10_000
"""Characters of the value of a placeholder."""
_PROPERTY_LINE: Final = re.compile(rb"^[ \t]*spring\.[^\s=]{1,300}[ \t]*=", re.MULTILINE)
_PROFILE_KEYS: Final = (("spring", "config", "activate", "on-profile"), ("spring", "profiles"))
_PLATFORM_KEY: Final = ("spring", "config", "activate", "on-cloud-platform")
_SEPARATOR: Final = re.compile(r"[#!]---[ \t]*")
"""Between the documents of a properties file (the page above, "Working With Multi-Document Files")."""


@dataclass(slots=True)
class SpringProperty:
    """A property with its place: a value, or entries by relaxed name, index or bracketed key."""

    place: Place
    name: str = ""
    """The last part of its key as it is written."""
    value: object = None
    children: dict[str, SpringProperty] = field(default_factory=dict)
    unresolved: bool = False
    """Whether the value has a placeholder that only the running program can resolve."""
    from_default: bool = False
    """Whether the value contains the default of a placeholder; the program's environment can have another."""

    def get(self, *names: str) -> SpringProperty | None:
        """The property below, by relaxed names; None if there is none."""
        found: SpringProperty | None = self
        for name in names:
            found = None if found is None else found.children.get(_canonical(name))
        return found

    def text(self, *names: str) -> str | None:
        """The value of a property as a string; None if it has none."""
        found = self.get(*names)
        if found is None or found.value is None or found.value == "":
            return None
        return str(found.value).lower() if isinstance(found.value, bool) else str(found.value)

    def entries(self) -> Iterator[SpringProperty]:
        """The entries of a list."""
        for key, child in self.children.items():
            if key.isdigit():
                yield child

    def diagnose(
        self, code: str, message: str, remedy: str, severity: Severity = Severity.WARNING
    ) -> Diagnostic:
        """A diagnostic about the property."""
        found = None if self.value is None else as_found(self.value)
        return Diagnostic(code, message, remedy, self.place, found, severity)


def bind(source: Source, diagnostics: list[Diagnostic]) -> SpringProperty:
    """The properties of all documents that are in force without a profile; later ones have precedence.

    Raises:
        InvalidInput: neither YAML nor a properties file can be made of the source.

    """
    root = SpringProperty(Place(file=source.name))
    for bound in _documents(source):
        profile = next((found for key in _PROFILE_KEYS if (found := bound.get(*key))), None)
        names = [] if profile is None else [profile, *profile.entries()]
        active = {str(one.value) for one in names if one.value is not None}
        if profile is not None and active and "default" not in active:
            diagnostics.append(
                profile.diagnose(
                    "profile-ignored",
                    "the document is for a profile and is not read",
                    "Import a file with the properties of the profile",
                    Severity.INFO,
                )
            )
            continue
        platform = bound.get(*_PLATFORM_KEY)
        if platform is not None:
            diagnostics.append(
                platform.diagnose(
                    "platform-ignored",
                    "the document is for a cloud platform and is not read",
                    "Import a file with the properties of the platform",
                    Severity.INFO,
                )
            )
            continue
        _merge(root, bound)
    _resolve_all(root)
    return root


def _documents(source: Source) -> Iterator[SpringProperty]:
    if not is_properties_file(source):
        for tree in source.trees:
            bound = SpringProperty(tree.place())
            _insert(bound, Cursor.root(tree))
            yield bound
        return
    begins = [number for number, line in enumerate(source.data.splitlines(), 1) if _is_separator(line)]
    documents = [SpringProperty(Place(file=source.name)) for _ in range(len(begins) + 1)]
    for one in read_properties(source):
        bound = documents[bisect_left(begins, one.place.line or 0)]
        _at(bound, one.key, one.place).value = one.value
    yield from documents


def _is_separator(line: bytes) -> bool:
    return line[1:4] == b"---" and _SEPARATOR.fullmatch(line.decode("iso-8859-1")) is not None


def is_properties_file(source: Source) -> bool:
    """Whether the source is a properties file rather than YAML: a key of Spring has an equals sign."""
    return bool(_PROPERTY_LINE.search(source.data))


def _canonical(name: str) -> str:
    return name if name.startswith("[") else re.sub("[-_]", "", name).lower()


def _segments(key: str) -> list[str]:
    """The parts of a dotted key, bracketed ones with their brackets, indices without."""
    found = []
    for bracketed, plain in _SEGMENT.findall(key):
        found.append(plain or (bracketed if bracketed.isdigit() else f"[{bracketed}]"))
    return found[:_DEEPEST]


def _at(bound: SpringProperty, key: str, place: Place) -> SpringProperty:
    """The property with a dotted key below another one; it is made if it is not there."""
    for segment in _segments(key) or [key]:
        bound = bound.children.setdefault(_canonical(segment), SpringProperty(place, segment))
    return bound


def _insert(bound: SpringProperty, node: Cursor) -> None:
    """Puts a value of a document below a property; a container keeps its own stack, not Python's."""
    stack = [(bound, node)]
    while stack:
        at, current = stack.pop()
        if isinstance(current.value, dict):
            children = []
            for key, value in current.items():
                children.append((_at(at, key, value.place), value))
            stack += reversed(children)
        elif isinstance(current.value, list):
            entries = [(str(number), entry) for number, entry in enumerate(current.entries())]
            for number, entry in entries:
                at.children[number] = SpringProperty(entry.place, number)
            stack += [(at.children[number], entry) for number, entry in reversed(entries)]
        else:
            at.value, at.place = current.value, current.place


def _merge(into: SpringProperty, other: SpringProperty) -> None:
    for key, child in other.children.items():
        known = into.children.get(key)
        is_list = any(name.isdigit() for name in child.children)
        if known is None or is_list or not child.children:
            # A list or a value replaces what earlier documents have there, lists included.
            into.children[key] = child
        else:
            _merge(known, child)
            if child.value is not None:
                known.value, known.place = child.value, child.place


def _resolve_all(root: SpringProperty) -> None:
    stack = [root]
    while stack:
        one = stack.pop()
        stack += one.children.values()
        if isinstance(one.value, str) and "${" in one.value:
            _resolve(root, one)


def _resolve(root: SpringProperty, bound: SpringProperty) -> None:
    text = str(bound.value)
    for _ in range(_MOST_PLACEHOLDERS):
        found = _PLACEHOLDER.search(text)
        if found is None:
            bound.value = text
            return
        value = root.text(*_segments(found[1]))
        if value is None:
            value, bound.from_default = found[2], True
        if value is None or len(value) > _LONGEST:
            break
        text = f"{text[: found.start()]}{value}{text[found.end() :]}"
    bound.unresolved = True
