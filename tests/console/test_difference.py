"""Differences as pages show them."""

from __future__ import annotations

from crossgate.console.difference import difference_lines, differences


def test_changed_lines_stand_in_their_context() -> None:
    before = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}
    lines = difference_lines(before, {**before, "d": 40})
    shown = [(one.number, one.sign, one.text) for one in lines]
    assert shown == [
        (None, "", "1 unchanged line"),
        (2, " ", "b: 2"),
        (3, " ", "c: 3"),
        (4, "-", "d: 4"),
        (4, "+", "d: 40"),
        (5, " ", "e: 5"),
        (6, " ", "f: 6"),
        (None, "", "1 unchanged line"),
    ]


def test_objects_are_named_as_in_a_document() -> None:
    found = differences(
        [
            {"kind": "api", "key": "petstore/1.0", "before": None, "after": {"name": "petstore"}},
            {"kind": "settings", "key": "settings", "before": {}, "after": {}},
        ]
    )
    assert [one.heading for one in found] == ["apis[petstore/1.0]", "settings"]
    assert [one.sign for one in found[0].lines] == ["+"]
    assert found[1].lines == ()


def test_json_has_the_same_lines_in_another_form() -> None:
    lines = difference_lines({"a": [1]}, {"a": [1, 2]}, as_json=True)
    assert ("+", "    2") in [(one.sign, one.text) for one in lines]
