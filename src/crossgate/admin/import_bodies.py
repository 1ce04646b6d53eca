"""What an import makes of a document, as it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from crossgate.admin.errors import DiagnosticBody
from crossgate.admin.responses import shown_diagnostics
from crossgate.admin.routes.documents import PlanBody
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.kind import Kind
from crossgate.importers.merge import ExistingObject
from crossgate.importers.objects import identify
from crossgate.importers.result import Imported, ImportFinding, Taken

_OPTIONS: Final[Mapping[str, str]] = {
    "--native": "native",
    "--origin": "origin",
    "--name": "name",
    "--api-version": "version",
}
"""The query parameters of the options that places name."""


class ImportKindBody(BaseModel):
    """A kind of document that can be imported."""

    name: str
    """For the parameter `kind`."""
    title: str
    sentence: str
    """What is imported from one."""


class ImportKindsBody(BaseModel):
    """The kinds of documents, in the order in which they are tried."""

    items: list[ImportKindBody]


class TakenBody(BaseModel):
    """A value of the resulting document, and where it comes from."""

    kind: str
    """Of the object that has it: `api`, `application` or `settings`, as in the plan."""
    key: str
    path: str
    """JSONPath into `document`."""
    value: Any
    reason: str
    """One phrase: `request body of POST /pets`."""
    places: int
    """How many places say so."""
    file: str | None
    """The document, or the member of an archive; null if no document says so."""
    line: int | None
    """Of the first place that says so; null if no document does, or it has no lines."""
    column: int | None
    source_path: str | None
    """JSONPath into the imported document."""


class ImportFindingBody(DiagnosticBody):
    """A finding of the linter, placed in the imported document."""

    document_path: str
    """JSONPath into `document`."""


class LeftOutBody(TakenBody):
    """An entry of a list that is left out for lint errors; `path` is where it stood."""

    findings: list[ImportFindingBody]


class KeptValueBody(BaseModel):
    """A value that the imported document states, and another one that the object has."""

    path: str
    """JSONPath into the object."""
    existing: Any
    """Null if the object does not have it."""
    imported: Any


class KeptObjectBody(BaseModel):
    """An object that exists, and stays as it is."""

    kind: str
    key: str
    differences: list[KeptValueBody]
    """What `update=true` would take over."""


class ImportBody(BaseModel):
    """What an import would change. Nothing is changed by it: apply `document`."""

    kind: str
    """The name of the kind of document."""
    title: str
    document: str
    """A Crossgate document, YAML with comments: the objects that would be added or changed, each in full,
    and the APIs that its applications name. Send it to `POST /v1/apply` with the `ETag` of this response as
    `If-Match`."""
    taken: list[TakenBody]
    """Where each value of `document` comes from."""
    left_out: list[LeftOutBody]
    diagnostics: list[DiagnosticBody]
    """What could not be taken over exactly (`warning`), and what behaves differently (`info`), with places in
    the imported document."""
    findings: list[ImportFindingBody]
    """The linter's warnings for what is imported; `plan` has those for what would change."""
    kept: list[KeptObjectBody]
    """Objects that exist already and stay as they are."""
    plan: PlanBody
    """What applying `document` would change."""


def kind_body(kind: Kind) -> ImportKindBody:
    """A kind as it is sent."""
    return ImportKindBody(name=kind.name, title=kind.title, sentence=kind.sentence)


def taken_bodies(imported: Imported) -> list[TakenBody]:
    """What was taken over, as it is sent."""
    return [TakenBody.model_validate(_origin(one, imported.document)) for one in imported.taken]


def left_out_bodies(imported: Imported) -> list[LeftOutBody]:
    """What was left out, as it is sent."""
    return [
        LeftOutBody.model_validate(
            {**_origin(one, imported.document), "findings": finding_bodies(one.findings)}
        )
        for one in imported.left_out
    ]


def finding_bodies(findings: Sequence[ImportFinding]) -> list[ImportFindingBody]:
    """Findings as they are sent."""
    return [
        ImportFindingBody.model_validate(replace(one, diagnostic=in_request(one.diagnostic)).as_json())
        for one in findings
    ]


def diagnostic_bodies(diagnostics: Sequence[Diagnostic]) -> list[DiagnosticBody]:
    """Diagnostics as they are sent."""
    shown = shown_diagnostics([in_request(one) for one in diagnostics])
    return [DiagnosticBody.model_validate(one.as_json()) for one in shown]


def kept_bodies(kept: Sequence[ExistingObject]) -> list[KeptObjectBody]:
    """Objects that stay as they are, as they are sent."""
    return [KeptObjectBody.model_validate(one.as_json()) for one in kept]


def refusals(diagnostics: Sequence[Diagnostic], kind: str | None) -> list[Diagnostic]:
    """Why the document named as of that kind is not imported: what refuses it comes first."""
    placed = [
        replace(one, place=Place(("query", "kind")))
        if kind is not None and one.code == "kind-unknown"
        else in_request(one)
        for one in diagnostics
    ]
    return sorted(placed, key=lambda one: one.severity is not Severity.ERROR)


def in_request(found: Diagnostic) -> Diagnostic:
    """The diagnostic, placed at the query parameter if it is about an option."""
    parameter = _OPTIONS.get(found.place.file or "")
    return found if parameter is None else replace(found, place=Place(("query", parameter)))


def _origin(one: Taken, document: Mapping[str, object]) -> dict[str, object]:
    kind, key = identify(document, one.path)
    return {"kind": kind, "key": key, **one.as_json()}
