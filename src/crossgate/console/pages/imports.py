"""Import: a document is checked, planned and applied; and the current one is exported."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.difference import differences
from crossgate.console.form_body import MAX_DOCUMENT_FORM
from crossgate.console.imports import KINDS, DocumentKind, checked, digest, kind_of, normalised
from crossgate.console.page import Page, page
from crossgate.console.settings_effect import plan_effect

_MOST_DIFFERENCES: Final = 100
_MOST_FINDINGS: Final = 200


async def show_import(found: Page) -> Response:
    """The empty form."""
    return await _show(found, "", prune=False)


async def plan_import(found: Page) -> Response:
    """What the document would change, or what is wrong with it."""
    form = await found.form()
    text = normalised(form.get("document", ""))
    return await _planned(found, text, prune="prune" in form, reason=form.get("message", ""))


async def apply_import(found: Page) -> Response:
    """Apply the document, if it is the one that was planned and nothing was changed since."""
    form = await found.form()
    text, prune = normalised(form.get("document", "")), "prune" in form
    reason = form.get("message", "")
    if form.get("planned") != _fingerprint(text, prune=prune):
        return await _planned(found, text, prune=prune, reason=reason, note="edited")
    answer = await found.api.call(
        "POST",
        kind_of(text).apply,
        query={
            "prune": "true" if prune else None,
            "message": reason,
            "confirm": "true" if "confirm" in form else None,
        },
        body=text,
        headers={"If-Match": form.get("etag", "")},
    )
    if answer.ok:
        return found.redirect(f"/changes/{answer.revision}?done={answer.revision}")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return await _planned(found, text, prune=prune, reason=reason, note="moved")
    problem = ApiProblem(answer)
    if problem.unconfirmed:
        return await _planned(found, text, prune=prune, reason=reason, note="unconfirmed")
    return await _show(found, text, prune=prune, reason=reason, problem=problem)


def _fingerprint(text: str, *, prune: bool) -> str:
    return digest(f"{prune}\n{text}")


async def _planned(found: Page, text: str, *, prune: bool, reason: str, note: str = "") -> Response:
    if not text.strip():
        return await _show(found, text, prune=prune, reason=reason, note="empty")
    kind = kind_of(text)
    query = {"prune": "true" if prune else None}
    answer = await found.api.call("POST", kind.plan, query=query, body=text)
    if answer.ok:
        status = HTTPStatus.CONFLICT if note in ("moved", "unconfirmed") else HTTPStatus.OK
        plan = {**answer.json, "etag": answer.etag, "planned": _fingerprint(text, prune=prune)}
        return await _show(
            found, text, prune=prune, reason=reason, kind=kind, plan=plan, note=note, status=status
        )
    problem = ApiProblem(answer)
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return await _show(found, text, prune=prune, reason=reason, problem=problem)
    # The check reports each error with its line.
    answer = await found.api.call("POST", kind.check, query=query, body=text)
    if not answer.ok:
        return await _show(found, text, prune=prune, reason=reason, problem=ApiProblem(answer))
    check = checked(answer.json, text)
    return await _show(found, text, prune=prune, reason=reason, kind=kind, check=check, status=problem.status)


async def _show(
    found: Page,
    text: str,
    *,
    prune: bool,
    reason: str = "",
    kind: DocumentKind | None = None,
    plan: dict[str, Any] | None = None,
    check: Any = None,
    problem: ApiProblem | None = None,
    note: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    changes = plan["changes"] if plan else []
    findings = plan["findings"] if plan else []
    return await found.show(
        "import/page.html",
        title="Import",
        call=f"POST {kind.plan if kind else KINDS[0].plan}",
        status=problem.status if problem else status,
        kinds=KINDS,
        kind=kind,
        text=text,
        prune=prune,
        reason=reason,
        plan=plan,
        effect=plan_effect(plan) if plan else None,
        difference=differences(changes[:_MOST_DIFFERENCES]),
        more=max(0, len(changes) - _MOST_DIFFERENCES),
        counts={one: sum(each["action"] == one for each in changes) for one in ("add", "change", "remove")},
        findings=findings[:_MOST_FINDINGS],
        refusing=sum(bool(one["refuses"]) for one in findings),
        check=check,
        problem=problem,
        note=note,
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
