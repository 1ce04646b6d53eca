"""What an import makes of documents, and the options that decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Step
from crossgate.importers.found import Found


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user adds to what documents say."""

    natives: Mapping[str, str] = field(default_factory=dict)
    """Base URLs of native services, by an API's ``name/version``, or its name; ``""`` is for all others. They
    take precedence over those of the documents."""
    origins: tuple[str, ...] = ()
    """Added to the allowed origins of each API that gets a policy, and of enabled settings."""
    name: str | None = None
    """The name of the API, if there is only one."""
    version: str | None = None
    observe: bool = False
    """Whether policies get ``mode: observe``."""
    existing_natives: Mapping[str, str] = field(default_factory=dict)
    """Base URLs of APIs that exist, by ``name/version``: where a document names none, theirs stays."""


NO_OPTIONS: Final = ImportOptions()
"""Nothing but what documents say."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A value of the resulting document, and where it comes from."""

    path: tuple[Step, ...]
    """In the resulting document: ``("apis", 0, "cors", "allow_headers", 1)``."""
    value: object
    reason: str
    """One phrase: ``request body of POST /pets``, ``--origin``."""
    place: Place | None
    """The first place that says so; None if no document does."""
    places: int = 1
    """How many places say so."""

    def as_json(self) -> dict[str, object]:
        """The value and where it comes from, as JSON-ready values."""
        place = self.place or Place()
        return {
            "path": Place(self.path).json_path,
            "value": self.value,
            "reason": self.reason,
            "places": self.places,
            "file": place.file,
            "line": place.line,
            "column": place.column,
            "source_path": place.json_path if place.path else None,
        }


@dataclass(frozen=True, slots=True)
class ImportFinding:
    """What the linter finds in the resulting document."""

    diagnostic: Diagnostic
    """Placed in the imported documents, if one says what it is about."""
    path: tuple[Step, ...]
    """In the resulting document."""
    witness: str | None = None
    """An origin that is admitted and should not be."""
    fix: str | None = None
    """A replacement for the entry; it has been verified."""

    def as_json(self) -> dict[str, object]:
        """The finding as JSON-ready values."""
        path = Place(self.path).json_path
        return {
            **self.diagnostic.as_json(),
            "document_path": path,
            "witness": self.witness,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True)
class LeftOut(Taken):
    """An entry of a list that the documents have, and the result does not, because it is unsafe.

    Its path is that of the list in the resulting document, and the index of the entry before which it stood.
    """

    findings: tuple[ImportFinding, ...] = ()
    """The errors for which it is left out."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The objects that an import makes."""

    kinds: tuple[str, ...] = ()
    """The kinds of the documents, in their order."""
    document: Mapping[str, object] = field(default_factory=dict)
    """A Crossgate document as raw values, without empty sections."""
    taken: tuple[Taken, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """Placed in the imported documents; with an error among them, the document is not to be used."""
    native_cors: Mapping[str, Found[str]] = field(default_factory=dict)
    """What says first that an API's native service does CORS itself, by the API's key."""
    left_out: tuple[LeftOut, ...] = ()
    """In the order of the document."""
    findings: tuple[ImportFinding, ...] = ()
    """The linter's warnings and infos for the document."""
    sources: tuple[str, ...] = ()
    """The names of the documents, in their order."""


class Places:
    """Where the values of an imported document come from: documents, or options of the command.

    An object, and a policy, come from where the object's first value does, which is its name.
    """

    def __init__(self, taken: Iterable[Taken]) -> None:
        self._places: dict[tuple[Step, ...], Place] = {}
        for one in taken:
            if one.place is None:
                if one.reason.startswith("--"):
                    self._places.setdefault(one.path, Place(file=one.reason))
                continue
            for length in range(len(one.path), 0, -1):
                if one.path[:length][-1] != "cors":
                    self._places.setdefault(one.path[:length], one.place)

    def nearest(self, path: tuple[Step, ...]) -> Place | None:
        """The place of the value, or else of the smallest one around it that has a place."""
        found = (self._places.get(path[:length]) for length in range(len(path), 0, -1))
        return next((place for place in found if place is not None), None)
