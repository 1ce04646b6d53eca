"""What an import makes of documents, and the options that decide it."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry of a list that the documents have, and the result does not, because it is unsafe."""

    path: tuple[Step, ...]
    """Of the list in the resulting document, and the index of the entry before which it stood."""
    value: object
    reason: str
    place: Place | None
    places: int
    findings: tuple[ImportFinding, ...]
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
