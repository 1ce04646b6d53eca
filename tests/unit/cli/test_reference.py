"""The reference pages that are made from the code are up to date."""

from __future__ import annotations

import pytest
from scripts.reference import PAGES, cli_page, openapi_page, schema_page
from tests.command import crossgate


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("gateway.schema.json", schema_page()),
        ("cli.md", cli_page()),
        ("admin-api.openapi.json", openapi_page()),
    ],
)
def test_the_committed_page_is_the_one_the_code_makes(name: str, page: str) -> None:
    assert (PAGES / name).read_text() == page, "run `make reference`"


def test_the_command_prints_the_committed_schema() -> None:
    assert crossgate("schema").stdout == (PAGES / "gateway.schema.json").read_text()
