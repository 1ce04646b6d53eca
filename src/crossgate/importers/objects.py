"""The objects of an imported document: where each is, and how it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from crossgate.diagnostics import Step

ObjectType = Literal["api", "application", "settings"]
SECTIONS: Final[Mapping[ObjectType, str]] = {
    "api": "apis",
    "application": "applications",
    "settings": "settings",
}
"""The section of a document in which each is."""
_TYPES: Final = {section: kind for kind, section in SECTIONS.items()}
RawObject = Mapping[str, Any]
"""Raw values, as a document has them."""


def listed(document: Mapping[str, object], section: str) -> Sequence[RawObject]:
    """The objects of a section that is a list; none of another one."""
    found = document.get(section)
    return found if isinstance(found, list | tuple) else ()


def api_key(raw: RawObject) -> str:
    """``name/version`` of an API."""
    return f"{raw.get('name')}/{raw.get('version')}"


def object_path(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path of the object in which a value of the document is."""
    return path[:1] if path[0] == SECTIONS["settings"] else path[:2]


def identify(document: Mapping[str, object], path: tuple[Step, ...]) -> tuple[ObjectType, str]:
    """The type and the key of the object in which a value of the document is."""
    kind = _TYPES[str(path[0])]
    if kind == "settings":
        return kind, kind
    raw = listed(document, SECTIONS[kind])[int(path[1])]
    return kind, api_key(raw) if kind == "api" else str(raw["name"])


def objects_of(document: Mapping[str, object]) -> Iterator[tuple[tuple[Step, ...], RawObject]]:
    """Every object with its path, in the order of the document."""
    for section, value in document.items():
        if isinstance(value, Mapping):
            if value:
                yield (section,), value
        else:
            for index, raw in enumerate(listed(document, section)):
                yield (section, index), raw
