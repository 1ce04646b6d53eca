"""Import: a document of any kind is checked, planned and applied; and the current one is exported.

What is applied is always a Crossgate document. One that an import made stands in a field of its own, where it
can be edited, so that nothing has to be sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.difference import differences
from crossgate.console.form_body import MAX_DOCUMENT_FORM
from crossgate.console.import_report import ImportView, Refusal, import_report, refusal_report
from crossgate.console.imports import (
    CROSSGATE,
    SentDocument,
    digest,
    import_query,
    is_crossgate,
    may_be_crossgate,
    normalised,
    sent_document,
)
from crossgate.console.page import Page, page
from crossgate.console.settings_effect import plan_effect

_MOST_DIFFERENCES: Final = 100
_MOST_FINDINGS: Final = 200
_LARGE: Final = 64 * 1024
"""Bytes of a document whose page is rendered in a thread."""
_UNNAMED: Final = "document"
"""How diagnostics name what was pasted."""
_PLAN, _IMPORT = "POST /v1/plan", "POST /v1/import"
_FIELDS: Final = dict.fromkeys(("kind", "native", "origin", "name", "version", "observe", "update"), "")
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page shows besides its form."""

    kind: str = ""
    """The kind as which the document was read."""
    call: str = _PLAN
    plan: dict[str, Any] | None = None
    report: ImportView | None = None
    imported: str = ""
    """The Crossgate document that an import made."""
    check: Refusal | None = None
    problem: ApiProblem | None = None
    note: str = ""
    status: int = HTTPStatus.OK
    missing: frozenset[str] = field(default_factory=frozenset)
    """Fields that the document needs."""


async def show_import(found: Page) -> Response:
    """The empty form."""
    return await _show(found, {}, SentDocument(b""), _Shown())


async def plan_import(found: Page) -> Response:
    """What the document would change, or what is wrong with it."""
    form = await found.form()
    document = sent_document(form, await found.file("upload"))
    if not document.data.strip():
        return await _show(found, form, document, _Shown(note="empty"))
    kind = form.get("kind", "")
    if kind == CROSSGATE["name"] or (not kind and is_crossgate(document)):
        return await _show(found, form, document, await _planned(found, form, document))
    return await _show(found, form, document, await _imported(found, form, document, kind))


async def apply_import(found: Page) -> Response:
    """Apply the Crossgate document, if it is the one that was planned and nothing was changed since."""
    form = await found.form()
    text, prune = normalised(form.get("document", "")), "prune" in form
    document = SentDocument(text.encode("utf-8", "surrogatepass"), pasted=True)
    if form.get("planned") != _fingerprint(text, prune=prune):
        return await _show(found, form, document, await _planned(found, form, document, note="edited"))
    answer = await found.api.call(
        "POST",
        "/v1/apply",
        query={
            "prune": "true" if prune else None,
            "message": form.get("message", ""),
            "confirm": "true" if "confirm" in form else None,
        },
        body=document.data,
        headers={"If-Match": form.get("etag", "")},
    )
    if answer.ok:
        return found.redirect(f"/changes/{answer.revision}?done={answer.revision}")
    problem = ApiProblem(answer)
    if answer.status == HTTPStatus.PRECONDITION_FAILED or problem.unconfirmed:
        note = "unconfirmed" if problem.unconfirmed else "moved"
        return await _show(found, form, document, await _planned(found, form, document, note=note))
    return await _show(found, form, document, _Shown(problem=problem))


def _fingerprint(text: str, *, prune: bool) -> str:
    return digest(f"{prune}\n{text}")


async def _imported(found: Page, form: Form, document: SentDocument, kind: str) -> _Shown:
    """What becomes of a document of another kind."""
    name = document.name or _UNNAMED
    answer = await found.api.call(
        "POST", "/v1/import", query=import_query(form, kind, name), body=document.data
    )
    if answer.ok:
        body = answer.json
        report = await run_in_threadpool(import_report, body, document.text, name)
        planned = _fingerprint(body["document"], prune=False)
        plan = {**body["plan"], "etag": answer.etag, "planned": planned}
        return _Shown(body["kind"], _IMPORT, plan, report, body["document"])
    problem = ApiProblem(answer)
    codes = {one["code"] for one in problem.diagnostics}
    if not kind and "kind-unknown" in codes and may_be_crossgate(document):
        return await _planned(found, form, document)
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY or not problem.diagnostics:
        return _Shown(kind, _IMPORT, problem=problem)
    check = await run_in_threadpool(refusal_report, problem.diagnostics, document.text, name)
    missing = frozenset({"native"} if "native-missing" in codes else ())
    return _Shown(kind, _IMPORT, check=check, status=problem.status, missing=missing)


async def _planned(found: Page, form: Form, document: SentDocument, *, note: str = "") -> _Shown:
    """What a Crossgate document would change."""
    prune = "prune" in form
    query = {"prune": "true" if prune else None}
    answer = await found.api.call("POST", "/v1/plan", query=query, body=document.data)
    kind = CROSSGATE["name"]
    if answer.ok:
        status = HTTPStatus.CONFLICT if note in ("moved", "unconfirmed") else HTTPStatus.OK
        planned = _fingerprint(normalised(document.text or ""), prune=prune)
        plan = {**answer.json, "etag": answer.etag, "planned": planned}
        return _Shown(kind, plan=plan, note=note, status=status)
    problem = ApiProblem(answer)
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return _Shown(kind, problem=problem)
    # The check reports each error with its line.
    answer = await found.api.call("POST", "/v1/check", query=query, body=document.data)
    if not answer.ok:
        return _Shown(kind, problem=ApiProblem(answer))
    diagnostics = answer.json["diagnostics"]
    check = await run_in_threadpool(refusal_report, diagnostics, document.text, _UNNAMED)
    return _Shown(kind, check=check, status=problem.status)


async def _show(found: Page, form: Form, document: SentDocument, shown: _Shown) -> Response:
    kinds = (await found.api.get("/v1/import/kinds"))["items"]
    plan = shown.plan
    changes = plan["changes"] if plan else []
    findings = plan["findings"] if plan else []
    return await found.show(
        "import/page.html",
        title="Import",
        call=shown.call,
        large=len(document.data) > _LARGE,
        status=shown.problem.status if shown.problem else shown.status,
        shown=shown,
        kinds=[CROSSGATE, *kinds],
        kind=next((one for one in [CROSSGATE, *kinds] if one["name"] == shown.kind), None),
        form={**_FIELDS, **form},
        document=document,
        text=document.text or "",
        prune="prune" in form,
        reason=form.get("message", ""),
        plan=plan,
        effect=plan_effect(plan) if plan else None,
        difference=differences(changes[:_MOST_DIFFERENCES]),
        more=max(0, len(changes) - _MOST_DIFFERENCES),
        counts={one: sum(each["action"] == one for each in changes) for one in ("add", "change", "remove")},
        findings=findings[:_MOST_FINDINGS],
        refusing=sum(bool(one["refuses"]) for one in findings),
        report=shown.report,
        check=shown.check,
        problem=shown.problem,
        note=shown.note,
    )


async def export_document(found: Page) -> Response:
    """The current document as a download."""
    answer = await found.api.read("GET", "/v1/export")
    revision = answer.etag.strip('"')
    headers = {"Content-Disposition": f'attachment; filename="crossgate-{revision}.yaml"'}
    return Response(answer.body, media_type="application/yaml", headers=headers)


routes: Final[list[BaseRoute]] = [
    page("/import", show_import),
    page("/import", plan_import, methods=("POST",), max_form=MAX_DOCUMENT_FORM),
    page("/import/apply", apply_import, methods=("POST",), max_form=MAX_DOCUMENT_FORM),
    page("/import/export", export_document),
]
