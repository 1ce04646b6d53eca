"""Imported documents as YAML with comments."""

from __future__ import annotations

import re

import pytest

from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.commented import write_commented
from crossgate.importers.result import Imported, ImportFinding, LeftOut, Taken


def place(line: int, *path: str) -> Place:
    return Place(path, "api.yaml", line, 1)


def left_out(index: int, value: object, list_name: str = "allowed_origins") -> LeftOut:
    diagnostic = Diagnostic("origin-unbounded", "the entry admits https://evilexample.com", "Write it")
    finding = ImportFinding(diagnostic, (), "https://evilexample.com", r"https://(?:.*\.)?example\.com")
    return LeftOut(("apis", 0, "cors", list_name, index), value, "plugin cors", place(9), 1, (finding,))


def written(cors: dict[str, object], *entries: LeftOut, taken: tuple[Taken, ...] = ()) -> str:
    document = {"apis": [{"name": "shop", "version": "1.0", "cors": cors}], "applications": [{"name": "web"}]}
    text = write_commented(Imported(("kong",), document, taken, left_out=entries, sources=("kong.yaml",)))
    parsed, errors = parse_yaml(text)
    assert errors == []
    assert parsed is not None
    assert parsed.root == document
    return text


def test_each_value_has_its_place_and_reason() -> None:
    taken = (
        Taken(("apis", 0, "name"), "shop", "title", place(2, "info", "title")),
        Taken(("apis", 0, "cors", "allow_headers", 0), "X-Key", "parameter " + "x" * 99, place(3), 2),
        Taken(("apis", 0, "cors", "mode"), "observe", "--observe", None),
        Taken(("apis", 0, "version"), "1.0", "version", Place(("info", "version"), "API.zip/API.1")),
    )
    cors: dict[str, object] = {"allowed_origins": [], "allow_headers": ["X-Key"], "mode": "observe"}
    lines = written(cors, taken=taken).splitlines()
    assert "# kong: kong.yaml" in lines
    assert "- name: shop  # api.yaml:2: title" in lines
    assert "    mode: observe  # --observe" in lines
    # Without a line, the path is needed.
    assert "  version: '1.0'  # API.1 $.info.version: version" in lines
    header = lines.index("    - X-Key")
    assert lines[header - 1] == f"    # api.yaml:3: parameter {'x' * 99} (2 places)"
    empty = next(line for line in "\n".join(lines).splitlines() if "no usable origin was found" in line)
    assert "--origin" in empty


def test_what_is_left_out_is_a_comment_with_the_finding_and_the_fix() -> None:
    pattern = {"regex": r"https://.*example\.com"}
    origins = ["https://a.example.com", "https://b.example.com"]
    cors: dict[str, object] = {"allowed_origins": origins, "allow_headers": ["X-Key"]}
    for index, before, after in ((1, "a.example", "b.example"), (2, "b.example", "allow_headers")):
        text = written(cors, left_out(index, pattern))
        lines = [line.strip() for line in text.splitlines()]
        at = lines.index(r"# - regex: https://.*example\.com")
        assert "[origin-unbounded]" in lines[at - 1]
        assert "api.yaml:9: plugin cors" in lines[at - 2]
        assert before in lines[at - 3]
        assert lines[at + 2] == r"# - regex: https://(?:.*\.)?example\.com"
        assert after in lines[at + 3]


def test_what_is_left_out_of_a_list_can_be_put_back_by_removing_the_sign() -> None:
    text = written({"allowed_origins": ["https://a.example.com"]}, left_out(1, "http://b.example.com"))
    restored, errors = parse_yaml(re.sub(r"^( *)# (- http)", r"\1\2", text, flags=re.MULTILINE))
    assert errors == []
    assert restored is not None
    cors = restored.root["apis"][0]["cors"]  # type: ignore[index]  # a document
    assert cors == {"allowed_origins": ["https://a.example.com", "http://b.example.com"]}


def test_an_empty_list_says_that_all_is_left_out() -> None:
    text = written({"allowed_origins": []}, left_out(0, "http://b.example.com"))
    assert "no origin is left" in text


def test_nothing_of_a_document_ends_a_comment() -> None:
    hostile = "a\nb: 1\r\u2028c\x85d\x00\u202ee # - x\ufeff\ud800"
    taken = (
        Taken(("apis", 0, "name"), "shop", hostile, Place((hostile,), hostile, 1, 1)),
        Taken(("apis", 0, "cors", "allowed_origins", 0), {"regex": hostile}, hostile, place(1)),
    )
    regex = {"regex": "a\n\nb\u2028c\x85 d\t# e"}
    text = written({"allowed_origins": [regex, "*"]}, left_out(0, regex), left_out(2, hostile), taken=taken)
    comments = [line for line in text.split("\n") if "#" in line]
    assert all(line.isprintable() for line in comments if "# e" not in line)


@pytest.mark.parametrize(
    "expression", ["\n", "\u2028", "a\u2028", "\x85", "\r\n", "a\n\n b ", "", "# x", " #"]
)
def test_an_expression_with_line_breaks_reads_back(expression: str) -> None:
    regex = {"regex": expression}
    taken = Taken(("apis", 0, "cors", "allowed_origins", 0), regex, "why", place(1))
    written({"allowed_origins": [regex, "*"]}, left_out(1, regex), taken=(taken,))


def test_a_file_is_named_by_its_last_part_if_that_is_enough() -> None:
    def name_line(*files: str) -> str:
        taken = Taken(("apis", 0, "name"), "shop", "title", Place((), files[0], 2, 1))
        document = {"apis": [{"name": "shop"}]}
        text = write_commented(Imported(("kong",) * len(files), document, (taken,), sources=files))
        assert all(f"# kong: {file}\n" in text for file in files)
        return text.splitlines()[-1]

    assert name_line("/a/kong.yaml") == "- name: shop  # kong.yaml:2: title"
    assert name_line("/a/kong.yaml", "/b/kong.yaml") == "- name: shop  # /a/kong.yaml:2: title"
