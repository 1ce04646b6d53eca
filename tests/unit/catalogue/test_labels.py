"""Labels, owners and selectors: what is accepted, and the errors of the rest."""

from __future__ import annotations

import pytest

from crossgate.catalogue.document import read_document, write_document
from crossgate.catalogue.labels import parse_label_key, parse_label_value, parse_owner
from crossgate.catalogue.selector import parse_selector
from crossgate.diagnostics import Diagnostic, InvalidInput, Place

DOCUMENT = """\
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    owner: Checkout team
    labels:
      team: checkout
      example.com/tier: ''
applications:
  - name: storefront
    owner: web@example.com
    labels:
      team: web
"""


def test_a_document_with_owners_and_labels_reads_back() -> None:
    catalogue = read_document(DOCUMENT).catalogue
    assert catalogue is not None
    assert catalogue.apis["petstore/1.0"].owner == "Checkout team"
    assert catalogue.apis["petstore/1.0"].labels == (("example.com/tier", ""), ("team", "checkout"))
    assert catalogue.applications["storefront"].labels == (("team", "web"),)
    assert read_document(write_document(catalogue)).catalogue == catalogue


def test_every_error_of_labels_has_its_place() -> None:
    text = DOCUMENT.replace("team: checkout", "-team: a b\n      build: 1.10").replace(
        "web@example.com", "''"
    )
    found = [
        (one.code, one.place.line, one.place.column, one.found) for one in read_document(text).diagnostics
    ]
    assert found == [
        ("label-key-invalid", 8, 7, "-team"),
        ("label-value-invalid", 8, 14, "a b"),
        ("wrong-type", 9, 14, "1.10"),
        ("owner-invalid", 13, 12, ""),
    ]


@pytest.mark.parametrize("key", ["team", "a", "A.b_c-9", "example.com/team", "a.b-c.d/x", "a" * 63])
def test_keys(key: str) -> None:
    assert parse_label_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "-a", "a-", "a b", "a/b/c", "/a", "A.example/x", "a..b/x", "a" * 64, "a\n", f"{'a.' * 127}a/b", 7],
)
def test_invalid_keys(key: object) -> None:
    assert isinstance(parse_label_key(key), Diagnostic)


@pytest.mark.parametrize("value", ["", "checkout", "1.0", "a" * 63])
def test_values(value: str) -> None:
    assert parse_label_value(value) == value


@pytest.mark.parametrize("value", ["a b", ".a", "a/b", "a" * 64, "é", "a\n", None])
def test_invalid_values(value: object) -> None:
    assert isinstance(parse_label_value(value), Diagnostic)


@pytest.mark.parametrize("owner", ["", " a", "a\tb", "a" * 201, None])
def test_invalid_owners(owner: object) -> None:
    assert isinstance(parse_owner(owner), Diagnostic)


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("team=a", "a at"),
        ("team==a", "a at"),
        ("team!=a", "b none"),
        ("team", "a b at"),
        ("!team", "none"),
        ("! team", "none"),
        ("team=a,env!=test", "a"),
        (" team = a , env = test ", "at"),
        ("env", "at"),
        ("team=", ""),
    ],
)
def test_selectors(selector: str, selected: str) -> None:
    labels = {
        "a": (("team", "a"),),
        "b": (("team", "b"),),
        "at": (("env", "test"), ("team", "a")),
        "none": (),
    }
    parsed = parse_selector(selector, Place())
    assert [name for name, one in labels.items() if parsed.matches(one)] == selected.split()
    assert parse_selector(str(parsed), Place()) == parsed


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", [""]),
        ("team=a,", [""]),
        ("tier in (x,y)", ["tier in (x", "y)"]),
        ("!team=a", ["!team=a"]),
        ("team=a=b", ["team=a=b"]),
        ("=a,team=a b", ["=a", "team=a b"]),
        ("-team", ["-team"]),
        ("team!", ["team!"]),
        ("team!=,env!= ", ["team!=", "env!= "]),
    ],
)
def test_every_error_of_a_selector_is_reported(selector: str, found: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_selector(selector, Place(("query", "selector")))
    assert [one.found for one in refused.value.diagnostics] == found
    assert {one.place.json_path for one in refused.value.diagnostics} == {"$.query.selector"}
