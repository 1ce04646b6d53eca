"""Use cases of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from crossgate.service.errors import NotFound
from crossgate.service.ports import TokenStore
from crossgate.service.token import Role, Token, digest_of, new_secret

USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""How exact ``last_used`` is: a write for every request would cost more than the request."""


def utc_now() -> datetime:
    """The time of day, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Creates, knows and revokes tokens."""

    store: TokenStore
    clock: Callable[[], datetime] = utc_now

    def create(self, name: str, role: Role, lifetime: timedelta | None = None) -> tuple[str, Token]:
        """A new token and its secret, which is nowhere else.

        Raises:
            Refusal: a token of this name still works.

        """
        now, secret = self.clock(), new_secret()
        token = Token(name, role, now, None if lifetime is None else now + lifetime)
        self.store.add_token(token, digest_of(secret))
        return secret, token

    def create_first(self) -> str | None:
        """The secret of a first admin token, if there is no token yet."""
        return None if self.store.tokens() else self.create("first", Role.ADMIN)[0]

    def all(self) -> Sequence[Token]:
        """Every token, those that no longer work too."""
        return self.store.tokens()

    def authenticate(self, secret: str) -> Token | None:
        """Whose secret this is, if the token works; its use is noted."""
        now, digest = self.clock(), digest_of(secret)
        token = self.store.find_token(digest)
        if token is None or not token.works(now):
            return None
        if token.last_used is None or now - token.last_used >= USE_NOTED_EVERY:
            self.store.touch_token(digest, now)
        return token

    def revoke(self, name: str) -> Token:
        """Let the token open nothing any more.

        Raises:
            NotFound: no token of this name works.

        """
        revoked = self.store.revoke_token(name, self.clock())
        if revoked is None:
            raise NotFound("token", name)
        return revoked
