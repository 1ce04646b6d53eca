"""Bearer tokens for the admin API. A secret is shown once, and stored only as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Final, Protocol

from crossgate.diagnostics import InvalidInput
from crossgate.service.errors import NotFound, TokenNameTaken
from crossgate.service.permission import Permission, Role, find_limit_errors
from crossgate.service.ports import utc_now

USE_RECORDED_EVERY: Final = timedelta(minutes=1)
"""Resolution of ``last_used``: a write for every request would cost more than the request."""
_PREFIX: Final = "cgt_"
"""Lets people and secret scanners recognise a token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token, without its secret. Times are UTC."""

    name: str
    role: Role
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None
    apis: tuple[str, ...] = ()
    """The APIs that it is limited to, as in :class:`Permission`; empty: all."""

    @property
    def permission(self) -> Permission:
        """What the token permits while it is valid."""
        return Permission(self.role, self.apis)

    def valid(self, at: datetime) -> bool:
        """Whether the token is neither expired at that time nor revoked."""
        return self.revoked is None and (self.expires is None or at < self.expires)


class TokenStore(Protocol):
    """Stores tokens by the digest of their secret.

    Methods that need the database raise :class:`~crossgate.service.errors.StoreUnavailable` if it fails.
    """

    def add_token(self, token: Token, digest: str) -> None:
        """Store a new token.

        Raises:
            TokenNameTaken: a valid token has the same name.

        """
        ...

    def tokens(self) -> Sequence[Token]:
        """Every token, revoked and expired ones included, oldest first."""
        ...

    def find_token(self, digest: str) -> Token | None:
        """The token with that digest; from memory while the database cannot be reached."""
        ...

    def known_token(self, digest: str) -> Token | None:
        """The token with that digest as it was when it was last read; from memory, without waiting."""
        ...

    def find_token_named(self, name: str, created: datetime) -> Token | None:
        """The token of that name that was created at that time; without the database, from memory."""
        ...

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the valid token of that name; None if there is none."""
        ...

    def touch_token(self, digest: str, at: datetime) -> None:
        """Record the time of the token's last use; does nothing while the database cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """The use cases of tokens: create, authenticate, list, revoke."""

    store: TokenStore
    clock: Callable[[], datetime] = utc_now

    def create(
        self, name: str, role: Role, lifetime: timedelta | None = None, apis: Sequence[str] = ()
    ) -> tuple[str, Token]:
        """A new secret and its token. The secret cannot be recovered later.

        Raises:
            TokenNameTaken: a valid token has the same name.
            InvalidInput: ``apis`` cannot limit a token with this role.

        """
        errors = list(find_limit_errors(apis, role))
        if errors:
            raise InvalidInput(errors)
        now, secret = self.clock(), generate_secret()
        expires = None if lifetime is None else now + lifetime
        token = Token(name, role, now, expires, apis=tuple(dict.fromkeys(apis)))
        self.store.add_token(token, _digest(secret))
        return secret, token

    def create_first(self) -> str | None:
        """The secret of a new admin token; None if any token exists already."""
        if self.store.tokens():
            return None
        try:
            return self.create("first", Role.ADMIN)[0]
        except TokenNameTaken:
            return None  # Another control plane has created it since.

    def add_first(self, secret: str) -> None:
        """Make a secret that an earlier start created the first token again."""
        self.store.add_token(Token("first", Role.ADMIN, self.clock()), _digest(secret))

    def all(self) -> Sequence[Token]:
        """Every token, revoked and expired ones included."""
        return self.store.tokens()

    def authenticate(self, secret: str) -> Token | None:
        """The valid token with this secret, and None if there is none. Records the use."""
        now, digest = self.clock(), _digest(secret)
        token = self.store.find_token(digest)
        if token is None or not token.valid(now):
            return None
        if token.last_used is None or now - token.last_used >= USE_RECORDED_EVERY:
            self.store.touch_token(digest, now)
        return token

    def find_named(self, name: str, created: datetime) -> Token | None:
        """The token of that name that was created at that time, as it is now."""
        return self.store.find_token_named(name, created)

    def is_known(self, secret: str) -> bool:
        """Whether a valid token with this secret is in memory. Reads no database and does not wait.

        A token that another control plane created is in memory after :meth:`all`.
        """
        token = self.store.known_token(_digest(secret))
        return token is not None and token.valid(self.clock())

    def revoke(self, name: str) -> Token:
        """Revoke a token; every control plane refuses it from its next use.

        Raises:
            NotFound: no valid token has this name.

        """
        revoked = self.store.revoke_token(name, self.clock())
        if revoked is None:
            raise NotFound("token", name)
        return revoked


def generate_secret() -> str:
    """A new secret."""
    return _PREFIX + secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    # A fast hash is enough: nobody can guess 256 random bits, so there is nothing to slow down.
    return sha256(secret.encode()).hexdigest()


class InMemoryTokenStore:
    """A :class:`TokenStore` whose tokens end with the process, for a gateway that runs a file."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}
        self.on_revoked: dict[str, Callable[[Token], None]] = {}
        """By the name of a token: called when it was revoked."""

    def add_token(self, token: Token, digest: str) -> None:
        """Store a new token, unless a valid one has the same name."""
        with self._lock:
            if self._find_valid(token.name, token.created) is not None:
                raise TokenNameTaken(token.name)
            self._tokens[digest] = token

    def tokens(self) -> Sequence[Token]:
        """Every token, oldest first."""
        return tuple(self._tokens.values())

    def find_token(self, digest: str) -> Token | None:
        """The token with that digest."""
        return self._tokens.get(digest)

    def known_token(self, digest: str) -> Token | None:
        """The token with that digest."""
        return self._tokens.get(digest)

    def find_token_named(self, name: str, created: datetime) -> Token | None:
        """The token of that name that was created at that time."""
        same = (one for one in self._tokens.values() if (one.name, one.created) == (name, created))
        return next(same, None)

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the valid token of that name."""
        with self._lock:
            digest = self._find_valid(name, at)
            if digest is None:
                return None
            revoked = self._tokens[digest] = replace(self._tokens[digest], revoked=at)
        # A later token of that name is another one.
        if (observer := self.on_revoked.pop(name, None)) is not None:
            observer(revoked)
        return revoked

    def touch_token(self, digest: str, at: datetime) -> None:
        """Record the time of the token's last use."""
        with self._lock:
            self._tokens[digest] = replace(self._tokens[digest], last_used=at)

    def _find_valid(self, name: str, at: datetime) -> str | None:
        found = (digest for digest, one in self._tokens.items() if one.name == name and one.valid(at))
        return next(found, None)
