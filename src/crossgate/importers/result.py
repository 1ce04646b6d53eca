"""What an import makes of documents, and the options that decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.diagnostics import Diagnostic, Place, Step


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user adds to what documents say."""

    natives: Mapping[str, str] = field(default_factory=dict)
    """Base URLs of native services, by an API's ``name/version``, or its name; ``""`` is for all others."""
    origins: tuple[str, ...] = ()
    """Added to the allowed origins of each API that gets a policy."""
    name: str | None = None
    """The name of the API, if there is only one."""
    version: str | None = None
    observe: bool = False
    """Whether policies get ``mode: observe``."""


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
class Imported:
    """The objects that an import makes."""

    kinds: tuple[str, ...] = ()
    """The kinds of the documents, in their order."""
    document: Mapping[str, object] = field(default_factory=dict)
    """A Crossgate document as raw values, without empty sections."""
    taken: tuple[Taken, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """Placed in the imported documents; with an error among them, the document is not to be used."""
    native_cors: tuple[str, ...] = ()
    """Keys of the APIs whose native services do CORS themselves, as the documents say."""
