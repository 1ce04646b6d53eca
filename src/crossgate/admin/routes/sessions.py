"""Routes of sessions of the console, of links that open one, and of the caller."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Path as InPath
from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.errors import RoleInsufficient
from crossgate.admin.responses import json_response, read_response
from crossgate.service.errors import NotFound
from crossgate.service.permission import Role
from crossgate.service.sessions import Session, SignInMethod
from crossgate.service.tokens import Token

router = resource_router("Sessions")


class SessionBody(BaseModel):
    """A session of the console. It ends when it expires, after 2 hours without use, or with its token."""

    id: str
    name: str
    """The author of what it changes: the name of the token, or `console link`."""
    role: Role
    apis: list[str]
    """The APIs that it is limited to; empty: all."""
    method: SignInMethod
    created: datetime
    last_used: datetime
    expires: datetime
    user_agent: str
    """As the browser sent it, shortened to 300 characters."""


class SessionList(BaseModel):
    """Sessions that have not ended, the oldest first."""

    items: list[SessionBody]


class EndedSessionsBody(BaseModel):
    """How many sessions were ended."""

    ended: int


class SignInLinkBody(BaseModel):
    """What opens one session of the console, once."""

    secret: str
    """Open `/sign-in#once=SECRET` at the address of the console. Only its hash is stored."""
    expires: datetime


class MeBody(BaseModel):
    """The caller: a token, or a session of the console."""

    name: str
    role: Role
    apis: list[str]
    """The APIs that it is limited to; empty: all."""
    created: datetime
    expires: datetime | None


@router.get("/v1/me", response_model=MeBody)
def read_me(request: Request, caller: Viewer) -> Response:
    """The caller's name, role and limit."""
    body = MeBody(
        name=caller.name,
        role=caller.role,
        apis=list(caller.apis),
        created=caller.created,
        expires=caller.expires,
    )
    return read_response(request, body)


@router.get("/v1/sessions", response_model=SessionList)
def list_sessions(request: Request, context: Context, caller: Viewer) -> Response:
    """The sessions of the caller's name; for admins, all. The oldest first."""
    found = [_body(one) for one in context.sessions.all() if _is_visible(one, caller)]
    # A browser can send any bytes as its name.
    return read_response(request, SessionList(items=found), in_ascii=True)


@router.delete("/v1/sessions", response_model=EndedSessionsBody)
def end_sessions(
    context: Context,
    caller: Viewer,
    *,
    everyone: Annotated[bool, Query(description="End the sessions of all callers; for admins.")] = False,
) -> Response:
    """Sign out everywhere: end all sessions of the caller's name."""
    if everyone and caller.role is not Role.ADMIN:
        raise RoleInsufficient(Role.ADMIN, caller)
    ended = context.sessions.end_all(None if everyone else caller.name)
    return json_response(EndedSessionsBody(ended=ended))


@router.delete("/v1/sessions/{session_id}", response_model=SessionBody)
def end_session(
    context: Context,
    caller: Viewer,
    session_id: Annotated[str, InPath(pattern="^[0-9a-f]{12}$")],
) -> Response:
    """End a session, at once and on every control plane."""
    visible = (one for one in context.sessions.all() if _is_visible(one, caller) and one.id == session_id)
    found = next(visible, None)
    if found is None or not context.sessions.end(session_id):
        raise NotFound("session", session_id)
    return json_response(_body(found), in_ascii=True)


@router.post("/v1/sign-in-links", response_model=SignInLinkBody, status_code=201)
def create_sign_in_link(context: Context, caller: Viewer) -> Response:
    """A link that opens a session of this token, once and within 10 minutes; it replaces an earlier one."""
    secret, expires = context.sessions.create_link(caller)
    return json_response(SignInLinkBody(secret=secret, expires=expires), status=HTTPStatus.CREATED)


def _is_visible(session: Session, caller: Token) -> bool:
    return caller.role is Role.ADMIN or session.caller.name == caller.name


def _body(session: Session) -> SessionBody:
    return SessionBody(
        id=session.id,
        name=session.caller.name,
        role=session.caller.role,
        apis=list(session.caller.apis),
        method=session.method,
        created=session.created,
        last_used=session.last_used,
        expires=session.expires,
        user_agent=session.user_agent,
    )
