"""XML documents with the line and column of each element and attribute: the one place that parses XML.

A document is decoded first, and its DOCTYPE is refused before libxml2 sees a byte: without one there are no
entities to expand, and nothing to fetch. What libxml2 does not bound by itself is counted before it builds a
tree. It bounds depth (256), names and text, as long as ``huge_tree`` is off.

libxml2 knows the line in which a start tag ends, and no column. Since ``<`` stands in well-formed XML only
where markup begins (XML 1.0, §2.4), the n-th start tag of the text is the n-th element of the tree.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

from lxml import etree

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Step, printable
from crossgate.importers.source import Source

MAX_ELEMENTS: Final = 300_000
"""Elements of a document; the largest metadata of known services has some 150,000."""
MAX_ATTRIBUTES: Final = 1_000_000
_HEAD: Final = 1 << 16
"""Bytes in which the start tag of the root element must be to recognise a document."""
_WHITE: Final = " \t\r\n"
_DECLARATION: Final = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")
_ENCODINGS: Final = re.compile(
    r"utf-?8|utf-?16([bl]e)?|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-8]", re.IGNORECASE
)
_MARKUP: Final = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?![/!])", re.DOTALL)
_START_TAG: Final = re.compile(r"<[^\s<>/!?][^<>\"']*+(?:(?:\"[^<\"]*+\"|'[^<']*+')[^<>\"']*+)*+>")
_ATTRIBUTE: Final = re.compile(r"([^\s=<>\"'/]++)\s*+=\s*+(?:\"[^\"]*\"|'[^']*')")
_DOCTYPE_NAME: Final = re.compile(r"<!DOCTYPE\s+([^\s\[>]+)")
_SHOWN: Final = 80


class XmlName(NamedTuple):
    """An expanded name (Namespaces in XML 1.0, §2.1)."""

    namespace: str
    """Empty for none."""
    local: str


class XmlDocument:
    """A well-formed document without DOCTYPE, comments and processing instructions."""

    def __init__(self, root: etree._Element, text: str, file: str) -> None:
        self.root = root
        self.file = file
        self._text = text
        self._siblings: dict[etree._Element | None, dict[etree._Element, tuple[Step, ...]]] = {}

    def place(self, element: etree._Element, attribute: str | None = None) -> Place:
        """The place of the element's start tag, or of its attribute with that local name."""
        at = self._starts[self._indices[element]]
        path = self._path(element)
        if attribute is not None:
            path = *path, f"@{attribute}"
            at = self._find_attribute(at, attribute)
        line = bisect_right(self._lines, at)
        return Place(path, self.file, line, at - self._lines[line - 1] + 1)

    def _find_attribute(self, at: int, attribute: str) -> int:
        tag = _START_TAG.match(self._text, at)
        for found in _ATTRIBUTE.finditer(self._text, at, tag.end() if tag else at):
            prefix, _, local = found[1].rpartition(":")
            if local == attribute and prefix != "xmlns":
                return found.start()
        return at

    def _path(self, element: etree._Element) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            parent = element.getparent()
            if parent is None:
                return name_of(element).local, *steps
            if parent not in self._siblings:
                self._siblings[parent] = _steps_of_children(parent)
            steps[:0] = self._siblings[parent][element]
            element = parent

    @cached_property
    def _indices(self) -> dict[etree._Element, int]:
        """Kept, since lxml makes another object for an element to which nothing refers."""
        return {element: index for index, element in enumerate(self.root.iter(etree.Element))}

    @cached_property
    def _starts(self) -> list[int]:
        return [found.start() for found in _MARKUP.finditer(self._text) if found.end() == found.start() + 1]

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self._text))]


def name_of(element: etree._Element) -> XmlName:
    """The expanded name of an element."""
    return _expand(str(element.tag))


def _expand(tag: str) -> XmlName:
    namespace, _, local = tag.rpartition("}")
    return XmlName(namespace[1:], local)


def _steps_of_children(parent: etree._Element) -> dict[etree._Element, tuple[Step, ...]]:
    """The step to each child: its local name, and its index among several of that name."""
    by_name: dict[str, list[etree._Element]] = {}
    for child in parent:
        by_name.setdefault(name_of(child).local, []).append(child)
    return {
        child: (local,) if len(children) == 1 else (local, index)
        for local, children in by_name.items()
        for index, child in enumerate(children)
    }


def parse_xml(source: Source) -> XmlDocument:
    """The document.

    Raises:
        InvalidInput: if it is not well-formed, has a DOCTYPE, or exceeds a limit.

    """
    text = _decode(source)
    _check_counts(text, source)
    if text.startswith("<!DOCTYPE", _skip_prolog(text)):
        raise _refused(
            source,
            "xml-doctype",
            "XML with a DOCTYPE is refused: it could define entities that name files or grow without bound",
            "Remove the DOCTYPE, and replace its entities by what they stand for",
            text,
            _skip_prolog(text),
        )
    root = _parse(text, source.name)
    if isinstance(root, Diagnostic):
        raise InvalidInput([root])
    return XmlDocument(root, text, source.name)


def root_name(source: Source) -> XmlName | None:
    """The name of the root element, to recognise a kind of document; None if there is none.

    What follows the first start tag is not looked at.
    """
    try:
        text = _decode(replace(source, data=source.data[:_HEAD]), errors="ignore")
    except InvalidInput:
        return None
    at = _skip_prolog(text)
    declared = _DOCTYPE_NAME.match(text, at)
    if declared:  # refused when it is read; what would be read is still worth telling
        at = text.find(f"<{declared[1]}", declared.end())
    tag = _START_TAG.match(text, at) if at >= 0 else None
    if tag is None:
        return None
    root = _parse(tag[0].removesuffix(">").removesuffix("/") + "/>", source.name)
    return None if isinstance(root, Diagnostic) else name_of(root)


def _parse(text: str, file: str) -> etree._Element | Diagnostic:
    """The root element, or the first error.

    Any string is the name of a namespace (Namespaces in XML 1.0, §2.2): that one is not a URI is an error for
    libxml2 only.
    """
    root: etree._Element | None = None
    errors: list[etree._LogEntry] = []
    for recover in (False, True):
        parser = _parser(recover=recover)
        try:
            root = etree.fromstring(text.encode(), parser)
        except etree.XMLSyntaxError:
            root = None
        errors += (entry for entry in parser.error_log if _is_error(entry))
        if errors or root is not None:
            break
    return _syntax_error(errors[0] if errors else None, text, file) if errors or root is None else root


def _is_error(entry: etree._LogEntry) -> bool:
    return entry.level > etree.ErrorLevels.WARNING and entry.type != etree.ErrorTypes.WAR_NS_URI


def _parser(*, recover: bool = False) -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        encoding="utf-8",  # of the text; what the document declares was for its bytes
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )


def _decode(source: Source, errors: str = "strict") -> str:
    """The document as a string, in the encoding that its first bytes tell (XML 1.0, appendix F)."""
    data, declared = source.data, _DECLARATION.match(source.data[:512])
    named = declared[1].decode("ascii") if declared else "UTF-8"
    if data.startswith((b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\x00<", b"<\x00\x00\x00")):
        codec = named = "UTF-32"
    elif data.startswith((b"\xff\xfe", b"<\x00")):
        codec = named = "utf-16-le"
    elif data.startswith((b"\xfe\xff", b"\x00<")):
        codec = named = "utf-16-be"
    elif data.startswith(b"\xef\xbb\xbf"):
        codec = named = "utf-8-sig"
    else:
        codec = named
    if not _ENCODINGS.fullmatch(named.removesuffix("-le").removesuffix("-be").removesuffix("-sig")):
        raise _encoding_error(source, f"the encoding {named} is not supported", "Save the file as UTF-8", 0)
    if declared and codec.lower().startswith(("utf-16", "utf16")) and data[:1] == b"<" != data[1:2]:
        message = f"the XML declaration names {named}, but the file is not in that encoding"
        remedy = "Correct the encoding in the XML declaration; it is probably UTF-8"
        raise _encoding_error(source, message, remedy, 0)
    try:
        text = data.decode(codec, errors)
    except UnicodeDecodeError as error:
        message = f"the file is not {named.removesuffix('-sig').upper()}"
        remedy = "Save the file as UTF-8, or correct the encoding in its XML declaration"
        raise _encoding_error(source, message, remedy, error.start) from None
    except LookupError:
        message = f"the encoding {named} is not supported"
        raise _encoding_error(source, message, "Save the file as UTF-8", 0) from None
    return text.removeprefix("\ufeff")


def _encoding_error(source: Source, message: str, remedy: str, at: int) -> InvalidInput:
    before = source.data[:at]
    place = Place(file=source.name, line=before.count(b"\n") + 1, column=len(before) - before.rfind(b"\n"))
    found = f"byte 0x{source.data[at]:02X}" if at < len(source.data) and at else None
    return InvalidInput([Diagnostic("xml-encoding", message, remedy, place, found)])


def _skip_prolog(text: str) -> int:
    """Where the DOCTYPE or the root element begins (XML 1.0, §2.8)."""
    at, end = 0, 0
    while end >= 0:
        at = end
        while text[at : at + 1] in (*_WHITE,):
            at += 1
        closing = "?>" if text.startswith("<?", at) else "-->" if text.startswith("<!--", at) else None
        if closing is None:
            break
        end = text.find(closing, at + 2)
        end = end + len(closing) if end >= 0 else -1
    return at


def _check_counts(text: str, source: Source) -> None:
    """Bounds on what a tree has, by what each of them needs in the text."""
    counts = (
        (text.count("<") - text.count("</"), MAX_ELEMENTS, "elements"),
        (text.count('="') + text.count("='") + text.count("= "), MAX_ATTRIBUTES, "attributes"),
    )
    for count, limit, what in counts:
        if count > limit:
            message = f"the document has more than {limit:,} {what}"
            remedy = "Import a document that describes less"
            raise InvalidInput(
                [Diagnostic("xml-size", message, remedy, Place(file=source.name), f"{count:,}")]
            )


def _syntax_error(error: etree._LogEntry | None, text: str, file: str) -> Diagnostic:
    message = error.message.strip() if error is not None else "this is not a document"
    line, column = (error.line, error.column) if error is not None else (1, 1)
    if not text.strip():
        message = "the document is empty"
    elif "Excessive depth" in message:
        message = "elements are nested too deeply"
    elif "XML_PARSE_HUGE" in message:
        message = "a name, a tag or a string is too long"
    if message[1:2].islower():
        message = message[0].lower() + message[1:]
    return Diagnostic(
        "xml-syntax",
        f"invalid XML: {printable(message[:400]).removesuffix('.')}",
        "Correct the XML",
        Place(file=file, line=max(line, 1), column=max(column, 1)),
    )


def _refused(source: Source, code: str, message: str, remedy: str, text: str, at: int) -> InvalidInput:
    before = text[:at]
    place = Place(file=source.name, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
    found = printable(text[at : at + _SHOWN].splitlines()[0]) if text[at:].strip() else None
    return InvalidInput([Diagnostic(code, message, remedy, place, found)])
