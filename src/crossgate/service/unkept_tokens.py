"""Tokens of a gateway that keeps nothing: they end with the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import Refusal
from crossgate.service.token import Token


class InMemoryTokenStore:
    """A :class:`~crossgate.service.ports.TokenStore` in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}

    def add_token(self, token: Token, digest: str) -> None:
        """Keep a new token, unless one of its name works."""
        with self._lock:
            if self._working(token.name, token.created) is not None:
                raise Refusal([_taken(token.name)])
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
