"""Opens sessions of the console for those who have a token or a sign-in link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool

from crossgate.admin.auth import CredentialCheck
from crossgate.admin.errors import Problem
from crossgate.diagnostics import Diagnostic
from crossgate.lint.rule import Finding
from crossgate.service.errors import SignInRefused
from crossgate.service.sessions import Session, Sessions
from crossgate.service.tokens import Token

_LINK_INVALID: Final = Diagnostic(
    "link-refused",
    "this link does not sign in: it was used, is older than 10 minutes, or is unknown",
    "Print a new one with crossgate console, or paste a token",
)


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins, with the limits on failed authentications that the API has.

    Its methods raise :class:`~crossgate.service.errors.SignInRefused`.
    """

    check: CredentialCheck
    sessions: Sessions

    async def by_token(self, secret: str, address: str, user_agent: str) -> tuple[str, Session]:
        """The cookie's secret, and the session of the token."""
        found = await self.check.find_token(secret, address)
        if not isinstance(found, Token):
            raise _refusal(found)
        return await run_in_threadpool(lambda: self.sessions.open(found, user_agent=user_agent))

    async def by_link(self, secret: str, address: str, user_agent: str) -> tuple[str, Session]:
        """The cookie's secret, and the session that the link opens."""
        may_look_up = self.check.throttle.may_look_up(address)
        opened = None
        if may_look_up:
            opened = await run_in_threadpool(self.sessions.open_by_link, secret, user_agent)
        if opened is None:
            problem = await self.check.reject(address)
            raise SignInRefused([_LINK_INVALID], 401) if may_look_up else _refusal(problem)
        return opened


def _refusal(problem: Problem) -> SignInRefused:
    found = [one.diagnostic if isinstance(one, Finding) else one for one in problem.diagnostics]
    return SignInRefused(found, problem.status.value)
