"""Writes the reference pages that are generated from the code: `make reference`. A test finds stale ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

from scripts.operations import operations_page, types_page

from crossgate.admin.app import routes
from crossgate.catalogue.schema import document_schema, field_table, nested_records
from crossgate.cli.app import VERBS, LazyVerb, command, walk
from crossgate.cli.completion_table import (
    TABLE,
    CompletedValue,
    CompletedVerb,
    Completes,
    write_completion_table,
)
from crossgate.cli.verb_notes import VERB_NOTES
from crossgate.lint.pages import rule_pages

RULES = Path(__file__).parent.parent / "docs" / "rules"
PAGES = Path(__file__).parent.parent / "docs" / "reference"
COMPLETION = Path(__file__).parent.parent / "src" / "crossgate" / "cli" / TABLE

_HEAD = """\
# The command

Generated from the command by `make reference`; `crossgate VERB --help` prints the same.

Results go to standard output, errors to standard error; the findings of `check` are its result. Colours and
tables appear in a terminal only. `NO_COLOR=1` turns colours off.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | findings or differences |
| 2 | wrong usage or invalid input |
| 130 | interrupted |
| 141 | the reader of the output has closed it |
"""


def schema_page() -> str:
    """The JSON Schema of documents."""
    return json.dumps(document_schema(), indent=2) + "\n"


def file_page(page: str) -> str:
    """The page about the document with its tables of keys renewed; each follows a comment with its name."""
    for record in nested_records():
        page = _with_table(page, record.name, field_table(record))
    return page


def _with_table(page: str, name: str, table: str) -> str:
    marked = f"<!-- keys of {name}, made by `make reference` -->\n{table}\n"
    old = re.compile(rf"^<!-- keys of {name}\b.*\n(?:\|.*\n)*", re.MULTILINE)
    return old.sub(lambda _: marked, page)


def loaded_verbs() -> list[tuple[str, Any]]:
    """Every verb and group of verbs, loaded, each under its name."""
    verbs = command().commands.items()
    return [(name, verb.load()) for name, verb in verbs if isinstance(verb, LazyVerb)]


def cli_page() -> str:
    """Every verb with its arguments and options, exit codes and examples."""
    called = [found for name, verb in loaded_verbs() for found in walk(name, verb)]
    return "\n".join([_HEAD, *(line for words, verb in called for line in _verb(words, verb))])


def completion_table() -> str:
    """The table of verbs and options that completion scripts are made of."""
    return write_completion_table([one for name, verb in loaded_verbs() for one in _completed(name, verb)])


def _completed(words: str, verb: Any) -> Iterator[CompletedVerb]:
    options = [one for one in verb.params if one.param_type_name == "option"]
    arguments = [one for one in verb.params if one.param_type_name == "argument"]
    title = (verb.help or "").strip().partition("\n\n")[0]
    yield CompletedVerb(
        words,
        VERBS.get(words, title),
        tuple(map(_completed_value, options)),
        tuple(map(_completed_value, arguments)),
    )
    for name, inner in getattr(verb, "commands", {}).items():
        yield from _completed(f"{words} {name}", inner)


def _completed_value(parameter: Any) -> CompletedValue:
    is_option = parameter.param_type_name == "option"
    names = (*parameter.opts, *parameter.secondary_opts) if is_option else ()
    described = parameter.type_descriptor
    choices: tuple[str, ...] = ()
    completes = Completes.NOTHING
    if is_option and parameter.is_flag:
        completes = Completes.FLAG
    elif described.is_choice:
        completes, choices = Completes.CHOICE, tuple(choice.value for choice in described.choices)
    elif _TYPES[described.annotation] == "path" or parameter.metavar == "SOURCE...":
        completes = Completes.DIRECTORY if parameter.metavar == "DIR" else Completes.FILE
    return CompletedValue(names, parameter.help or "", completes, choices)


def openapi_page() -> str:
    """The admin API, as OpenAPI has it."""
    return json.dumps(routes().openapi(), indent=1) + "\n"


def _verb(name: str, verb: Any) -> Iterator[str]:
    arguments = [_argument(one) for one in verb.params if one.param_type_name == "argument"]
    yield f"## crossgate {name}\n"
    yield f"`{' '.join(['crossgate', name, *arguments, '[OPTIONS]'])}`\n"
    for paragraph in (verb.help or "").strip().split("\n\n"):
        yield f"{' '.join(paragraph.split())}\n"
    if verb.params:
        yield "| argument or option | type | default | meaning |\n|---|---|---|---|"
    for parameter in verb.params:
        cells = [_spelling(parameter), _type(parameter), _default(parameter), _meaning(parameter)]
        yield f"| {' | '.join(cells)} |"
    if verb.params:
        yield ""
    notes = VERB_NOTES[name]
    yield "| exit code | meaning |\n|---|---|"
    yield from (f"| {code} | {meaning} |" for code, meaning in notes.exit_codes.items())
    yield "\n```sh"
    yield from (f"# {what}\n{line}" for what, line in notes.examples.items())
    yield "```\n"


def _argument(argument: Any) -> str:
    return argument.metavar if argument.required else f"[{argument.metavar}]"


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_argument(parameter)}`"
    names = [f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts)]
    if not parameter.is_flag and parameter.metavar:
        names[-1] = f"`{parameter.opts[-1]} {parameter.metavar}`"
    return ", ".join(names)


def _type(parameter: Any) -> str:
    described = parameter.type_descriptor
    if described.is_choice:
        return ", ".join(f"`{choice.value}`" for choice in described.choices)
    name = _TYPES[described.annotation]
    match parameter.min, parameter.max:
        case None, None:
            return name
        case least, None:
            return f"{name}, at least {least}"
        case least, most:
            return f"{name}, {least} to {most}"


_TYPES: Final = {
    bool: "flag",
    float: "number",
    int: "integer",
    str: "string",
    Path: "path",
    list[str]: "string",
    list[Path]: "path",
}


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    match parameter.default:
        case None | "":
            return "none"
        case bool():
            return "on" if parameter.default else "off"
        case Enum():
            return f"`{parameter.default.value}`"
        case value:
            return f"`{value}`"


def _meaning(parameter: Any) -> str:
    variable = f" Environment variable: `{parameter.envvar}`." if parameter.envvar else ""
    return f"{parameter.help}{variable}"


def main() -> None:
    """Write them."""
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / "gateway.schema.json").write_text(schema_page())
    (PAGES / "file.md").write_text(file_page((PAGES / "file.md").read_text()))
    (PAGES / "cli.md").write_text(cli_page())
    COMPLETION.write_text(completion_table())
    (PAGES / "admin-api.openapi.json").write_text(openapi_page())
    (PAGES / "admin-api-operations.md").write_text(operations_page(routes().openapi()))
    (PAGES / "admin-api-types.md").write_text(types_page(routes().openapi()))
    RULES.mkdir(parents=True, exist_ok=True)
    for name, text in rule_pages().items():
        (RULES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
