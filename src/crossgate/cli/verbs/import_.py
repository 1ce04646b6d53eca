"""``crossgate import [KIND] SOURCE...``: APIs from the documents that describe or configure them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue, NativeService
from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, ServerInClearText, Token
from crossgate.cli.import_sources import SourceOpener
from crossgate.cli.import_target import ImportTarget, read_target, write_target
from crossgate.cli.output.changes import print_plan
from crossgate.cli.output.console import print_json, printable, stderr, stdout
from crossgate.cli.output.imports import ImportReport, import_as_json, print_import
from crossgate.dataplane.native_addresses import NativeRules
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.commented import write_commented
from crossgate.importers.kinds import KINDS, kind_named
from crossgate.importers.merge import MergedImport, merge_imported
from crossgate.importers.natives import split_native
from crossgate.importers.objects import api_key, listed
from crossgate.importers.result import Imported, ImportOptions
from crossgate.importers.selection import with_named_apis
from crossgate.importers.source import Source
from crossgate.service.import_findings import with_findings_of_result
from crossgate.service.imports import import_sources, natives_of


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Documents: files, http(s) URLs, or `-` for standard input. The name of a kind may come"
            " before them, such as `openapi`; else it is recognised. A file of that name is `./openapi`.",
        ),
    ],
    *,
    native: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[API=]URL",
            help="Base URL of the native service: of one API, by its name or `name/version`, or of all"
            " others. Repeatable.",
            show_default="as the documents say",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Origin that may call the APIs, besides those in the documents. Repeatable.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the API, if there is one only.")] = "",
    api_version: Annotated[
        str, typer.Option(metavar="VERSION", help="Version of the API, if there is one only.")
    ] = "",
    observe: Annotated[
        bool, typer.Option("--observe", help="Give policies `mode: observe`: nothing is refused yet.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Document to write. One that exists is edited: comments and other objects stay.",
            show_default="standard output",
        ),
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Take over the values of objects that exist, too. What the source does not state stays:"
            " owner, labels, accepted findings, origins if it has none.",
        ),
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Show what the import would change in a running gateway; write nothing."),
    ] = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    remote: Annotated[
        bool,
        typer.Option(
            "--remote",
            help="Follow references to other hosts, too: http and https, public addresses only.",
        ),
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder below which references may lead to files. Those of standard input count from it.",
            show_default="the document's folder; none for standard input",
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="List each value with its place and reason, and each place of a diagnostic."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make APIs, applications and policies of descriptions of APIs and configurations of gateways.

    Each value has a comment that says where it is from, and why. Allowed origins come from the documents and
    from --origin only. Without -o the document goes to standard output, and the report to standard error.
    """
    kind, named = _split_kind(sources)
    options = ImportOptions(
        _parse_natives(native or []), tuple(origin or ()), name or None, api_version or None, observe
    )
    to_file = output is not None and str(output) != "-"
    if plan and output is not None:
        raise _usage("options-exclude", "--plan writes no file", "Leave out --plan, or -o")
    if update and not (plan or to_file):
        raise _usage("options-exclude", "--update changes objects that exist", "Set -o FILE, or --plan")
    if root is not None and not root.is_dir():
        raise _usage("root-invalid", "--root is not a directory", "Name an existing folder", str(root))
    opened = _open(named, SourceOpener(root=root, remote=remote), kind_given=kind is not None)
    if plan:
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
            existing = _exported(api)
            imported, merged = _import(opened, kind, options, existing, update=update)
            document = with_named_apis(merged.written, existing).document
            planned = api.send("POST", "/v1/plan", {"apis": [], **document}).value
        report = ImportReport(imported, merged, kind is None, None, written=False)
        _show_plan(report, planned, verbose=verbose, as_json=as_json)
        return
    target = read_target(output) if to_file and output is not None else None
    existing = Catalogue() if target is None else target.catalogue
    imported, merged = _import(opened, kind, options, existing, update=update)
    written = target is not None and write_target(target, merged)
    report = ImportReport(imported, merged, kind is None, None if target is None else str(output), written)
    _show(report, target, verbose=verbose, as_json=as_json)
    raise typer.Exit(1 if _has_warnings(imported) else 0)


def _split_kind(arguments: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """The kind, if the first argument names one and others follow; and the sources."""
    if len(arguments) > 1 and kind_named(arguments[0]) is not None:
        return arguments[0], arguments[1:]
    return None, arguments


def _parse_natives(values: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        api, url = split_native(value)
        if api in found:
            what = f"for {api}" if api else "for all APIs"
            raise _usage("native-repeated", f"--native is given twice {what}", "Keep one of them", value)
        found[api] = url
    return found


def _open(names: Sequence[str], opener: SourceOpener, *, kind_given: bool) -> list[Source]:
    opened: list[Source] = []
    errors: list[Diagnostic] = []
    for index, name in enumerate(names):
        try:
            opened.append(opener.open_named(name, sys.stdin.buffer))
        except InvalidInput as invalid:
            errors += invalid.diagnostics
            if kind_named(name) is not None and errors[-1].code == "file-unreadable":
                where = "a document after it" if len(names) == 1 else "it once, before the documents"
                errors[-1] = replace(errors[-1], remedy=f"Name {where}: {name} is a kind of document")
            elif index == 0 and len(names) > 1 and not kind_given and name.isidentifier():
                kinds = ", ".join(one.name for one in KINDS)
                errors[-1] = replace(errors[-1], remedy=f"{errors[-1].remedy}; or name a kind: {kinds}")
    if errors:
        raise InvalidInput(errors)
    return opened


def _import(
    sources: Sequence[Source], kind: str | None, options: ImportOptions, existing: Catalogue, *, update: bool
) -> tuple[Imported, MergedImport]:
    try:
        natives = natives_of(existing)
        imported = import_sources(sources, kind, replace(options, existing_natives=natives), existing.gateway)
    except InvalidInput as invalid:
        # An error is read last in a terminal, where many warnings would hide it.
        found = sorted(invalid.diagnostics, key=lambda one: one.severity is Severity.ERROR)
        raise InvalidInput(found) from invalid
    merged = merge_imported(existing, imported, update=update)
    refused = NativeRules.of(existing.gateway).find(_natives(merged), Severity.ERROR)
    if refused:
        raise InvalidInput(refused)
    return imported, with_findings_of_result(merged)


def _natives(merged: MergedImport) -> Iterator[tuple[Place, NativeService]]:
    """The native services that are written, and their places in the documents."""
    places = {one.path: one.place for one in merged.written.taken if one.path[2:] == ("native",)}
    for index, raw in enumerate(listed(merged.written.document, "apis")):
        path = ("apis", index, "native")
        yield places.get(path) or Place(path), merged.catalogue.apis[api_key(raw)].native


def _exported(api: AdminApiClient) -> Catalogue:
    reading = read_document(api.get("/v1/export").text)
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return reading.catalogue


def _show(report: ImportReport, target: ImportTarget | None, *, verbose: bool, as_json: bool) -> None:
    if as_json:
        print_json(import_as_json(report))
        return
    if target is None:
        sys.stdout.write(write_commented(report.merged.written))
        sys.stdout.flush()
        print_import(stderr(), report, verbose=verbose)
        return
    console = stdout()
    print_import(console, report, verbose=verbose)
    file = shlex.quote(str(target.path))
    console.print(
        printable(
            f"Next: crossgate check {file}, then crossgate run {file}, "
            f"or crossgate plan {file} for a running gateway"
        )
    )


def _show_plan(report: ImportReport, planned: Any, *, verbose: bool, as_json: bool) -> None:
    if as_json:
        print_json({**import_as_json(report), "plan": planned})
    else:
        # The plan has the linter's findings.
        written = replace(report.merged.written, findings=())
        merged = replace(report.merged, written=written)
        print_import(stderr(), replace(report, merged=merged), verbose=verbose)
        print_plan(stdout(), planned)
    refused = any(finding["refuses"] for finding in planned["findings"])
    warned = _has_warnings(report.imported)
    raise typer.Exit(2 if refused else 1 if planned["changes"] or warned else 0)


def _has_warnings(imported: Imported) -> bool:
    return any(one.severity is Severity.WARNING for one in imported.diagnostics)


def _usage(code: str, message: str, remedy: str, found: str | None = None) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])
