"""Who may do what. Without a token that works, nothing is said but that the gateway lives."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crossgate.admin.auth_throttle import LONGEST_DELAY, AuthThrottle
from crossgate.admin.context import Context
from crossgate.admin.errors import Problem
from crossgate.service.log import Log
from crossgate.service.tokens import Role, Token, Tokens

LIVENESS: Final = "/live"
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,256})", re.IGNORECASE)
_TOKEN: Final = "crossgate_token"


class Authentication:
    """Knows every request's token before anything else looks at the request.

    It stands before the routes, so that without a token a path that is there and one that is not, a method
    that is allowed and one that is not, are all the same.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, throttle: AuthThrottle | None = None) -> None:
        self._app = app
        self._tokens = tokens
        self._throttle = AuthThrottle() if throttle is None else throttle
        self._log = Log("admin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request of a token that works pass."""
        if scope["path"] == LIVENESS:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("authorization")
        if not given:
            await _NO_TOKEN.response()(scope, receive, send)
            return
        bearer = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
        # Found by its SHA-256, so the time of the look-up says nothing about any other secret: whoever could
        # read it off would learn bits of a digest, from which no secret follows.
        token = await run_in_threadpool(self._tokens.authenticate, bearer[1]) if bearer else None
        if token is not None:
            scope.setdefault("state", {})[_TOKEN] = token
            await self._app(scope, receive, send)
            return
        problem = await self._slowly(str((scope.get("client") or ("unknown",))[0]))
        await problem.response()(scope, receive, send)

    async def _slowly(self, address: str) -> Problem:
        failures = self._throttle.failed(address)
        self._log.warning("The admin API refused a token", address=address, failures=failures)
        with self._throttle.waiting(address) as seconds:
            if seconds is None:
                return _TOO_MANY
            await asyncio.sleep(seconds)
        return _BAD_TOKEN


class RoleInsufficient(Exception):
    """The token's role does not include what was asked for."""

    def __init__(self, wanted: Role, token: Token) -> None:
        super().__init__(f"this needs the role {wanted.value}; the token {token.name} is {token.role.value}")


_scheme = HTTPBearer(auto_error=False, description="A token of `crossgate token create`.")


class _Needs:
    def __init__(self, role: Role) -> None:
        self._role = role

    async def __call__(self, request: Request, _: Annotated[object, Security(_scheme)]) -> Token:
        token: Token = getattr(request.state, _TOKEN)
        if not token.role.includes(self._role):
            raise RoleInsufficient(self._role, token)
        return token


async def _editor(token: Annotated[Token, Depends(_Needs(Role.EDITOR))], context: Context) -> Token:
    # Before anything about the request is judged: where nothing can be written, no other advice helps.
    context.service.store.require_writable()
    return token


Viewer = Annotated[Token, Depends(_Needs(Role.VIEWER))]
Editor = Annotated[Token, Depends(_editor)]
Admin = Annotated[Token, Depends(_Needs(Role.ADMIN))]

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_NO_TOKEN: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    "token-missing",
    "Send a token: Authorization: Bearer cgt_…",
    headers=_CHALLENGE,
)
_BAD_TOKEN: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    "token-refused",
    "This token opens nothing: it is unknown, expired or revoked",
    headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
)
_TOO_MANY: Final = Problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "token-tries",
    "Too many tokens that open nothing were tried from here",
    headers={"Retry-After": f"{LONGEST_DELAY:.0f}"},
)
