"""JSON and YAML documents with the line and column of each value."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.importers.tree import parse_trees

JSON = '{\n\t"a": {"b": [1, {"c": "x"}], "\\u00e9\\"": true},\n  "list": [],\n  "a b": null\n}\n'
YAML = 'a:\n  b:\n  - 1\n  - c: x\n  "é\\"": true\nlist: []\na b:\n'


def at(text: str, *path: str | int, key: bool = False) -> tuple[int | None, int | None]:
    place = parse_trees(text, "f")[0].place(*path, key=key)
    assert place.file == "f"
    assert place.path == path
    return place.line, place.column


@pytest.mark.parametrize(
    ("path", "key", "json", "yaml"),
    [
        ((), False, (1, 1), (1, 1)),
        (("a",), False, (2, 7), (2, 3)),
        (("a",), True, (2, 2), (1, 1)),
        (("a", "b", 0), False, (2, 14), (3, 5)),
        (("a", "b", 1, "c"), False, (2, 23), (4, 8)),
        (("a", "b", 1, "c"), True, (2, 18), (4, 5)),
        (("a", 'é"'), False, (2, 42), (5, 10)),
        (("list",), False, (3, 11), (6, 7)),
        (("a b",), True, (4, 3), (7, 1)),
    ],
)
def test_each_value_has_its_line_and_column(
    path: tuple[str | int, ...], key: bool, json: tuple[int, int], yaml: tuple[int, int]
) -> None:
    assert at(JSON, *path, key=key) == json
    assert at(YAML, *path, key=key) == yaml


@pytest.mark.parametrize("text", [JSON, YAML])
def test_a_value_that_is_missing_has_the_place_of_the_nearest_one(text: str) -> None:
    tree = parse_trees(text, "f")[0]
    for path, nearest in (
        (("a", "x", "y"), ("a",)),
        (("a", "b", 7), ("a", "b")),
        (("a", "b", -1), ("a", "b")),
        (("a", "b", "0"), ("a", "b")),
        (("a", "b", 0, "x"), ("a", "b", 0)),
    ):
        found, expected = tree.place(*path), tree.place(*nearest)
        assert (found.line, found.column) == (expected.line, expected.column)
        assert tree.get(*path) is None
    assert tree.get("a", "b", 1, "c") == "x"
    assert tree.get() == tree.root


def test_windows_line_ends_and_a_byte_order_mark_count_as_editors_do() -> None:
    assert at('{\r\n  "a": 1\r\n}', "a") == (2, 8)
    assert at("x: 1\r\na: 1\r\n", "a") == (2, 4)


def test_a_file_has_several_yaml_documents() -> None:
    trees = parse_trees("a: 1\n---\n# only a comment\n---\nb:\n- 2\n...\n", "f")
    assert [tree.root for tree in trees] == [{"a": 1}, None, {"b": [2]}]
    assert trees[2].place("b", 0).line == 6


def test_what_looks_like_json_may_be_yaml() -> None:
    assert parse_trees('{"a": 1,}', "f")[0].root == {"a": 1}
    assert parse_trees("{a: 1, b: [x]}", "f")[0].root == {"a": 1, "b": ["x"]}
    assert parse_trees("[a, b]\n---\nc: 1\n", "f")[1].root == {"c": 1}


def test_json_is_read_with_tabs_and_deep() -> None:
    assert at('{\t"a":\t[\t1]}', "a", 0) == (1, 10)
    deep = 150
    text = "[" * deep + "7" + "]" * deep
    assert at(text, *[0] * deep) == (1, deep + 1)


def refused(text: str) -> str:
    with pytest.raises(InvalidInput) as invalid:
        parse_trees(text, "f")
    assert all(one.place.file == "f" for one in invalid.value.diagnostics)
    return str(invalid.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "invalid JSON"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"\\udc00": 1}', "half of a surrogate pair"),
        ('{"a": ' + "1" * 1_000_000 + "}", "digits"),
        ("a: " + "1" * 1_000_000, "digits"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("- " * 5000, "nest"),
        ("\ta: 1\n", "tab"),
        ("a: &x [*x]", "alias"),
        ("a: 1\na: 2\n", "duplicate key"),
        ('{"a": 1, "a": 2}', "f:1:10: error: duplicate key; first used on line 1 (found a)"),
        (
            '{"a,{": [{"b": "x"}, {"b": 1,\n"\\u0062": 2}]}',
            "f:2:1: error: duplicate key; first used on line 1",
        ),
        ("[" + "{}," * 3_000_000 + "{}]", "more than 1,000,000 values"),
        ("- a\n" * 2_000_001, "more than 1,000,000 values"),
        ('{"a": [' + '{"b": 1}, ' * 40_000, "invalid JSON"),
        ('{"a": ' * 300 + "1" + "}" * 300, "nested too deeply"),
        ("? [a]\n: 1\n", "key"),
    ],
)
def test_a_document_that_cannot_be_read_is_one_clear_error(text: str, message: str) -> None:
    assert message in refused(text)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "values" in refused("\n".join(lines))


def test_every_value_is_found_in_a_long_list() -> None:
    text = "[\n" + ",\n".join(f'{{"n": {number}}}' for number in range(2_000)) + "\n]"
    tree = parse_trees(text, "f")[0]
    assert [tree.place(number, "n").line for number in range(2_000)] == list(range(2, 2_002))


def test_mappings_are_merged_as_in_yaml_1_1() -> None:
    text = (
        "base: &base {origins: [a], off: {x: 1}}\nother: &other {origins: [b], age: 5}\n"
        "one: {<<: *base, age: 1}\ntwo:\n  <<: [*base, *other]\n  off: 2\nthree: {'<<': 1}\n"
    )
    root = parse_trees(text, "f")[0].root
    assert isinstance(root, dict)
    assert root["one"] == {"origins": ["a"], "off": {"x": 1}, "age": 1}
    assert root["two"] == {"origins": ["a"], "off": 2, "age": 5}
    assert root["three"] == {"<<": 1}
    assert at(text, "one", "origins", 0) == (1, 24)
    assert at(text, "one", "off", "x") == (1, 37)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: {<<: 3}", "yaml-merge"),
        ("a: &a [1]\nb: {<<: *a}", "yaml-merge"),
        ("a: {<<: {m: 1}, <<: {n: 1}}", "duplicate-key"),
    ],
)
def test_what_cannot_be_merged_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_trees(text, "f")
    assert [one.code for one in refused.value.diagnostics] == [code]


def test_plain_words_of_yaml_1_1_are_booleans() -> None:
    root = parse_trees("a: [yes, No, ON, off, 'yes', y, n, oN]", "f")[0].root
    assert root == {"a": [True, False, True, False, "yes", "y", "n", "oN"]}
