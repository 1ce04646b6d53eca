"""CSDL JSON: the metadata documents of OData 4.01 in JSON.

https://docs.oasis-open.org/odata/odata-csdl-json/v4.01/odata-csdl-json-v4.01.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Step
from crossgate.importers.odata.edm import (
    Aliases,
    EdmAnnotation,
    EdmContainer,
    EdmKind,
    EdmModel,
    EdmResource,
    EdmType,
    ODataVersion,
    Record,
)
from crossgate.importers.source import Source
from crossgate.importers.tree import Tree

_MAX_DEPTH: Final = 24


def is_csdl_json(source: Source) -> bool:
    """Whether it is one JSON object with ``$Version`` of OData 4 and a container (§4)."""
    return any(_is_service(tree.root) for tree in source.parsed[:1])


def _is_service(root: object) -> bool:
    return (
        isinstance(root, Mapping)
        and str(root.get("$Version", "")).startswith("4.")
        and isinstance(root.get("$EntityContainer"), str)
    )


def read_csdl_json(source: Source) -> EdmModel:
    """The model; raises InvalidInput if the document is not metadata of OData."""
    tree = source.trees[0] if source.trees else None
    if tree is None or not isinstance(tree.root, Mapping) or "$Version" not in tree.root:
        diagnostic = Diagnostic(
            "odata-metadata",
            "the document is not metadata of an OData service",
            "Import what the service answers to GET at its root followed by /$metadata",
            tree.place() if tree else Place(file=source.name),
        )
        raise InvalidInput([diagnostic])
    return _Reader(tree, tree.root).model


class _Reader:
    def __init__(self, tree: Tree, root: Record) -> None:
        self._tree = tree
        self._aliases = Aliases()
        old = root.get("$Version") == "4.0"
        version = ODataVersion.V4 if old else ODataVersion.V401
        self.model = EdmModel(version, partial(tree.place, "$Version"))
        self._read_references(root)
        schemas = {
            name: schema
            for name, schema in root.items()
            if not name.startswith("$") and isinstance(schema, Mapping)
        }
        for namespace, schema in schemas.items():
            self._aliases.add(_text(schema.get("$Alias")), namespace)
        self._default = self._aliases.resolve(_text(root.get("$EntityContainer")))
        for namespace, schema in schemas.items():
            self._read_schema(namespace, schema)

    def _read_references(self, root: Record) -> None:
        for url, reference in _members(root.get("$Reference")):
            for include in _list(reference.get("$Include")):
                namespace = _text(include.get("$Namespace"))
                self._aliases.add(_text(include.get("$Alias")), namespace)
                self.model.includes.setdefault(namespace, url)
            place = partial(self._tree.place, "$Reference", url)
            for include in _list(reference.get("$IncludeAnnotations")):
                vocabulary, qualifier = _text(include.get("$TermNamespace")), _text(include.get("$Qualifier"))
                self.model.include_annotations(vocabulary, qualifier, place)

    def _read_schema(self, namespace: str, schema: Record) -> None:
        self.model.namespaces.append(namespace)
        for name, member in schema.items():
            qualified, path = f"{namespace}.{name}", (namespace, name)
            if name == "$Annotations":
                for target, annotated in _members(member):
                    self._read_annotations(self._aliases.resolve(target), annotated, (*path, target))
            elif isinstance(member, list):
                self._read_overloads(qualified, member, path)
            elif isinstance(member, Mapping):
                match member.get("$Kind"):
                    case "EntityType":
                        self._read_type(qualified, member, path)
                    case "EntityContainer":
                        self._read_container(namespace, name, member)
                    case _:
                        pass

    def _read_type(self, name: str, member: Record, path: tuple[Step, ...]) -> None:
        properties = dict(_members(member))
        self.model.types[name] = EdmType(
            base=self._aliases.resolve(_text(member.get("$BaseType"))),
            streams=member.get("$HasStream") is True
            or any(one.get("$Type") == "Edm.Stream" for one in properties.values()),
        )
        for property_name, one in properties.items():
            if one.get("$Kind") == "NavigationProperty":
                self._read_annotations(f"{name}/{property_name}", one, (*path, property_name))

    def _read_overloads(self, qualified: str, overloads: list[object], path: tuple[Step, ...]) -> None:
        for index, overload in enumerate(overloads):
            if not isinstance(overload, Mapping):
                continue
            if overload.get("$IsBound") is True and overload.get("$Kind") in ("Action", "Function"):
                kind = EdmKind.ACTION if overload["$Kind"] == "Action" else EdmKind.FUNCTION
                where = partial(self._tree.place, *path, index)
                name = qualified.rpartition(".")[2]
                self.model.resources.append(EdmResource(kind, name, where, targets=(qualified,)))
                self._read_annotations(qualified, overload, (*path, index))

    def _read_container(self, namespace: str, name: str, member: Record) -> None:
        container = EdmContainer(
            namespace,
            name,
            partial(self._tree.place, namespace, name, key=True),
            default=f"{namespace}.{name}" == self._default,
            extends=self._aliases.resolve(_text(member.get("$Extends"))),
        )
        self.model.containers.append(container)
        self._read_annotations(container.target, member, (namespace, name))
        for child_name, child in _members(member):
            path = (namespace, name, child_name)
            target, where = f"{container.target}/{child_name}", partial(self._tree.place, *path, key=True)
            type_name, operation = "", ""
            if "$Action" in child:
                kind, operation = EdmKind.ACTION, _text(child["$Action"])
            elif "$Function" in child:
                kind, operation = EdmKind.FUNCTION, _text(child["$Function"])
            elif "$Type" in child:
                kind = EdmKind.ENTITY_SET if child.get("$Collection") is True else EdmKind.SINGLETON
                type_name = self._aliases.resolve(_text(child["$Type"]))
            else:
                continue
            targets = (target, self._aliases.resolve(operation)) if operation else (target,)
            self.model.resources.append(EdmResource(kind, child_name, where, type_name, targets=targets))
            self._read_annotations(target, child, path)

    def _read_annotations(self, target: str, annotated: Record, path: tuple[Step, ...]) -> None:
        """Annotations of the object itself begin with ``@`` (§5.2). Qualified ones are not used."""
        for name, value in annotated.items():
            if name.startswith("@") and "#" not in name:
                where = partial(self._tree.place, *path, name, key=True)
                term = self._aliases.resolve(name[1:])
                self.model.annotate(target, EdmAnnotation(term, self._value(value, _MAX_DEPTH), where))

    def _value(self, value: object, depth: int) -> object:
        """Constants, collections and records; None for anything dynamic (§5.3)."""
        if depth == 0:
            return None
        if isinstance(value, list):
            return [self._value(one, depth - 1) for one in value]
        if isinstance(value, Mapping):
            if any(str(name).startswith("$") for name in value):
                return None
            record = {str(name): self._value(one, depth - 1) for name, one in value.items()}
            kind = value.get("@type", value.get("@odata.type"))
            if isinstance(kind, str):
                record["@type"] = self._aliases.resolve(kind.rpartition("#")[2])
            return record
        return value


def _members(value: object) -> Iterator[tuple[str, Record]]:
    """The entries of a mapping that are mappings, and no annotations."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if isinstance(member, Mapping) and not str(name).startswith("@"):
                yield str(name), member


def _list(value: object) -> Iterator[Record]:
    return (one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else iter(())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
