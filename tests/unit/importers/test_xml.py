"""XML is read with places, and hostile XML is refused in bounded work."""

from __future__ import annotations

import pytest
from lxml import etree

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.source import Source
from crossgate.importers.xml import XmlDocument, XmlName, name_of, parse_xml, root_name

MIB = 2**20


def parse(data: bytes | str) -> XmlDocument:
    return parse_xml(source(data))


def source(data: bytes | str) -> Source:
    return Source("a.xml", data if isinstance(data, bytes) else data.encode())


def refusal(data: bytes | str) -> Diagnostic:
    with pytest.raises(InvalidInput) as refused:
        parse(data)
    (only,) = refused.value.diagnostics
    return only


def test_elements_have_a_path_a_line_and_a_column() -> None:
    document = parse(
        '<?xml version="1.0"?>\n'
        "<!-- not <one> element -->\n"
        '<a xmlns="urn:x"\n'
        '   xmlns:b="urn:b">\n'
        '  <b:c><![CDATA[<d>]]></b:c><?pi <d> ?> <e text="&lt;e>"/>\n'
        "  <e\n     b:location=\"1\"  location = '2'/>\n"
        "</a>"
    )
    root, (c, first, second) = document.root, document.root

    assert name_of(root) == XmlName("urn:x", "a")
    assert document.place(root) == Place(("a",), "a.xml", 3, 1)
    assert document.place(c) == Place(("a", "c"), "a.xml", 5, 3)
    assert document.place(first) == Place(("a", "e", 0), "a.xml", 5, 41)
    assert document.place(second) == Place(("a", "e", 1), "a.xml", 6, 3)
    assert document.place(second, "location") == Place(("a", "e", 1, "@location"), "a.xml", 7, 6)
    assert document.place(root, "missing") == Place(("a", "@missing"), "a.xml", 3, 1)
    assert str(document.place(root, "b")) == "a.xml:3:1 $.a['@b']"


def test_lines_are_counted_beyond_65535() -> None:
    document = parse("<a>" + "\n" * 70_000 + " <b/></a>")

    assert document.place(document.root[0]) == Place(("a", "b"), "a.xml", 70_001, 2)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        (' encoding="utf-8"', "utf-8"),
        (' encoding="UTF-8"', "utf-8-sig"),
        (' encoding="UTF-16"', "utf-16"),
        (' encoding="utf-16"', "utf-16-le"),
        (' encoding="utf-16"', "utf-16-be"),
        (" encoding='ISO-8859-1'", "latin-1"),
        (' encoding="windows-1252"', "cp1252"),
    ],
)
def test_an_encoding_is_told_by_the_first_bytes(declared: str, codec: str) -> None:
    document = parse(f'<?xml version="1.0"{declared}?><é/>'.encode(codec))

    assert name_of(document.root).local == "é"


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        ("<a>\n <é/></a>".encode("latin-1"), "the file is not UTF-8", 2, 3),
        ("<?xml version='1.0' encoding='us-ascii'?><é/>".encode(), "the file is not US-ASCII", 1, 43),
        (
            b"<?xml version='1.0' encoding='utf-16'?><a/>",
            "the XML declaration names utf-16, but the file is not in that encoding",
            1,
            1,
        ),
        (b"<?xml version='1.0' encoding='cp037'?><a/>", "the encoding cp037 is not supported", 1, 1),
        (b"<?xml version='1.0' encoding='iso-8859-77'?><a/>", "the encoding iso-8859-77 is not", 1, 1),
        ("<a/>".encode("utf-32"), "the encoding UTF-32 is not supported", 1, 1),
    ],
)
def test_a_wrong_encoding_is_refused(data: bytes, message: str, line: int, column: int) -> None:
    found = refusal(data)

    assert found.code == "xml-encoding"
    assert found.message.startswith(message)
    assert (found.place.line, found.place.column) == (line, column)


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        ("", "the document is empty", 1),
        ("  \n ", "the document is empty", 2),
        ("no xml", "start tag expected, '<' not found", 1),
        ("<a>\n<b></a>", "opening and ending tag mismatch: b line 2 and a", 2),
        ("<a>\n\n<b>", "premature end of data in tag b line 3", 3),
        ("<a/>\n<b/>", "extra content at the end of the document", 2),
        ("<x:a/>", "namespace prefix x on a is not defined", 1),
        ("<a>&file;</a>", "entity 'file' not defined", 1),
        ("<a>\x01</a>", "PCDATA invalid Char value 1", 1),
        ("<a b='1' b='2'/>", "attribute b redefined", 1),
    ],
)
def test_invalid_xml_is_refused_at_its_line(data: str, message: str, line: int) -> None:
    found = refusal(data)

    assert (found.code, found.place.file, found.place.line) == ("xml-syntax", "a.xml", line)
    assert found.message == f"invalid XML: {message}"


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "http://169.254.169.254/">]>',
        '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY e "' + "&b;" * 50_000 + '">]>',
        '<!DOCTYPE a [<!ENTITY % e SYSTEM "file:///etc/passwd">%e;]>',
        "<!DOCTYPE a [ not even a DTD",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "latin-1"])
def test_a_doctype_is_refused_unread(doctype: str, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etree, "fromstring", None)
    declared = '<?xml version="1.0" encoding="iso-8859-1"?>' if codec == "latin-1" else ""

    found = refusal(f"{declared}<!-- <a> -->\n<?p?> {doctype}<a>&e;</a>".encode(codec))

    assert found.code == "xml-doctype"
    assert (found.place.line, found.place.column) == (2, 7)
    assert (found.found or "").startswith("<!DOCTYPE a")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<a>" * 1_000_000, "the document has more than 300,000 elements"),
        (b"<a>" * 1_000 + b"</a>" * 1_000, "invalid XML: elements are nested too deeply"),
        (b"<a>" + b"<a/>" * (4 * MIB) + b"</a>", "the document has more than 300,000 elements"),
        (b"<!---->" * (2 * MIB) + b"<a/>", "the document has more than 300,000 elements"),
        (b"<" * (16 * MIB), "the document has more than 300,000 elements"),
        (b"<a " + b' b=""' * (3 * MIB), "the document has more than 1,000,000 attributes"),
        (b"<" + b"a" * (16 * MIB), "invalid XML: a name, a tag or a string is too long"),
        (b"<a>" + b"a" * (16 * MIB), "invalid XML: a name, a tag or a string is too long"),
        (b"<!--" + b" " * (16 * MIB), "invalid XML: comment too big found"),
    ],
)
def test_oversized_xml_is_refused(data: bytes, message: str) -> None:
    assert refusal(data).message.startswith(message)


@pytest.mark.parametrize("namespace", ["http://{{url}}/a b", "http://[x", "relative", "%zz"])
def test_any_string_is_the_name_of_a_namespace(namespace: str) -> None:
    data = f'<a xmlns="{namespace}" xmlns:b="{namespace}"><b:c/></a>'

    assert name_of(parse(data).root[0]) == XmlName(namespace, "c")
    assert root_name(source(data)) == XmlName(namespace, "a")
    assert refusal(data.replace("</a>", "<d></a>")).code == "xml-syntax"
    assert refusal(data.replace("<b:c/>", "<x:c/>")).code == "xml-syntax"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ('<a xmlns="urn:x"><unclosed>', XmlName("urn:x", "a")),
        ('<?xml version="1.0"?>\n<!-- <b/> -->\n<w:a\n b=\'">\' xmlns:w="urn:x" />', XmlName("urn:x", "a")),
        ("<a/>", XmlName("", "a")),
        ('<!DOCTYPE w:a [<!ENTITY e "e">]><w:a xmlns:w="urn:x">', XmlName("urn:x", "a")),
    ],
)
def test_the_root_is_recognised_by_its_start_tag(data: str, name: XmlName) -> None:
    assert root_name(source(data)) == name
    assert root_name(source(data.encode("utf-16"))) == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"PK\x03\x04",
        b"<",
        b"<a",
        b"<!--",
        b"<!DOCTYPE a",
        b"<x:a/>",
        b"\xff\xfe",
        b"<a =\xff>",
        b"<a ",
        b"<a " + b'"' * (8 * MIB),
        b"<a " + b"a =" * (4 * MIB),
        b"<?" * (8 * MIB),
        b"<!--" * (4 * MIB),
    ],
)
def test_what_has_no_root_is_not_recognised(data: bytes) -> None:
    assert root_name(source(data)) is None
