"""Documents that are imported, and what they refer to."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.importers.source import Source


def test_a_document_that_comes_alone_refuses_references() -> None:
    with pytest.raises(InvalidInput, match="reference-refused") as refused:
        Source("<stdin>", b"").open("file:///etc/passwd")
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.place.file == "<stdin>"
    assert diagnostic.found == "file:///etc/passwd"


def test_the_opener_gets_the_reference_and_the_name_of_the_document() -> None:
    other = Source("b.yaml", b"b: 1")
    opened: list[tuple[str, str]] = []

    def opener(reference: str, base: str) -> Source:
        opened.append((reference, base))
        return other

    assert Source("a.yaml", b"", opener).open("b.yaml") is other
    assert opened == [("b.yaml", "a.yaml")]


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", b"a: \xe9", b"\xed\xa0\x80"])
def test_what_is_not_utf_8_is_an_error_of_the_file(data: bytes) -> None:
    source = Source("a.yaml", data)
    with pytest.raises(InvalidInput) as refused:
        assert source.text
    assert refused.value.diagnostics[0].place.file == "a.yaml"
    assert source.parsed == ()


@pytest.mark.parametrize("data", [b'{"a": 1}', b"a: 1", b"\xef\xbb\xbfa: 1", b'\xef\xbb\xbf {"a": 1}'])
def test_json_and_yaml_are_parsed_once(data: bytes) -> None:
    source = Source("a.yaml", data)
    assert source.trees[0].root == {"a": 1}
    assert source.parsed is source.trees


@pytest.mark.parametrize("data", [b"<a/>", b"\xef\xbb\xbf <?xml?>", b"PK\3\4", b"{", b"a: 1\na: 2"])
def test_what_is_neither_json_nor_yaml_is_not_parsed(data: bytes) -> None:
    assert Source("a", data).parsed == ()


def test_errors_are_placed_in_the_file() -> None:
    with pytest.raises(InvalidInput, match=r"a\.yaml:2:1 \$\.a: error: duplicate key"):
        assert Source("a.yaml", b"a: 1\na: 2").trees
