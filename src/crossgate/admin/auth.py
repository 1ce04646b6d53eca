"""Authentication by bearer token, and the role that each operation requires."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crossgate.admin.auth_throttle import LONGEST_DELAY, AuthThrottle
from crossgate.admin.context import Context
from crossgate.admin.errors import Problem, RoleInsufficient, TokenLimited
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import StoreUnavailable
from crossgate.service.log import Log, LogLimit
from crossgate.service.permission import Role
from crossgate.service.tokens import Token, Tokens

LIVENESS: Final = "/live"
_SECRET: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_BEARER: Final = re.compile(rf"bearer +({_SECRET.pattern})", re.IGNORECASE)
_TOKEN: Final = "crossgate_token"
_READ_ALL_EVERY: Final = 1.0
"""Seconds between two reads of all tokens, for requests whose token may not be looked up."""


class Authentication:
    """ASGI middleware that answers 401 to every request without a valid token, except for liveness.

    It runs before routing, so that the response without a token does not depend on the path or the method.
    """

    def __init__(self, app: ASGIApp, check: CredentialCheck) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request if its token is valid; answer it otherwise."""
        if scope["path"] == LIVENESS:
            await self._app(scope, receive, send)
            return
        values = Headers(scope=scope).getlist("authorization")
        if not values:
            await _TOKEN_MISSING.response()(scope, receive, send)
            return
        bearer = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
        found = await self._check.find_token(bearer[1] if bearer else "", client_address(scope))
        if isinstance(found, Token):
            scope.setdefault("state", {})[_TOKEN] = found
            await self._app(scope, receive, send)
            return
        await found.response()(scope, receive, send)


class CredentialCheck:
    """Checks tokens; delays and limits those who fail. One for the API and for sign-ins."""

    def __init__(self, tokens: Tokens, throttle: AuthThrottle | None = None) -> None:
        self._tokens = tokens
        self.throttle = AuthThrottle() if throttle is None else throttle
        self._log = Log("admin")
        self._log_limit = LogLimit()
        self._read_all_at = -_READ_ALL_EVERY

    async def find_token(self, secret: str, address: str) -> Token | Problem:
        """The valid token with this secret, or the response to a client that has none."""
        token = await self._authenticate(secret, address) if _SECRET.fullmatch(secret) else None
        return token if token is not None else await self.reject(address)

    async def _authenticate(self, secret: str, address: str) -> Token | None:
        """The valid token with this secret. After too many failures, only those in memory are looked up.

        Then a guess costs a hash, and all guesses together one read of all tokens a second, which finds what
        another control plane has created meanwhile. So strangers cannot lock a valid token out.
        """
        if not self.throttle.may_look_up(address) and not self._tokens.is_known(secret):
            await self._read_all()
            if not self._tokens.is_known(secret):
                return None
        # Looked up by the SHA-256 of the secret: the duration of the look-up can leak bits of a digest only,
        # from which no secret can be derived.
        return await run_in_threadpool(self._tokens.authenticate, secret)

    async def _read_all(self) -> None:
        now = monotonic()
        if now - self._read_all_at < _READ_ALL_EVERY:
            return
        self._read_all_at = now
        # Without the database, memory stays as it is.
        with suppress(StoreUnavailable):
            await run_in_threadpool(self._tokens.all)

    async def reject(self, address: str) -> Problem:
        """The response to a failure, which is counted; after the delay."""
        exhausted = not self.throttle.may_look_up(address)
        failures = self.throttle.record_failure(address)
        omitted = self._log_limit.admit()
        if omitted is not None:
            self._log.warning("Authentication failed", address=address, failures=failures, omitted=omitted)
        if exhausted:
            return _TOO_MANY_FAILURES
        with self.throttle.delay(address) as seconds:
            if seconds is None:
                return _TOO_MANY_FAILURES
            await asyncio.sleep(seconds)
        return _TOKEN_INVALID


_scheme = HTTPBearer(auto_error=False, description="A token created by `crossgate token create`.")


def client_address(scope: Scope) -> str:
    """The address of a request's client."""
    return str((scope.get("client") or ("unknown",))[0])


def token_state(token: Token) -> dict[str, object]:
    """The state of a request that was authenticated with the token."""
    return {_TOKEN: token}


def caller_of(request: Request) -> Token:
    """The token with which the request was authenticated."""
    token: Token = getattr(request.state, _TOKEN)
    return token


class _RequireRole:
    def __init__(self, role: Role) -> None:
        self._role = role

    async def __call__(self, request: Request, _: Annotated[object, Security(_scheme)]) -> Token:
        token = caller_of(request)
        if not token.role.includes(self._role):
            raise RoleInsufficient(self._role, token)
        return token


Viewer = Annotated[Token, Depends(_RequireRole(Role.VIEWER))]
Editor = Annotated[Token, Depends(_RequireRole(Role.EDITOR))]
Admin = Annotated[Token, Depends(_RequireRole(Role.ADMIN))]


async def _require_no_limit(token: Viewer) -> Token:
    if token.permission.limited:
        raise TokenLimited(token)
    return token


async def _require_writable(context: Context) -> None:
    # Before the rest of the request is validated: on a read-only catalogue no other advice helps.
    context.service.store.require_writable()


UnlimitedViewer = Annotated[Token, Depends(_require_no_limit)]
"""For what shows the whole catalogue: history, and earlier revisions."""
Writable = Annotated[None, Depends(_require_writable)]


_TOKEN_MISSING: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    [
        Diagnostic(
            "token-missing", "the admin API requires a token", "Send the header Authorization: Bearer cgt_…"
        )
    ],
    headers={"WWW-Authenticate": "Bearer"},
)
_TOKEN_INVALID: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    [
        Diagnostic(
            "token-refused",
            "invalid token: unknown, expired or revoked",
            "Use another token, or create one: crossgate token create",
        )
    ],
    headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
)
_TOO_MANY_FAILURES: Final = Problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    [
        Diagnostic(
            "token-tries",
            "too many failed authentications from this address",
            f"Retry in {LONGEST_DELAY:.0f} s, with a valid token",
        )
    ],
    headers={"Retry-After": f"{LONGEST_DELAY:.0f}"},
)
