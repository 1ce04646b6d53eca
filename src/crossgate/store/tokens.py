"""Tokens in the database, with a copy in memory for the time when the database cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, update

from crossgate.service.errors import StoreUnavailable, TokenNameTaken
from crossgate.service.permission import Role
from crossgate.service.tokens import Token
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import tokens
from crossgate.store.writes import lock_head


class TokenTable:
    """A :class:`~crossgate.service.tokens.TokenStore` in the database.

    Every lookup reads the database, so that a token revoked on one control plane is refused by all. While the
    database is unavailable, lookups use the last state that was read.
    """

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self._known: dict[str, Token] = {}
        self.tokens()

    def add_token(self, token: Token, digest: str) -> None:
        """Store a new token, unless a valid one has the same name."""
        with self._store.writing() as connection:
            # Two control planes that create the same name at once run one after the other.
            lock_head(connection)
            same_name = connection.execute(select(tokens).where(tokens.c.name == token.name))
            if any(_token(row).valid(token.created) for row in same_name):
                raise TokenNameTaken(token.name)
            connection.execute(
                insert(tokens).values(
                    digest=digest,
                    name=token.name,
                    role=token.role.value,
                    created=token.created,
                    expires=token.expires,
                    apis=" ".join(token.apis) or None,
                )
            )
        self._known[digest] = token

    def tokens(self) -> Sequence[Token]:
        """Every token, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created, tokens.c.name)).all()
        self._known = {row.digest: _token(row) for row in rows}
        return tuple(self._known.values())

    def find_token(self, digest: str) -> Token | None:
        """The token with that digest."""
        try:
            with self._store.reading() as connection:
                row = connection.execute(select(tokens).where(tokens.c.digest == digest)).first()
        except StoreUnavailable:
            return self._known.get(digest)
        if row is None:
            self._known.pop(digest, None)
            return None
        self._known[digest] = _token(row)
        return self._known[digest]

    def known_token(self, digest: str) -> Token | None:
        """The token with that digest, from memory."""
        return self._known.get(digest)

    def find_token_named(self, name: str, created: datetime) -> Token | None:
        """The token of that name that was created at that time."""
        same = and_(tokens.c.name == name, tokens.c.created == created)
        try:
            with self._store.reading() as connection:
                row = connection.execute(select(tokens).where(same)).first()
        except StoreUnavailable:
            known = (one for one in self._known.values() if (one.name, one.created) == (name, created))
            return next(known, None)
        return None if row is None else _token(row)

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the valid token of that name."""
        valid = and_(
            tokens.c.name == name,
            tokens.c.revoked.is_(None),
            or_(tokens.c.expires.is_(None), tokens.c.expires > at),
        )
        with self._store.writing() as connection:
            row = connection.execute(update(tokens).where(valid).values(revoked=at).returning(tokens)).first()
        return None if row is None else _token(row)

    def touch_token(self, digest: str, at: datetime) -> None:
        """Record the time of the token's last use."""
        try:
            with self._store.writing() as connection:
                connection.execute(update(tokens).where(tokens.c.digest == digest).values(last_used=at))
        except StoreUnavailable:
            return


def _token(row: Row[Any]) -> Token:
    return Token(
        row.name,
        Role(row.role),
        row.created,
        row.expires,
        row.last_used,
        row.revoked,
        tuple((row.apis or "").split()),
    )
