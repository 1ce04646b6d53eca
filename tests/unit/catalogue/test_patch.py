"""Edits of a document's text: nothing else changes, and the result reads as the object that was meant."""

from __future__ import annotations

from difflib import ndiff

import pytest
from tests.counting import calls

from crossgate.catalogue.document import read_document
from crossgate.catalogue.serialise import api_to_dict, application_to_dict, settings_to_dict
from crossgate.catalogue.yaml.edits import UneditableError
from crossgate.catalogue.yaml.patch import ObjectEdit, edit_document
from crossgate.catalogue.yaml.writer import write_yaml

HEAD = """\
# The pets' gateway.
apis:
  - name: stock   # not this one
    version: "1"
    type: rest
    native: http://127.0.0.1:9101
    cors: {allowed_origins: [https://a.example], allowed_methods: [GET]}
  - name: pets
    version: "1"
    type: rest
    native: http://127.0.0.1:9101
"""
BLOCK = (
    HEAD
    + """\
    cors:
      allowed_origins:
        - https://a.example   # the shop
        # the end of the list
      allowed_methods: [GET]
      max_age: 600
applications: []   # none
"""
)


def edited(text: str, *origins: object, headers: tuple[str, ...] = ()) -> str:
    catalogue = read_document(text).catalogue
    assert catalogue is not None
    before = api_to_dict(catalogue.apis["pets/1"])
    cors = dict(before["cors"])  # type: ignore[call-overload]
    cors["allowed_origins"] = [*cors.get("allowed_origins", []), *origins]
    if headers:
        cors["allow_headers"] = [*cors.get("allow_headers", []), *headers]
    after = {**before, "cors": cors}
    found = edit_document(text, [ObjectEdit("apis", before, after)])
    result = read_document(found)
    assert result.catalogue is not None, result.diagnostics
    assert api_to_dict(result.catalogue.apis["pets/1"]) == after
    assert result.catalogue.apis["stock/1"] == catalogue.apis["stock/1"]
    return found


def added_lines(before: str, after: str) -> list[str]:
    lines = [one for one in ndiff(before.splitlines(), after.splitlines()) if one[0] in "+-"]
    return [one[0] + one[2:] for one in lines]


def test_an_item_of_a_block_list() -> None:
    assert added_lines(BLOCK, edited(BLOCK, "https://b.example")) == ["+        - https://b.example"]


def test_line_ends_stay_as_they_are() -> None:
    text = BLOCK.replace("\n", "\r\n")
    changed = edited(text, "https://b.example", headers=("x-one",))
    assert changed.count("\n") == changed.count("\r\n") == text.count("\n") + 2


@pytest.mark.parametrize(
    "lists",
    [
        "    cors: {allowed_origins: [https://a.example], allowed_methods: [GET]}   # short\n",
        "    cors:\n      allowed_origins: [https://a.example,]\n      allowed_methods: [GET]\n",
        "    cors:\n      allowed_origins: [\n        https://a.example,   # one\n      ]\n",
        "    cors:\n      allowed_origins: []\n      allowed_methods: [GET]",
        "    cors:\n      allowed_methods: [GET]\n      # no origins\n",
        "    cors: {allowed_methods: [GET]}\n",
        "    cors:\n      allowed_origins:\n      - regex: 'https://x[0-9]\\.example'\n      - null\n",
        "    cors:\r\n      allowed_origins:\r\n        - https://a.example\r\n",
        "    cors:\n      allowed_origins:\n        - 'https://a.example'\n",
    ],
)
@pytest.mark.parametrize(
    "origin", ["https://b.example", "https://*.b.example", {"regex": "https://[b]\\.x, y"}]
)
def test_other_forms(lists: str, origin: object) -> None:
    text = HEAD + lists.replace("- null", "- 'null'")

    changes = added_lines(text, edited(text, origin, headers=("x-one", "x-two")))

    assert all("# no origins" not in one for one in changes)
    if "# short" in lists:
        assert changes[1].endswith("   # short")


def test_a_scalar_and_an_application() -> None:
    text = (
        "settings:\n  watt.server.cors.enabled: true\n"
        "  watt.server.cors.allowedOrigins: https://a.example   # list\n"
        "applications:\n  - name: shop\n    javascript_origins: [https://a.example]\n"
    )
    catalogue = read_document(text).catalogue
    assert catalogue is not None
    settings = settings_to_dict(catalogue.settings)
    shop = application_to_dict(catalogue.applications["shop"])
    found = edit_document(
        text,
        [
            ObjectEdit(
                "settings",
                settings,
                {**settings, "watt.server.cors.allowedOrigins": "https://a.example, https://b.example"},
            ),
            ObjectEdit(
                "applications",
                shop,
                {**shop, "javascript_origins": ["https://a.example", "https://b.example"]},
            ),
        ],
    )
    assert "allowedOrigins: 'https://a.example, https://b.example'   # list\n" in found
    assert "javascript_origins: [https://a.example, https://b.example]\n" in found


@pytest.mark.parametrize(
    "text",
    [
        "apis: []\n",
        "[]\n",
        "",
        ": : {",
        HEAD,
        HEAD
        + "    cors:\n      allowed_origins: &o [https://a.example]\n      allowed_methods: |\n        x\n",
    ],
)
def test_what_is_not_edited(text: str) -> None:
    before = {"name": "pets", "version": "1", "cors": {"allowed_origins": [], "x": "y"}}
    after = {"name": "pets", "version": "1", "cors": {"allowed_origins": ["https://b.example"], "x": "z"}}
    with pytest.raises(UneditableError):
        edit_document(text, [ObjectEdit("apis", before, after)])


def changed(text: str, **cors: object) -> str:
    """The document with these properties of the policy; None removes one."""
    catalogue = read_document(text).catalogue
    assert catalogue is not None
    before = api_to_dict(catalogue.apis["pets/1"])
    policy = {**before["cors"], **cors}  # type: ignore[dict-item]
    after = {**before, "cors": {name: one for name, one in policy.items() if one is not None}}
    found = edit_document(text, [ObjectEdit("apis", before, after)])
    result = read_document(found)
    assert result.catalogue is not None, result.diagnostics
    assert api_to_dict(result.catalogue.apis["pets/1"]) == after
    return found


SEVERAL = (
    HEAD
    + """\
    cors:
      allowed_origins:
        - https://a.example   # the shop
        - regex: 'https://b[0-9]\\.example'
        # the portal
        - https://c.example
      allowed_methods: [GET, POST, PUT]
      max_age: 600   # ten minutes
      allow_credentials: true
"""
)
A, B, C = "https://a.example", {"regex": r"https://b[0-9]\.example"}, "https://c.example"


@pytest.mark.parametrize(
    ("origins", "lines"),
    [
        ([B, C], ["-        - https://a.example   # the shop"]),
        ([A, C], [r"-        - regex: 'https://b[0-9]\.example'"]),
        ([A, B], ["-        - https://c.example"]),
        (["https://d.example"], None),
        ([A, "https://*.b.example", C, "https://d.example"], None),
        (["https://d.example", A, B, C], None),
        ([A, B, "https://d.example", C], None),
        ([C, B, A], None),
    ],
)
@pytest.mark.parametrize("flow", [False, True])
def test_items_are_removed_replaced_and_inserted(
    origins: list[object], lines: list[str] | None, flow: bool
) -> None:
    text = SEVERAL
    if flow:
        block = text[text.index("allowed_origins:\n") : text.index("      allowed_methods: [GET, P")]
        listed = (
            "allowed_origins: [https://a.example, {regex: 'https://b[0-9]\\.example'}, https://c.example]\n"
        )
        text = text.replace(block, listed)
    found = changed(text, allowed_origins=origins)
    if lines is not None and not flow:
        assert added_lines(text, found) == lines


def test_keys_are_removed_with_their_lines() -> None:
    assert added_lines(SEVERAL, changed(SEVERAL, max_age=None)) == ["-      max_age: 600   # ten minutes"]
    assert "allowed_origins" not in changed(SEVERAL, allowed_origins=None).partition("name: pets")[2]
    flow = HEAD + "    cors: {allowed_origins: [https://a.example], max_age: 600}\n"
    assert "{allowed_origins: [https://a.example]}" in changed(flow, max_age=None)
    assert "{max_age: 600}" in changed(flow, allowed_origins=None)


def test_a_policy_is_removed_and_added() -> None:
    catalogue = read_document(SEVERAL).catalogue
    assert catalogue is not None
    before = api_to_dict(catalogue.apis["pets/1"])
    after = {name: one for name, one in before.items() if name != "cors"}
    removed = edit_document(SEVERAL, [ObjectEdit("apis", before, after)])
    without = read_document(removed).catalogue
    assert without is not None
    assert without.apis["pets/1"].cors is None
    added = edit_document(removed, [ObjectEdit("apis", after, before)])
    again = read_document(added).catalogue
    assert again is not None
    assert again.apis["pets/1"].cors == catalogue.apis["pets/1"].cors


def test_methods_between_brackets_are_removed_anywhere() -> None:
    for methods in (["POST", "PUT"], ["GET", "PUT"], ["GET", "POST"], ["PUT"], ["POST", "GET"]):
        changed(SEVERAL, allowed_methods=methods)


def test_a_key_is_added_after_the_last_one_that_is_removed() -> None:
    document = HEAD + "    owner: the shop\n"
    before = {
        "name": "pets",
        "version": "1",
        "type": "rest",
        "native": "http://127.0.0.1:9101",
        "owner": "the shop",
    }
    after = {
        "name": "pets",
        "version": "1",
        "type": "rest",
        "native": "http://127.0.0.1:9102",
        "endpoints": ["/pets"],
    }
    assert edit_document(document, [ObjectEdit("apis", before, after)]) == (
        HEAD[: HEAD.rindex("9101")] + "9102\n    endpoints: [/pets]\n"
    )


def test_the_work_is_linear_in_the_number_of_objects() -> None:
    def count(objects: int) -> int:
        apis = [
            {"name": f"api-{number}", "version": "1", "type": "rest", "native": "http://127.0.0.1:9101"}
            for number in range(objects)
        ]
        text = write_yaml({"apis": apis})
        edits = [ObjectEdit("apis", one, {**one, "native": "http://127.0.0.1:9102"}) for one in apis]
        return calls(lambda: edit_document(text, edits))

    assert count(200) < 4.2 * count(50)
