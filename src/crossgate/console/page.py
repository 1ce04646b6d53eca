"""What every page gets: the request, the session, the API as the caller sees it, and how to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from crossgate.console.api import ApiProblem, InProcessApi
from crossgate.console.csrf import CSRF_FIELD, refuse_forged_write
from crossgate.console.form_body import MAX_FORM, UploadedFile, read_fields, read_form
from crossgate.console.navigation import SECTIONS
from crossgate.console.render import render
from crossgate.console.sent_values import whole_number
from crossgate.console.sign_in import session_of
from crossgate.console.toast import Toast, toast_of
from crossgate.service.permission import Role
from crossgate.service.sessions import Session

Endpoint = Callable[["Page"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One request of a signed-in browser."""

    request: Request
    session: Session
    api: InProcessApi

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of a repeated one, the last value."""
        return self.request.query_params

    def name(self, parameter: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[parameter])

    def may(self, role: Role) -> bool:
        """Whether the caller has the role, so that the page may offer what needs it."""
        return self.session.caller.role.includes(role)

    @property
    def wants_part(self) -> bool:
        """Whether htmx asks for a part of the page."""
        return self.request.headers.get("hx-request") == "true"

    async def form(self) -> dict[str, str]:
        """The fields of a form; of a repeated one, the last value."""
        return dict(await self.form_items())

    async def form_items(self) -> list[tuple[str, str]]:
        """All fields of a form, in order."""
        return await read_fields(self.request)

    async def file(self, name: str) -> UploadedFile | None:
        """The file that was chosen for a field of the form; None without one."""
        return (await read_form(self.request)).files.get(name)

    async def show(
        self,
        template: str,
        *,
        title: str,
        call: str,
        status: int = HTTPStatus.OK,
        large: bool = False,
        **values: Any,
    ) -> Response:
        """A whole page. ``call`` is the API call that gives the same, such as ``GET /v1/nodes``.

        A ``large`` one is rendered in a thread: it would hold the event loop for a tenth of a second.
        """
        frame = await self.api.get("/v1/status")
        toast = await self._toast(frame)
        values |= {"status": status, "title": title, "call": call, "frame": frame, "toast": toast}
        if large:
            return await run_in_threadpool(self.fragment, template, **values)
        return self.fragment(template, **values)

    async def _toast(self, frame: Mapping[str, Any]) -> Toast | None:
        """What ``?done=REVISION`` says was done just now."""
        done = whole_number(self.query.get("done", ""))
        if done is None:
            return None
        response = await self.api.call("GET", f"/v1/revisions/{done}")
        if response.ok:
            return toast_of(response.json, frame)
        if response.status == HTTPStatus.FORBIDDEN and done <= frame["revision"]:
            return toast_of({"number": done}, frame)  # callers with some APIs read no revisions
        return None

    def fragment(self, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
        """A part of a page."""
        return HTMLResponse(render(template, {**self._common(), **values}), status)

    def redirect(self, url: str) -> Response:
        """See another page, after a write."""
        if self.wants_part:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": url})
        return RedirectResponse(url, HTTPStatus.SEE_OTHER)

    async def problem(self, problem: ApiProblem) -> Response:
        """What the API refused: what is wrong, why, and the next step."""
        if self.wants_part:
            return self.fragment("parts/problem.html", status=problem.status, problem=problem)
        try:
            return await self.show(
                "problem.html", title="Error", call="", status=problem.status, problem=problem
            )
        except ApiProblem:
            return self.fragment("problem_alone.html", status=problem.status, problem=problem, title="Error")

    def _common(self) -> dict[str, Any]:
        caller, csrf = self.session.caller, self.session.csrf
        return {
            "caller": caller,
            "sections": SECTIONS,
            "path": self.request.url.path,
            "url": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "theme": theme_of(self.request),
            "may_edit": caller.role.includes(Role.EDITOR),
            "may_administer": caller.role.includes(Role.ADMIN),
            "csrf": csrf,
            "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(
                CSRF_FIELD, csrf
            ),
        }


def theme_of(request: Request) -> str:
    """The theme that the browser's user chose; empty: as the system."""
    theme = request.cookies.get("crossgate-theme", "")
    return theme if theme in ("light", "dark") else ""


def page(
    path: str, endpoint: Endpoint, *, methods: tuple[str, ...] = ("GET",), max_form: int = MAX_FORM
) -> Route:
    """A route of a page, for signed-in browsers; ``max_form`` is the size of its form, in bytes."""

    async def answer(request: Request) -> Response:
        session = session_of(request)
        refused = await refuse_forged_write(request, session.csrf, max_form)
        if refused is not None:
            return refused
        made = Page(request, session, request.app.state.call_api(session.caller))
        try:
            return await endpoint(made)
        except ApiProblem as problem:
            return await made.problem(problem)

    return Route(path, answer, methods=list(methods), name=endpoint.__name__)
