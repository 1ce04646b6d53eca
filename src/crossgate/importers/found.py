"""What a reader found in a document: values with their places, before they become objects of a catalogue.

A reader takes over what its document says, spelled as it is there; :mod:`crossgate.importers.build` makes
valid objects of it. What cannot be taken over exactly is a diagnostic of the reader, with the place and a
proposal, and is not among the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, Place

_Value_co = TypeVar("_Value_co", covariant=True)

FoundOrigin = str | Mapping[str, str]
"""As in a Crossgate document: exact, a wildcard, ``*``, ``null``, or ``{"regex": …}`` (RE2, whole origin)."""


@dataclass(frozen=True, slots=True)
class Found(Generic[_Value_co]):
    """A value, its place in the document, and why it counts."""

    value: _Value_co
    place: Place
    """With file, line and column, and the path in the file if it has one."""
    reason: str
    """One phrase for people, which begins lower-case: ``request body of POST /pets``."""


@dataclass(frozen=True, slots=True)
class FoundPolicy:
    """A policy that a document configures, or that its description of an API suggests.

    A value may be found several times; the first one counts for order.
    """

    origins: tuple[Found[FoundOrigin], ...] = ()
    methods: tuple[Found[str], ...] = ()
    allow_headers: tuple[Found[str], ...] = ()
    expose_headers: tuple[Found[str], ...] = ()
    credentials: Found[bool] | None = None
    max_age: Found[int] | None = None


@dataclass(frozen=True, slots=True)
class FoundApi:
    """An API of a document."""

    id: str
    """Names it within the document: applications refer to it."""
    name: Found[str]
    """Any string; the name of the API is made of it."""
    version: Found[str]
    type: Found[ApiType]
    natives: tuple[Found[str], ...] = ()
    """Base URLs of the native service, as they are written; the first usable one counts."""
    endpoints: tuple[Found[str], ...] = ()
    """Path prefixes under which the source serves it; empty for the default endpoint."""
    cors: FoundPolicy | None = None
    """None for pass-through: the document configures a gateway, and no CORS for this API."""
    native_cors: tuple[Found[str], ...] = ()
    """What says that the native service does CORS itself."""


@dataclass(frozen=True, slots=True)
class FoundApplication:
    """An application of a document."""

    name: Found[str]
    origins: tuple[Found[str], ...] = ()
    apis: tuple[Found[str], ...] = ()
    """The ids of APIs."""
    suspended: Found[bool] | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a reader found in a document."""

    apis: tuple[FoundApi, ...] = ()
    applications: tuple[FoundApplication, ...] = ()
    settings: Mapping[str, Found[object]] = field(default_factory=dict)
    """Server-level settings by their names."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """An error refuses the whole import; a warning is something that could not be taken over exactly; an info
    says how the behaviour differs. Each with its place."""
