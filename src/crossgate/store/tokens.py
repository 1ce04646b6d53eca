"""Tokens in the database, and in memory for as long as it cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, or_, select, update

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import ServiceError, StoreUnavailable
from crossgate.service.tokens import Role, Token
from crossgate.store.statements import Statement
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import tokens
from crossgate.store.writes import locked_head_number

_OF_TOKEN = (
    tokens.c.name,
    tokens.c.role,
    tokens.c.created,
    tokens.c.expires,
    tokens.c.last_used,
    tokens.c.revoked,
)
_FIND = Statement(select(*_OF_TOKEN).where(tokens.c.digest == bindparam("of_digest")))


class TokenTable:
    """A :class:`~crossgate.service.tokens.TokenStore`.

    Each look goes to the database, so a token that was revoked elsewhere works nowhere any more. While the
    database is away, what it last said holds.
    """

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self._known: dict[str, Token] = {}
        self.tokens()

    def add_token(self, token: Token, digest: str) -> None:
        """Keep a new token, unless one of its name works."""
        with self._store.writing() as connection:
            locked_head_number(connection)  # two that create the same name come one after the other
            namesakes = connection.execute(select(tokens).where(tokens.c.name == token.name))
            if any(_token(row).works(token.created) for row in namesakes):
                raise ServiceError([_taken(token.name)])
            connection.execute(
                insert(tokens).values(
                    digest=digest,
                    name=token.name,
                    role=token.role.value,
                    created=token.created,
                    expires=token.expires,
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
        """The token with that hash."""
        try:
            with self._store.reading() as connection:
                rows = _FIND.run(connection, {"of_digest": digest})
        except StoreUnavailable:
            return self._known.get(digest)
        if not rows:
            self._known.pop(digest, None)
            return None
        [(name, role, *times)] = rows
        self._known[digest] = Token(name, Role(role), *times)
        return self._known[digest]

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the working token of that name."""
        works = and_(
            tokens.c.name == name,
            tokens.c.revoked.is_(None),
            or_(tokens.c.expires.is_(None), tokens.c.expires > at),
        )
        with self._store.writing() as connection:
            row = connection.execute(update(tokens).where(works).values(revoked=at).returning(tokens)).first()
        return None if row is None else _token(row)

    def touch_token(self, digest: str, at: datetime) -> None:
        """Note that the token was used."""
        try:
            with self._store.writing() as connection:
                connection.execute(update(tokens).where(tokens.c.digest == digest).values(last_used=at))
        except StoreUnavailable:
            return


def _token(row: Row[Any]) -> Token:
    return Token(row.name, Role(row.role), row.created, row.expires, row.last_used, row.revoked)


def _taken(name: str) -> Diagnostic:
    return Diagnostic(
        code="token-name-taken",
        message="a token of this name works already",
        found=name,
        remedy="Choose another name, or revoke that token first",
    )
