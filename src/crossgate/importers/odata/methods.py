"""The methods that an OData service answers, by its version and by the capabilities in its metadata.

A method is in use if at least one resource answers it: a policy has one list for the whole service. Only what
is denied by a constant counts as denied; without annotations the protocol decides. For OData 4 that is
https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part1-protocol.html, §11; the terms are those of
https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity, printable
from crossgate.importers.found import Found
from crossgate.importers.odata.edm import (
    DEFAULT,
    EdmAnnotation,
    EdmKind,
    EdmModel,
    EdmResource,
    ODataVersion,
    Record,
    Where,
)

CAPABILITIES: Final = "Org.OData.Capabilities.V1."
_CORE: Final = "Org.OData.Core.V1."
_ORDER: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "MERGE", "DELETE")
_UPDATES: Final[Mapping[ODataVersion, tuple[str, ...]]] = {
    ODataVersion.V2: ("PUT", "MERGE"),
    ODataVersion.V3: ("PUT", "PATCH", "MERGE"),
    ODataVersion.V4: ("PUT", "PATCH"),
    ODataVersion.V401: ("PUT", "PATCH"),
}
"""OData 1 and 2 have MERGE, OData 3 has PATCH beside it ([MS-ODATA], §2.2.4.1), and OData 4 has no MERGE
(OData 4.01, §11.4.3)."""
_FLAGS: Final = {"PATCH": 2, "PUT": 4, "POST": 8}
"""Members of ``HttpMethod`` of the Capabilities vocabulary, of which ``UpdateMethod`` is made."""
_WRITE: Final = 2
"""``Write`` of ``Permission`` of the Core vocabulary; ``ReadWrite`` is 3."""
_MODIFICATIONS: Final = (
    ("InsertRestrictions", "Insertable"),
    ("UpdateRestrictions", "Updatable"),
    ("DeleteRestrictions", "Deletable"),
)


@dataclass(slots=True)
class _Use:
    where: Where
    phrase: str
    """With ``{}`` for the name."""
    name: str
    others: int = 0

    @property
    def reason(self) -> str:
        reason = self.phrase.format(printable(self.name))
        return f"{reason}, and {self.others} more" if self.others else reason


class MethodsInUse:
    """The methods that a service answers, each with the first reason for it."""

    def __init__(self, model: EdmModel) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._model = model
        self._uses: dict[str, _Use] = {}
        self._defaults = [one.record for one in model.on_container(DEFAULT)]
        self._use("GET", model.container.where, "service document and metadata")
        for resource in model.resources:
            self._read_resource(resource)
        for target in model.annotations:
            if "/" in target:
                self._read_navigation(target)
        self._read_container()

    def found(self, extra: Iterable[tuple[str, Where, str]] = ()) -> tuple[Found[str], ...]:
        """The methods in the usual order, with others that a caller knows of."""
        for method, where, phrase in extra:
            self._use(method, where, phrase)
        return tuple(
            Found(method, self._uses[method].where(), self._uses[method].reason)
            for method in _ORDER
            if method in self._uses
        )

    @property
    def names(self) -> frozenset[str]:
        """The methods."""
        return frozenset(self._uses)

    def _use(self, method: str, where: Where, phrase: str, name: str = "") -> None:
        known = self._uses.get(method)
        if known is None:
            self._uses[method] = _Use(where, phrase, name)
        else:
            known.others += 1

    def _read_resource(self, resource: EdmResource) -> None:
        match resource.kind:
            case EdmKind.ENTITY_SET | EdmKind.SINGLETON:
                self._read_entities(resource)
            case EdmKind.ACTION if self._is_available(resource):
                self._use("POST", resource.where, "action {}", resource.name)
            case EdmKind.FUNCTION if self._is_available(resource):
                self._use("GET", resource.where, "function {}", resource.name)
            case EdmKind.SERVICE_OPERATION if resource.method in _ORDER:
                self._use(resource.method, resource.where, "service operation {}", resource.name)
            case EdmKind.SERVICE_OPERATION:
                self.diagnostics.append(
                    Diagnostic(
                        "odata-method",
                        f"the service operation {printable(resource.name)} has a method unknown to OData",
                        "Add the method to allowed_methods if scripts call the operation",
                        resource.where(),
                        printable(resource.method),
                        Severity.WARNING,
                    )
                )
            case _:
                pass

    def _is_available(self, resource: EdmResource) -> bool:
        available = self._model.applied(resource.targets, f"{_CORE}OperationAvailable")
        return all(one.value is not False for one in available)

    def _read_entities(self, resource: EdmResource) -> None:
        collection = resource.kind is EdmKind.ENTITY_SET
        where, name = resource.where, resource.name
        if not self._is_annotated(resource):
            for method, phrase in self._unrestricted if collection else self._unrestricted_singleton:
                self._use(method, where, phrase, name)
            self._read_streams(resource)
            return
        if self._states(resource, "ReadRestrictions", "Readable") is not False:
            self._use("GET", where, "reads of {}", name)
        if not self._is_writable(resource):
            return
        if collection and self._states(resource, "InsertRestrictions", "Insertable") is not False:
            self._use("POST", where, "inserts into {}", name)
        if self._states(resource, "UpdateRestrictions", "Updatable") is not False:
            for method in self._update_methods(self._records(resource, "UpdateRestrictions")):
                self._use(method, where, "updates of {}", name)
            self._read_streams(resource)
        deletable = self._states(resource, "DeleteRestrictions", "Deletable")
        if deletable is True or (collection and deletable is None):
            self._use("DELETE", where, "deletions from {}", name)

    @cached_property
    def _unrestricted(self) -> tuple[tuple[str, str], ...]:
        return ("POST", "inserts into {}"), *self._unrestricted_singleton, ("DELETE", "deletions from {}")

    @cached_property
    def _unrestricted_singleton(self) -> tuple[tuple[str, str], ...]:
        updates = ((method, "updates of {}") for method in _UPDATES[self._model.version])
        return ("GET", "reads of {}"), *updates

    def _read_streams(self, resource: EdmResource) -> None:
        if any(one.streams for one in self._model.bases_of(resource.type)):
            self._use("PUT", resource.where, "media streams of {}", resource.name)

    def _is_annotated(self, resource: EdmResource) -> bool:
        return bool(self._defaults) or resource.targets[0] in self._model.annotations

    def _records(self, resource: EdmResource, term: str) -> list[Record]:
        """The annotations of the resource first, then the defaults of the container."""
        own = [one.record for one in self._model.applied(resource.targets, f"{CAPABILITIES}{term}")]
        return own + [found for one in self._defaults if isinstance(found := one.get(term), Mapping)]

    def _states(self, resource: EdmResource, term: str, name: str) -> bool | None:
        """A restriction of the resource, or else of the container; None without any constant."""
        own = self._model.applied(resource.targets, f"{CAPABILITIES}{term}")
        stated = [value for one in own if isinstance(value := one.record.get(name), bool)]
        return all(stated) if stated else self._states_by_default(term, name)

    def _states_by_default(self, term: str, name: str) -> bool | None:
        for defaults in self._defaults:
            record = defaults.get(term)
            if isinstance(record, Mapping) and isinstance(value := record.get(name), bool):
                return value
        return None

    def _is_writable(self, resource: EdmResource) -> bool:
        for one in self._model.applied(resource.targets, f"{_CORE}Permissions"):
            if isinstance(one.value, int) and not one.value & _WRITE:
                return False
            if isinstance(one.value, str) and "Write" not in one.value:
                return False
        return True

    def _update_methods(self, records: Iterable[Record]) -> tuple[str, ...]:
        for record in records:
            named = record.get("UpdateMethod")
            members = set(re.split(r"[\s,/]+", named)) if isinstance(named, str) else set()
            flags = named if isinstance(named, int) and not isinstance(named, bool) else 0
            found = tuple(name for name, flag in _FLAGS.items() if name in members or flags & flag)
            if found:
                return found
        return _UPDATES[self._model.version]

    def _read_navigation(self, target: str) -> None:
        """Restrictions of navigation properties: their own, and those of their sets or singletons."""
        for one in self._model.applied((target,), f"{CAPABILITIES}NavigationRestrictions"):
            properties = one.record.get("RestrictedProperties")
            for restricted in properties if isinstance(properties, list) else ():
                if isinstance(restricted, Mapping):
                    path = restricted.get("NavigationProperty")
                    self._read_related(restricted, one, str(path) if path else target)
        if target not in self._direct_targets:
            for term, _ in _MODIFICATIONS:
                for one in self._model.applied((target,), f"{CAPABILITIES}{term}"):
                    self._read_related({term: one.value}, one, target.rpartition("/")[2])

    @cached_property
    def _direct_targets(self) -> frozenset[str]:
        return frozenset(target for resource in self._model.resources for target in resource.targets)

    def _read_related(self, restrictions: Record, annotation: EdmAnnotation, path: str) -> None:
        for term, flag in _MODIFICATIONS:
            record = restrictions.get(term)
            # A record that says nothing of the flag means its default, which is true.
            if not isinstance(record, Mapping) or record.get(flag, True) is False:
                continue
            match term:
                case "InsertRestrictions":
                    self._use("POST", annotation.where, "inserts into {}", path)
                case "UpdateRestrictions":
                    for method in self._update_methods((record,)):
                        self._use(method, annotation.where, "updates of {}", path)
                case _:
                    self._use("DELETE", annotation.where, "deletions from {}", path)

    def _read_container(self) -> None:
        """``$batch`` (OData 4.01, §11.7) and ``$query``: requests by POST that contain others."""
        for one in self._model.on_container(f"{CAPABILITIES}QuerySegmentSupported"):
            if one.value is True:
                self._use("POST", one.where, "queries by POST to $query")
        if self._model.batch_only is not None:
            self._use("POST", self._model.batch_only, "requests in a $batch")
        supported: dict[bool, Where] = {}
        for one in self._batch_statements():
            denied = one.value is False or one.record.get("Supported") is False
            supported.setdefault(not denied, one.where)
        if False not in supported and True in supported:
            self._use("POST", supported[True], "requests in a $batch")
        if "POST" not in self._uses and False not in supported:
            self.diagnostics.append(
                Diagnostic(
                    "odata-batch",
                    "the method POST is left out: nothing can be created, and the metadata is silent "
                    "about support for $batch",
                    "Add POST to allowed_methods if scripts send batch requests",
                    self._model.container.where(),
                    severity=Severity.INFO,
                )
            )

    def _batch_statements(self) -> Iterable[EdmAnnotation]:
        for term in ("BatchSupport", "BatchSupported"):
            yield from self._model.on_container(f"{CAPABILITIES}{term}")
