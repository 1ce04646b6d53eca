"""No key of the document and no reason of a decision is missing from the reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts.reference import file_page

from crossgate.catalogue.schema import object_schemas
from crossgate.policy import Reason
from crossgate.policy.cors_policy import POLICY as POLICY_FIELDS
from crossgate.policy.responses import API_RESPONSES, SERVER_RESPONSES

PAGES = Path(__file__).parents[3] / "docs" / "reference"
FILE = (PAGES / "file.md").read_text()
POLICY = (PAGES / "policy.md").read_text()


def test_the_tables_of_keys_are_those_of_the_code() -> None:
    assert file_page(FILE) == FILE, "run `make reference`"


def test_every_record_of_a_document_has_its_table() -> None:
    assert set(re.findall(r"^<!-- keys of (\w+)", FILE, re.MULTILINE)) == {*object_schemas("")}


def test_every_property_of_a_policy_is_explained() -> None:
    body = POLICY.partition("## Properties\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE) == [field.name for field in POLICY_FIELDS.fields]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason.value}`" in POLICY


@pytest.mark.parametrize(
    "body", {row.body for table in (API_RESPONSES, SERVER_RESPONSES) for row in table.values()}
)
def test_every_refusal_is_quoted(body: str) -> None:
    assert f"`{body}`" in POLICY
