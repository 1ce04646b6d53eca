"""Writes the reference pages that are made from the code: `make reference`. A test finds stale ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer

from crossgate.admin.app import routes
from crossgate.catalogue.schema import document_schema
from crossgate.cli.app import app
from crossgate.lint.pages import rule_pages

RULES = Path(__file__).parent.parent / "docs" / "rules"
PAGES = Path(__file__).parent.parent / "docs" / "reference"

_HEAD = """\
# The command

Made from the command itself by `make reference`.

`crossgate VERB --help` says the same. Results go to standard output, complaints to standard error; the
findings of `check` are its result. Colours and tables appear in a terminal only; `NO_COLOR=1` turns
colours off.

| exit code | meaning |
|---|---|
| 0 | fine |
| 1 | findings or differences |
| 2 | bad use or bad input |
| 130 | interrupted |
| 141 | whoever read the output has left |
"""


def schema_page() -> str:
    """The JSON Schema of documents."""
    return json.dumps(document_schema(), indent=2) + "\n"


def cli_page() -> str:
    """Every verb with its arguments and options."""
    group = typer.main.get_command(app)
    verbs: dict[str, typer.core.TyperCommand] = group.commands  # type: ignore[attr-defined]  # a group has them
    return "\n".join([_HEAD, *(line for name, verb in verbs.items() for line in _verb_or_group(name, verb))])


def openapi_page() -> str:
    """The admin API, as OpenAPI has it."""
    return json.dumps(routes().openapi(), indent=1) + "\n"


def _verb_or_group(name: str, verb: typer.core.TyperCommand) -> Iterator[str]:
    inner: dict[str, typer.core.TyperCommand] = getattr(verb, "commands", {})
    if not inner:
        yield from _verb(name, verb)
    for inner_name, one in inner.items():
        yield from _verb(f"{name} {inner_name}", one)


def _verb(name: str, verb: typer.core.TyperCommand) -> Iterator[str]:
    arguments = [parameter for parameter in verb.params if parameter.param_type_name == "argument"]
    named = [_argument_name(argument) for argument in arguments]
    yield f"## crossgate {name}\n"
    yield f"`{' '.join(['crossgate', name, *named, '[OPTIONS]'])}`\n"
    for paragraph in (verb.help or "").strip().split("\n\n"):
        yield f"{' '.join(paragraph.split())}\n"
    yield "| argument or option | meaning |\n|---|---|"
    for parameter in verb.params:
        yield f"| {_spelling(parameter)} | {_meaning(parameter)} |"
    yield ""


def _argument_name(argument: object) -> str:
    return str(getattr(argument, "metavar", None) or getattr(argument, "name", "")).upper()


def _spelling(parameter: object) -> str:
    if getattr(parameter, "param_type_name", "") == "argument":
        return f"`{_argument_name(parameter)}`"
    names = ["/".join(getattr(parameter, "opts", []) + getattr(parameter, "secondary_opts", []))]
    if not getattr(parameter, "is_flag", False):
        names.append(getattr(parameter, "metavar", None) or _kind(parameter))
    return f"`{' '.join(names)}`"


def _kind(parameter: object) -> str:
    kind = str(getattr(getattr(parameter, "type", None), "name", "text"))
    return "NUMBER" if "integer" in kind or "float" in kind else kind.upper()


def _meaning(parameter: object) -> str:
    return str(getattr(parameter, "help", "") or "").replace("|", "\\|")


def main() -> None:
    """Write them."""
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / "gateway.schema.json").write_text(schema_page())
    (PAGES / "cli.md").write_text(cli_page())
    (PAGES / "admin-api.openapi.json").write_text(openapi_page())
    RULES.mkdir(parents=True, exist_ok=True)
    for name, text in rule_pages().items():
        (RULES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
