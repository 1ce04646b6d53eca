"""The command ``crossgate`` and its verbs, each of which is imported when it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from crossgate import __version__
from crossgate.cli.verb_notes import VERB_NOTES

VERBS: Final = {
    "run": "Run a gateway on this machine.",
    "serve": "Run the control plane of a gateway, without Envoy.",
    "node": "Run an Envoy for a control plane in another process.",
    "check": "Validate and lint documents.",
    "explain": "Explain the decision for one request.",
    "refusals": "List refused requests; allow or dismiss them.",
    "stats": "Show how many requests were allowed and refused.",
    "prove": "Prove which domains an origin pattern admits.",
    "schema": "Print the JSON Schema of documents.",
    "import": "Make APIs of documents that describe or configure them.",
    "plan": "Show what applying documents would change.",
    "apply": "Apply documents to a running gateway.",
    "export": "Print the document of a running gateway.",
    "revisions": "List revisions, or show one.",
    "rollback": "Restore an earlier revision.",
    "nodes": "List the nodes of a control plane.",
    "console": "Print a link that signs in to the console.",
    "store": "Back up the store of a gateway.",
    "token": "Create, list and revoke tokens of the admin API.",
    "completion": "Print a script that completes this command in a shell.",
}
"""The verbs, in the order of ``crossgate --help``, with their lines in it."""


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"crossgate {__version__}")
        raise typer.Exit


def _root(
    *,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """An API gateway that enforces Cross-Origin Resource Sharing.

    Run `crossgate VERB --help` for one verb. Exit codes: 0 success, 1 findings or differences, 2 wrong usage
    or invalid input.
    """
    del show_version


class LazyVerb(TyperCommand):
    """A verb of which only the name is known until it is called.

    The modules of all verbs take more than a second to load; those of one verb need not wait for the others.
    So each module imports at its top what it needs.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, help=VERBS[name])

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments as the real command does, which the context then names."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> TyperCommand | TyperGroup:
        """The command, or for ``token`` the group of commands."""
        name = f"{self.name}_" if iskeyword(str(self.name)) else str(self.name)
        verb = getattr(import_module(f"crossgate.cli.verbs.{name}"), name)
        if not isinstance(verb, typer.Typer):
            function, verb = verb, _typer()
            verb.command(self.name)(function)
        command = typer.main.get_command(verb)
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(command)
        for words, one in walk(str(self.name), command):
            one.epilog = _epilog(words)
        return command


def walk(words: str, command: TyperCommand | TyperGroup) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """The command and those inside it that can be called, each with its words: ``token create``."""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield words, command
    for name, one in inner.items():
        yield from walk(f"{words} {name}", one)


def _epilog(words: str) -> str | None:
    notes = VERB_NOTES.get(words)
    if notes is None:
        return None
    codes = [f"- `{code}` {meaning}" for code, meaning in notes.exit_codes.items()]
    examples = [f"- {what}: `{line}`" for what, line in notes.examples.items()]
    return "\n".join(["Exit codes:", "", *codes, "", "Examples:", "", *examples])


def command() -> TyperGroup:
    """The whole command."""
    app = _typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
    app.callback()(_root)
    group = typer.main.get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError(group)
    for name in VERBS:
        group.add_command(LazyVerb(name))
    return group


def _typer(**settings: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown", **settings
    )
