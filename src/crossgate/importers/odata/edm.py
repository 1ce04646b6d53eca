"""The entity data model of an OData service, as far as it tells which requests the service answers.

Both representations of metadata are read into it: CSDL XML and CSDL JSON. Names are resolved: an alias in
front of a name is replaced by its namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Severity

Where = Callable[[], Place]
"""The place of something in its document; calculated when it is needed."""
Record = Mapping[str, object]
DEFAULT: Final = "Org.OData.Capabilities.V1.DefaultCapabilities"
_READ_VOCABULARIES: Final = (
    "Org.OData.Authorization.V1",
    "Org.OData.Capabilities.V1",
    "Org.OData.Core.V1",
    "Org.OData.Repeatability.V1",
)
MAX_BASES: Final = 100
"""Base types of a type that are followed; a chain that long is a loop, or a mistake."""


class ODataVersion(IntEnum):
    """Versions of the protocol that differ in what a policy must allow; V2 stands for 1.0 too."""

    V2 = 20
    V3 = 30
    V4 = 40
    V401 = 41

    @property
    def title(self) -> str:
        """For people: ``OData 4.01``."""
        return {20: "OData 2.0", 30: "OData 3.0", 40: "OData 4.0", 41: "OData 4.01"}[self]


class EdmKind(StrEnum):
    """What a client can address, or what annotations can stand on."""

    ENTITY_SET = "entity set"
    SINGLETON = "singleton"
    ACTION = "action"
    FUNCTION = "function"
    SERVICE_OPERATION = "service operation"


@dataclass(frozen=True, slots=True)
class EdmAnnotation:
    """A term that is applied to something, with its value as JSON-ready values; None if it is dynamic."""

    term: str
    value: object
    where: Where = field(repr=False)

    @property
    def record(self) -> Record:
        """The value, if it is a record; else an empty one."""
        return self.value if isinstance(self.value, Mapping) else {}


@dataclass(slots=True)  # not frozen: a service can have 100,000
class EdmResource:
    """An entity set, a singleton, or an operation that a client can call."""

    kind: EdmKind
    name: str
    where: Where = field(repr=False)
    type: str = ""
    """The qualified name of its entity type, if it has one."""
    method: str = ""
    """The method of a service operation, as it is written."""
    targets: tuple[str, ...] = ()
    """What annotations that apply to it name as their target; at least one."""


@dataclass(frozen=True, slots=True)
class EdmType:
    """An entity type."""

    base: str = ""
    streams: bool = False
    """Whether it is a media type, or has a property that is a stream."""
    versioned: bool = False
    """Whether a property has ``ConcurrencyMode="Fixed"``, which makes ETags (OData 1 to 3)."""


@dataclass(frozen=True, slots=True)
class EdmContainer:
    """An entity container: the resources at the root of a service."""

    namespace: str
    name: str
    where: Where = field(repr=False)
    default: bool = False
    extends: str = ""
    """The qualified name of the container that it extends."""

    @property
    def target(self) -> str:
        """What annotations that apply to it name as their target."""
        return f"{self.namespace}.{self.name}"


@dataclass(slots=True)
class EdmModel:
    """A metadata document."""

    version: ODataVersion
    version_where: Where = field(repr=False)
    namespaces: list[str] = field(default_factory=list)
    containers: list[EdmContainer] = field(default_factory=list)
    resources: list[EdmResource] = field(default_factory=list)
    types: dict[str, EdmType] = field(default_factory=dict)
    annotations: dict[str, list[EdmAnnotation]] = field(default_factory=dict)
    """By the qualified name of their target."""
    sap: Where | None = None
    """Where the namespace of SAP's annotations is used."""
    batch_only: Where | None = None
    """Where the service wants every request in a batch (``sap:use-batch``)."""
    roots: list[tuple[str, Where, str]] = field(default_factory=list)
    """URLs of the service that the document mentions, each with the reason why it counts."""
    includes: dict[str, str] = field(default_factory=dict)
    """The URLs of referenced documents by the namespaces that they include."""
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def include_annotations(self, vocabulary: str, qualifier: str, place: Where) -> None:
        """Report annotations in another document that would count in this one."""
        if vocabulary in _READ_VOCABULARIES and not qualifier:
            self.diagnostics.append(
                Diagnostic(
                    "odata-annotations-unread",
                    "annotations in another document are not read: they may deny methods, or need headers",
                    "Write them into the metadata, or correct the methods and headers of the policy",
                    place(),
                    vocabulary,
                    Severity.WARNING,
                )
            )

    @property
    def container(self) -> EdmContainer:
        """The default one, or the first."""
        return next((one for one in self.containers if one.default), self.containers[0])

    def annotate(self, target: str, annotation: EdmAnnotation) -> None:
        """Add an annotation to a target."""
        self.annotations.setdefault(target, []).append(annotation)

    def applied(self, targets: Iterable[str], term: str) -> Iterator[EdmAnnotation]:
        """The annotations with that term on any of the targets."""
        for target in targets:
            for annotation in self.annotations.get(target, ()):
                if annotation.term == term:
                    yield annotation

    def on_container(self, term: str) -> Iterator[EdmAnnotation]:
        """The annotations with that term on the containers."""
        return self.applied((container.target for container in self.containers), term)

    def anywhere(self, term: str) -> Iterator[EdmAnnotation]:
        """The annotations with that term on anything."""
        return self.applied(self.annotations, term)

    def bases_of(self, name: str) -> Iterator[EdmType]:
        """The type with that name and its base types, as far as the document declares them."""
        for _ in range(MAX_BASES):
            found = self.types.get(name)
            if found is None:
                return
            yield found
            name = found.base


class Aliases:
    """The aliases of namespaces in a document."""

    def __init__(self) -> None:
        self._namespaces: dict[str, str] = {}

    def add(self, alias: str | None, namespace: str | None) -> None:
        """Let the alias stand for the namespace."""
        if alias and namespace:
            self._namespaces.setdefault(alias, namespace)

    def resolve(self, name: str) -> str:
        """A qualified name, or a path that begins with one, without alias."""
        head, slash, rest = name.strip().partition("/")
        alias, dot, local = head.rpartition(".")
        return f"{self._namespaces.get(alias, alias)}{dot}{local}{slash}{rest}"
