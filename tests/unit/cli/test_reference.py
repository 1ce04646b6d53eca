"""The generated reference pages are up to date and complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts.operations import operations_page, types_page
from scripts.reference import PAGES, cli_page, openapi_page, schema_page
from tests.command import crossgate

from crossgate.admin.app import routes
from crossgate.cli.app import VERBS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("gateway.schema.json", schema_page()),
        ("cli.md", cli_page()),
        ("admin-api.openapi.json", openapi_page()),
        ("admin-api-operations.md", operations_page(routes().openapi())),
        ("admin-api-types.md", types_page(routes().openapi())),
    ],
)
def test_the_committed_page_is_current(name: str, page: str) -> None:
    assert (PAGES / name).read_text() == page, "run `make reference`"


@pytest.mark.parametrize(
    "row",
    [
        "| `--format` | `text`, `json`, `sarif` | `text` | How findings are printed;",
        "| `--role` | `viewer`, `editor`, `admin` | `viewer` |",
        "| `--limit N` | integer, 1 to 500 | `20` |",
        "| `--envoy`, `--no-envoy` | flag | on |",
        "| `--control-plane ADDRESS` | string | required |",
        "| `--server URL` | string | `http://127.0.0.1:8090` | The gateway's admin API. Environment",
        "| `[FILE]` | path | none |",
    ],
)
def test_every_kind_of_option_is_described_with_type_default_and_choices(row: str) -> None:
    assert f"\n{row}" in cli_page()


def test_every_verb_has_a_file_and_a_section() -> None:
    files = {file.stem for file in (ROOT / "src/crossgate/cli/verbs").glob("[a-z]*.py")}
    assert files == VERBS.keys()
    sections = re.findall(r"^## crossgate (\w+)", cli_page(), re.MULTILINE)
    assert list(dict.fromkeys(sections)) == list(VERBS)


def test_the_command_prints_the_committed_schema() -> None:
    assert crossgate("schema").stdout == (PAGES / "gateway.schema.json").read_text()
