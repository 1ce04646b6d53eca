"""Bearer tokens: who may do what through the admin API. Secrets are shown once and kept only as hashes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from threading import Lock
from typing import Final, Protocol

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import NotFound, ServiceError


class Role(StrEnum):
    """What the bearer may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    """Read everything but tokens."""
    EDITOR = "editor"
    """Change the catalogue."""
    ADMIN = "admin"
    """Create and revoke tokens."""

    def includes(self, other: Role) -> bool:
        """Whether it may do all that ``other`` may."""
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept; times are UTC."""

    name: str
    role: Role
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None

    def works(self, at: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked is None and (self.expires is None or at < self.expires)


_PREFIX: Final = "cgt_"
"""Lets people and secret scanners see what it is."""


def new_secret() -> str:
    """256 random bits, as text."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret.

    A plain hash is enough: nobody guesses 256 random bits, so there is nothing to slow down.
    """
    return sha256(secret.encode()).hexdigest()


class TokenStore(Protocol):
    """Keeps tokens by the hash of their secret; raises as :class:`CatalogueStore` does."""

    def add_token(self, token: Token, digest: str) -> None:
        """Keep a new token.

        Raises:
            ServiceError: there is a token of this name that still works.

        """
        ...

    def tokens(self) -> Sequence[Token]:
        """Every token, revoked and expired ones too, oldest first."""
        ...

    def find_token(self, digest: str) -> Token | None:
        """The token with that hash; from memory while the database cannot be reached."""
        ...

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the working token of that name; None if there is none."""
        ...

    def touch_token(self, digest: str, at: datetime) -> None:
        """Note that the token was used; nothing happens if the database cannot be reached."""
        ...


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
            ServiceError: a token of this name still works.

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


class InMemoryTokenStore:
    """A :class:`~crossgate.service.tokens.TokenStore` in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}

    def add_token(self, token: Token, digest: str) -> None:
        """Keep a new token, unless one of its name works."""
        with self._lock:
            if self._working(token.name, token.created) is not None:
                raise ServiceError([_taken(token.name)])
            self._tokens[digest] = token

    def tokens(self) -> Sequence[Token]:
        """Every token, oldest first."""
        return tuple(self._tokens.values())

    def find_token(self, digest: str) -> Token | None:
        """The token with that hash."""
        return self._tokens.get(digest)

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the working token of that name."""
        with self._lock:
            digest = self._working(name, at)
            if digest is None:
                return None
            self._tokens[digest] = replace(self._tokens[digest], revoked=at)
            return self._tokens[digest]

    def touch_token(self, digest: str, at: datetime) -> None:
        """Note that the token was used."""
        with self._lock:
            self._tokens[digest] = replace(self._tokens[digest], last_used=at)

    def _working(self, name: str, at: datetime) -> str | None:
        found = (digest for digest, one in self._tokens.items() if one.name == name and one.works(at))
        return next(found, None)


def _taken(name: str) -> Diagnostic:
    return Diagnostic(
        code="token-name-taken",
        message="a token of this name works already",
        found=name,
        remedy="Choose another name, or revoke that token first",
    )
