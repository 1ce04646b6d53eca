"""CSDL XML: the metadata documents of OData 1 to 4.01.

OData 1 to 3 wrap schemas of any of Microsoft's EDM namespaces into ``edmx:DataServices``; OData 4 has one
namespace for both. Only local names of elements count, since services mix namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml.etree import _Element as Element

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.odata.edm import (
    Aliases,
    EdmAnnotation,
    EdmContainer,
    EdmKind,
    EdmModel,
    EdmResource,
    EdmType,
    ODataVersion,
    Where,
)
from crossgate.importers.source import Source
from crossgate.importers.xml import XmlDocument, name_of, parse_xml, root_name

EDMX_OLD: Final = "http://schemas.microsoft.com/ado/2007/06/edmx"
"""OData 1 to 3 ([MC-EDMX], §2.1.1)."""
EDMX_OASIS: Final = "http://docs.oasis-open.org/odata/ns/edmx"
"""OData 4 (CSDL XML 4.01, §3.1)."""
_EDM_V3: Final = "http://schemas.microsoft.com/ado/2009/11/edm"
_M: Final = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
_SAP_NAMESPACE: Final = "http://www.sap.com/Protocols/SAPData"
_SAP: Final = f"{{{_SAP_NAMESPACE}}}"
_XML_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
_ATOM_LINK: Final = "{http://www.w3.org/2005/Atom}link"
_MAX_DEPTH: Final = 24
"""Nested records of an annotation that are read; known terms need 6."""
_SAP_CAPABILITIES: Final = (
    ("creatable", "InsertRestrictions", "Insertable"),
    ("updatable", "UpdateRestrictions", "Updatable"),
    ("deletable", "DeleteRestrictions", "Deletable"),
)
"""https://sap.github.io/odata-vocabularies/docs/v2-annotations.html#element-edmentityset"""
_ANNOTATIONS: Final = ("Annotation", "ValueAnnotation")
"""OData 3 has the second name (OData 3.0 CSDL, §15.4)."""
_CONSTANTS: Final = frozenset(
    {
        "String",
        "EnumMember",
        "PropertyPath",
        "NavigationPropertyPath",
        "AnnotationPath",
        "Int",
        "Decimal",
        "Guid",
        "Date",
    }
)


def is_csdl_xml(source: Source) -> bool:
    """Whether the root element is that of a metadata document."""
    name = root_name(source)
    return name is not None and name.local == "Edmx" and name.namespace in (EDMX_OLD, EDMX_OASIS)


def read_csdl_xml(source: Source) -> EdmModel:
    """The model; raises InvalidInput if the document is not metadata of OData."""
    document = parse_xml(source)
    root = document.root
    services = next((child for child in root if _local(child) == "DataServices"), None)
    if name_of(root).local != "Edmx" or services is None:
        raise InvalidInput([_not_metadata(root, document.place(root))])
    return _Reader(document, root, services).model


def _not_metadata(root: Element, place: Place) -> Diagnostic:
    found = name_of(root).local
    if found == "Edmx":
        found = "Edmx without DataServices"
    return Diagnostic(
        "odata-metadata",
        "the document is not metadata of an OData service",
        "Import what the service answers to GET at its root followed by /$metadata",
        place,
        found,
    )


class _Reader:
    def __init__(self, document: XmlDocument, root: Element, services: Element) -> None:
        self._document = document
        self._aliases = Aliases()
        schemas = [child for child in services if _local(child) == "Schema"]
        self.model = EdmModel(*self._version(root, services, schemas))
        self._read_references(root)
        for schema in schemas:
            self._aliases.add(schema.get("Alias"), schema.get("Namespace"))
        self._read_roots(root, services, schemas)
        for schema in schemas:
            self._read_schema(schema)

    def _where(self, element: Element, attribute: str | None = None) -> Where:
        return partial(self._document.place, element, attribute)

    def _version(
        self, root: Element, services: Element, schemas: list[Element]
    ) -> tuple[ODataVersion, Where]:
        """OData 3.0 §5: DataServiceVersion is the lowest version that a client must understand."""
        if name_of(root).namespace == EDMX_OASIS:
            version = ODataVersion.V401 if root.get("Version", "").strip() == "4.01" else ODataVersion.V4
            return version, self._where(root, "Version")
        for name in ("MaxDataServiceVersion", "DataServiceVersion"):
            if services.get(f"{_M}{name}", "").strip().startswith("3"):
                return ODataVersion.V3, self._where(services, name)
        for schema in schemas:
            if name_of(schema).namespace == _EDM_V3:
                return ODataVersion.V3, self._where(schema)
        return ODataVersion.V2, self._where(services)

    def _read_references(self, root: Element) -> None:
        for reference in root:
            if _local(reference) == "Reference":
                for include in reference:
                    if _local(include) == "Include":
                        namespace = include.get("Namespace", "")
                        self._aliases.add(include.get("Alias"), namespace)
                        self.model.includes.setdefault(namespace, reference.get("Uri", ""))
                    elif _local(include) == "IncludeAnnotations":
                        vocabulary, qualifier = include.get("TermNamespace", ""), include.get("Qualifier", "")
                        self.model.include_annotations(vocabulary, qualifier, self._where(include))

    def _read_roots(self, root: Element, services: Element, schemas: list[Element]) -> None:
        for element in (root, services, *schemas):
            if self.model.sap is None and _uses_sap(element):
                self.model.sap = self._where(element)
            base = element.get(_XML_BASE)
            if base:
                self.model.roots.append((base, self._where(element, "base"), "xml:base of the metadata"))
        for schema in schemas:
            for link in schema.iterchildren(_ATOM_LINK):
                if link.get("rel") == "self" and link.get("href"):
                    where = self._where(link, "href")
                    self.model.roots.append((link.get("href", ""), where, "link to the metadata itself"))

    def _read_schema(self, schema: Element) -> None:
        namespace = schema.get("Namespace", "")
        self.model.namespaces.append(namespace)
        for child in schema:
            match _local(child):
                case "EntityType":
                    self._read_type(namespace, child)
                case "EntityContainer":
                    self._read_container(namespace, child)
                case "Annotations":
                    self._read_annotations(self._aliases.resolve(child.get("Target", "")), child)
                case "Action" | "Function" as local if child.get("IsBound") == "true":
                    self._read_operation(f"{namespace}.{child.get('Name')}", local, child)

    def _read_type(self, namespace: str, element: Element) -> None:
        name = f"{namespace}.{element.get('Name')}"
        properties = [child for child in element if _local(child) == "Property"]
        self.model.types[name] = EdmType(
            base=self._aliases.resolve(element.get("BaseType", "")),
            streams="true" in (element.get("HasStream"), element.get(f"{_M}HasStream"))
            or any(child.get("Type") == "Edm.Stream" for child in properties),
            versioned=any(child.get("ConcurrencyMode") == "Fixed" for child in properties),
        )
        for child in element:
            if _local(child) == "NavigationProperty":
                self._read_annotations(f"{name}/{child.get('Name')}", child)

    def _read_operation(self, name: str, local: str, element: Element) -> None:
        kind = EdmKind.ACTION if local == "Action" else EdmKind.FUNCTION
        short = element.get("Name")
        if short:
            self.model.resources.append(EdmResource(kind, short, self._where(element), targets=(name,)))
            self._read_annotations(name, element)

    def _read_container(self, namespace: str, element: Element) -> None:
        container = EdmContainer(
            namespace,
            element.get("Name", ""),
            self._where(element),
            default=element.get(f"{_M}IsDefaultEntityContainer") == "true",
            extends=self._aliases.resolve(element.get("Extends", "")),
        )
        self.model.containers.append(container)
        if element.get(f"{_SAP}use-batch") == "true":
            self.model.batch_only = self._where(element, "use-batch")
        self._read_annotations(container.target, element)
        for child in element:
            if child.get("Name"):
                self._read_resource(container.target, child)

    def _read_resource(self, container: str, element: Element) -> None:
        name, where = element.get("Name", ""), self._where(element)
        target = f"{container}/{name}"
        type_name, operation, method = "", "", ""
        match _local(element):
            case "EntitySet":
                kind, type_name = EdmKind.ENTITY_SET, element.get("EntityType", "")
                if self.model.sap is not None:
                    self._read_sap_capabilities(target, element)
            case "Singleton":
                kind, type_name = EdmKind.SINGLETON, element.get("Type", "")
            case "ActionImport":
                kind = EdmKind.ACTION
                operation = element.get("Action", "")
            case "FunctionImport" if self.model.version >= ODataVersion.V4:
                kind = EdmKind.FUNCTION
                operation = element.get("Function", "")
            case "FunctionImport" if element.get(f"{_M}HttpMethod"):
                kind, method = EdmKind.SERVICE_OPERATION, element.get(f"{_M}HttpMethod", "").strip()
                where = self._where(element, "HttpMethod")
            case "FunctionImport" if self.model.version is ODataVersion.V3:
                # OData 3.0 CSDL, §12.4.4: IsSideEffecting is true if it is left out.
                pure = element.get("IsSideEffecting") == "false"
                kind = EdmKind.FUNCTION if pure else EdmKind.ACTION
            case _:
                return
        resolved = self._aliases.resolve(type_name)
        targets = (target, self._aliases.resolve(operation)) if operation else (target,)
        self.model.resources.append(EdmResource(kind, name, where, resolved, method, targets))
        self._read_annotations(target, element)

    def _read_sap_capabilities(self, target: str, element: Element) -> None:
        for attribute, term, property_name in _SAP_CAPABILITIES:
            value, path = element.get(f"{_SAP}{attribute}"), element.get(f"{_SAP}{attribute}-path")
            # With both, a client must assume the worst (the page above, "Combined meaning").
            if value == "false" or (value is not None and path is not None):
                found = EdmAnnotation(
                    f"Org.OData.Capabilities.V1.{term}",
                    {property_name: False},
                    self._where(element, attribute),
                )
                self.model.annotate(target, found)

    def _read_annotations(self, target: str, element: Element) -> None:
        if element.get("Qualifier"):
            return
        for child in element:
            if _local(child) in _ANNOTATIONS and not child.get("Qualifier"):
                term = self._aliases.resolve(child.get("Term", ""))
                value = self._value(child, _MAX_DEPTH)
                self.model.annotate(target, EdmAnnotation(term, value, self._where(child)))

    def _value(self, element: Element, depth: int) -> object:
        """CSDL XML 4.01, §14.3 and §14.4: constants, collections and records; None for anything dynamic."""
        boolean = element.get("Bool")
        if boolean is not None:
            return _boolean(boolean)
        for name in _CONSTANTS:
            constant = element.get(name)
            if constant is not None:
                return constant
        dynamic = bool({"Path", "ModelElementPath", "UrlRef"} & {str(name) for name in element.attrib})
        expression = next((child for child in element if _local(child) not in _ANNOTATIONS), None)
        if expression is None or dynamic or depth == 0:
            return None if dynamic or depth == 0 else True
        return self._expression(expression, depth - 1)

    def _expression(self, element: Element, depth: int) -> object:
        match _local(element):
            case "Bool":
                return _boolean(element.text or "")
            case "Collection":
                return [self._expression(child, depth - 1) for child in element] if depth > 0 else None
            case "Record":
                return dict(self._record(element, depth)) if depth > 0 else None
            case local if local in _CONSTANTS:
                return (element.text or "").strip()
            case _:
                return None

    def _record(self, element: Element, depth: int) -> Iterator[tuple[str, object]]:
        if element.get("Type"):
            yield "@type", self._aliases.resolve(element.get("Type", ""))
        for child in element:
            name = child.get("Property")
            if name and _local(child) == "PropertyValue" and (len(child) or len(child.attrib) > 1):
                yield name, self._value(child, depth - 1)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _uses_sap(element: Element) -> bool:
    return _SAP_NAMESPACE in element.nsmap.values()


def _boolean(value: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
