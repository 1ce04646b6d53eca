"""The WSDL documents of a description: the one that is imported, and those that it imports or includes.

Schemas are not opened: nothing in them decides how a service is called over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from lxml import etree

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.source import Source
from crossgate.importers.xml import XmlDocument, XmlName, name_of, parse_xml

WSDL_11: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_20: Final = "http://www.w3.org/ns/wsdl"
ROOTS: Final = frozenset({XmlName(WSDL_11, "definitions"), XmlName(WSDL_20, "description")})
_SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"
_SCHEMA_REFERENCES: Final = tuple(
    f"{{{_SCHEMA}}}{name}" for name in ("import", "include", "redefine", "override")
)
_MAX_PREFIXES: Final = 1_000
_MAX_REFERENCES: Final = 100


class Node(NamedTuple):
    """An element, and the document that it is in."""

    document: XmlDocument
    element: etree._Element

    @property
    def name(self) -> XmlName:
        """Its expanded name."""
        return name_of(self.element)

    def place(self, attribute: str | None = None) -> Place:
        """The place of the element, or of its attribute with that local name."""
        return self.document.place(self.element, attribute)

    def get(self, local: str, *namespaces: str) -> str:
        """The attribute of that name in the first of the namespaces, without spaces around; empty if none."""
        names = [f"{{{one}}}{local}" for one in namespaces] or [local]
        return next((value.strip() for name in names if (value := self.element.get(name)) is not None), "")

    def children(self, local: str = "*", namespace: str | None = None) -> Iterator[Node]:
        """The child elements of that name, by default in the namespace of this element."""
        wanted = self.name.namespace if namespace is None else namespace
        return (Node(self.document, one) for one in self.element.iterchildren(f"{{{wanted}}}{local}"))

    def resolve(self, qname: str) -> XmlName:
        """The name for which a QName stands here (XML Schema 1.0, part 2, §3.2.18)."""
        prefix, _, local = qname.rpartition(":")
        return XmlName(self.element.nsmap.get(prefix or None) or "", local)


@dataclass(frozen=True, slots=True)
class Descriptions:
    """All documents of a description, and their parts by name; the first one counts."""

    roots: list[Node] = field(default_factory=list)
    parts: dict[tuple[str, XmlName], Node] = field(default_factory=dict)
    """By the local name of the element (``binding``, ``portType``, ``interface``), and their own names."""
    services: list[tuple[Node, Node]] = field(default_factory=list)
    """Each with the root of its document."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    """Warnings about documents that could not be read."""

    def find(self, kind: str, where: Node, qname: str) -> Node | None:
        """The part to which a QName refers.

        Documents leave prefixes out where they should not; then the target namespace of the document counts.
        """
        if not qname:
            return None
        name = where.resolve(qname)
        target = where.document.root.get("targetNamespace", "")
        return self.parts.get((kind, name)) or self.parts.get((kind, XmlName(target, name.local)))


def load_descriptions(source: Source) -> Descriptions:
    """The documents, from the imported one on.

    Raises:
        InvalidInput: if the first one is not a WSDL document.

    """
    found = Descriptions()
    root = _root_of(source)
    if root is None:
        raise InvalidInput(
            [
                Diagnostic(
                    "wsdl-root",
                    "this is not a WSDL document: its root element must be definitions (WSDL 1.1) or "
                    "description (WSDL 2.0)",
                    "Import the WSDL document, which the service has at ?wsdl",
                    Place(file=source.name),
                )
            ]
        )
    seen, queue = {source.data}, [(source, root)]
    schemas: list[Node] = []
    references: set[tuple[str, str]] = set()
    for opener, one in queue:
        _add(found, one)
        schemas += (
            Node(one.document, element)
            for element in one.element.iter(*_SCHEMA_REFERENCES)
            if element.get("schemaLocation")
        )
        for reference in _references(one):
            key = opener.name, reference.get("location")
            if key in references:
                continue
            if len(references) == _MAX_REFERENCES:
                found.diagnostics.append(_too_many(reference))
                break
            references.add(key)
            loaded = _open(opener, reference, found.diagnostics)
            if loaded is not None and loaded[0].data not in seen:
                seen.add(loaded[0].data)
                queue.append(loaded)
    if schemas:
        found.diagnostics.append(
            Diagnostic(
                "wsdl-schemas",
                f"the schemas that the WSDL refers to are not read: {len(schemas)}",
                "Import the WSDL alone: nothing in a schema matters for CORS",
                schemas[0].place("schemaLocation"),
                schemas[0].get("schemaLocation"),
                Severity.INFO,
            )
        )
    return found


def _root_of(source: Source) -> Node | None:
    document = parse_xml(source)
    root = Node(document, document.root)
    if root.name not in ROOTS:
        return None
    _check_prefixes(root)
    return root


def _check_prefixes(node: Node) -> None:
    """A bound on the work to resolve each QName below."""
    if len(node.element.nsmap) > _MAX_PREFIXES:
        message = f"the element declares more than {_MAX_PREFIXES} namespaces"
        raise InvalidInput([Diagnostic("xml-size", message, "Remove those that are not used", node.place())])


def _add(found: Descriptions, root: Node) -> None:
    target = root.get("targetNamespace")
    found.roots.append(root)
    for child in root.children():
        local = child.name.local
        if local == "service":
            _check_prefixes(child)
            found.services.append((child, root))
        elif child.get("name"):
            found.parts.setdefault((local, XmlName(target, child.get("name"))), child)


def _references(root: Node) -> Iterator[Node]:
    """The elements that refer to other WSDL documents."""
    for child in root.children():
        location = child.get("location")
        # WSDL 1.1 imports schemas too (§2.1.1, in its example).
        is_schema = location.partition("?")[0].lower().endswith(".xsd")
        if child.name.local in {"import", "include"} and location and not is_schema:
            yield child


def _too_many(reference: Node) -> Diagnostic:
    return Diagnostic(
        "wsdl-imports",
        f"imports after the first {_MAX_REFERENCES} are not read",
        "Put the services and their bindings into fewer documents",
        reference.place("location"),
        reference.get("location"),
        Severity.WARNING,
    )


def _open(source: Source, reference: Node, diagnostics: list[Diagnostic]) -> tuple[Source, Node] | None:
    place = reference.place("location")
    try:
        opened = source.open(reference.get("location"))
        root = _root_of(opened)
    except InvalidInput as invalid:
        for one in invalid.diagnostics:
            outside = one.place.line is None and one.place.file == source.name
            diagnostics.append(replace(one, severity=Severity.WARNING, place=place if outside else one.place))
        return None
    if root is None:
        return None  # a schema, or another kind of document
    return opened, root
