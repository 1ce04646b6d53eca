"""The generated reference pages are up to date and complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from scripts.operations import operations_page, types_page
from scripts.reference import PAGES, cli_page, loaded_verbs, openapi_page, schema_page
from tests.command import crossgate

from crossgate.admin.app import routes
from crossgate.cli.app import VERBS, walk
from crossgate.cli.verb_notes import VERB_NOTES

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
    files = {file.stem.removesuffix("_") for file in (ROOT / "src/crossgate/cli/verbs").glob("[a-z]*.py")}
    assert files == VERBS.keys()
    sections = re.findall(r"^## crossgate (\w+)", cli_page(), re.MULTILINE)
    assert list(dict.fromkeys(sections)) == list(VERBS)


def test_the_command_prints_the_committed_schema() -> None:
    assert crossgate("schema").stdout == (PAGES / "gateway.schema.json").read_text()


_CALLED: dict[str, Any] = {words: verb for name, verb in loaded_verbs() for words, verb in walk(name, verb)}


def test_every_verb_has_exit_codes_and_examples() -> None:
    assert VERB_NOTES.keys() == _CALLED.keys()
    for words, notes in VERB_NOTES.items():
        assert {0, 2} <= notes.exit_codes.keys(), words
        assert notes.examples, words


@pytest.mark.parametrize("words", _CALLED)
def test_every_argument_and_option_is_described_whole(words: str) -> None:
    sections = re.split(r"^## crossgate ", cli_page(), flags=re.MULTILINE)
    (text,) = (one for one in sections if one.startswith(f"{words}\n"))
    rows = {row.strip("|` [").split("`")[0].split(" ")[0].rstrip("]"): row for row in text.splitlines()}
    for parameter in _CALLED[words].params:
        is_option = parameter.param_type_name == "option"
        row = rows[parameter.opts[0] if is_option else parameter.metavar]
        _, kind, default, meaning = (cell.strip() for cell in row.strip("| ").split(" | ", 3))
        assert kind, row
        assert default, row
        assert len(meaning) > 5, row
        if parameter.type_descriptor.is_choice:
            for choice in parameter.type_descriptor.choices:
                assert f"`{choice.value}`" in kind
        if parameter.envvar:
            assert f"Environment variable: `{parameter.envvar}`" in meaning


@pytest.mark.parametrize(
    ("words", "line"),
    [(words, line) for words, notes in VERB_NOTES.items() for line in notes.examples.values()],
)
def test_every_example_is_a_call_of_its_verb(words: str, line: str) -> None:
    called = line[line.index("crossgate") :].strip("<()").partition(" > ")[0].rstrip(")")
    program, *arguments = shlex.split(called)
    assert program == "crossgate"
    assert " ".join(arguments).startswith(words)
    _CALLED[words].make_context(words, arguments[len(words.split()) :])


def test_help_prints_exit_codes_and_examples() -> None:
    shown = crossgate("plan", "--help").stdout
    assert "Exit codes:" in shown
    assert "crossgate plan gateway/" in shown
