"""Adding objects to the text of a document keeps everything that it has."""

from __future__ import annotations

import pytest
import yaml

from crossgate.catalogue.yaml.additions import add_objects
from crossgate.catalogue.yaml.edits import UneditableError

ADDED = """\
# Imported from pets.yaml
apis:
  # pets.yaml:1
  - name: pets  # info.title
    version: "1"
    cors:
      allowed_methods:
        - GET  # GET /pets
        # left out: TRACE
  - name: users
    version: "1"
"""
ITEMS = """\
  # pets.yaml:1
  - name: pets  # info.title
    version: "1"
    cors:
      allowed_methods:
        - GET  # GET /pets
        # left out: TRACE
  - name: users
    version: "1"
"""
OTHERS = """\
# The shop
applications:
  - name: shop
    apis:
      - pets/1
settings:
  watt.server.cors.enabled: true  # cors.properties:1
"""


def unindented(lines: str) -> str:
    return "".join(f"{line[2:]}\n" for line in lines.splitlines())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("apis:\n  - name: a\n", "apis:\n  - name: a\n" + ITEMS),
        ("apis:\n- name: a\n", "apis:\n- name: a\n" + unindented(ITEMS)),
        (
            "apis:\n    - name: a\n",
            "apis:\n    - name: a\n" + "".join(f"  {x}\n" for x in ITEMS.splitlines()),
        ),
        ("apis:\n  - name: a  # end", "apis:\n  - name: a  # end\n" + ITEMS),
        ("apis: []\n", "apis: \n" + ITEMS),
        ("apis: []  # none\ngateway: {}\n", "apis:   # none\n" + ITEMS + "gateway: {}\n"),
        ("# my file\ngateway: {}\n", "# my file\ngateway: {}\n" + ADDED),
        ("gateway: {}\n...\n", "gateway: {}\n" + ADDED + "...\n"),
        ("gateway: {}\n\nsettings: {}\n", "gateway: {}\n\nsettings: {}\n\n" + ADDED),
        (
            "apis:\n  - name: a\n    # of a\n  # - name: b\n\n# Next\nsettings: {}\n",
            "apis:\n  - name: a\n    # of a\n  # - name: b\n" + ITEMS + "\n# Next\nsettings: {}\n",
        ),
        (
            "apis:\n  - owner: |\n      Ann\n\n# Next\nsettings: {}\n",
            "apis:\n  - owner: |\n      Ann\n" + ITEMS + "\n# Next\nsettings: {}\n",
        ),
        (
            "---\napplications: []\napis:\n- a: 1\n",
            "---\napplications: []\napis:\n- a: 1\n" + unindented(ITEMS),
        ),
    ],
)
def test_items_come_after_the_last_one(before: str, after: str) -> None:
    assert add_objects(before, ADDED) == after
    added = {**yaml.safe_load(before)}
    added["apis"] = [*added.get("apis", []), *yaml.safe_load(ADDED)["apis"]]
    assert yaml.safe_load(after) == added
    assert add_objects(before.replace("\n", "\r\n"), ADDED) == after.replace("\n", "\r\n")


def test_sections_are_added_each_in_its_place() -> None:
    before = "settings: {}\napplications:\n  - name: a\n\n  - name: b"
    after = add_objects(before, ADDED + OTHERS)
    assert after == (
        "settings: \n  watt.server.cors.enabled: true  # cors.properties:1\n"
        "applications:\n  - name: a\n\n  - name: b\n\n  - name: shop\n    apis:\n      - pets/1\n\n" + ADDED
    )


def test_objects_are_added_to_a_list_in_brackets() -> None:
    before = "apis: [{name: a}, {name: b}]  # mine\n"
    after = add_objects(before, ADDED)
    assert after.startswith("apis: [{name: a}, {name: b}, {name: pets, ")
    assert after.endswith("]  # mine\n")
    assert yaml.safe_load(after)["apis"][2:] == yaml.safe_load(ADDED)["apis"]


def test_mixed_ends_of_lines_stay() -> None:
    after = add_objects("# a\ngateway: {}\r\nsettings: {}\n", "apis:\n  - name: a\n")
    assert after == "# a\ngateway: {}\r\nsettings: {}\napis:\r\n  - name: a\r\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"apis": []}\n',
        "{apis: []}\n",
        "apis: [\n  # nothing\n]\n",
        "apis: {}\n",
        "apis: text\n",
        "- a\n",
        "a: [\n",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(UneditableError):
        add_objects(text, ADDED)


def test_settings_are_not_added_to_settings() -> None:
    with pytest.raises(UneditableError):
        add_objects("settings:\n  a: 1\n", OTHERS)
