"""Sessions of the console and sign-in links in the database: they survive a restart, and hold everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Row, and_, delete, insert, or_, select, update

from crossgate.service.errors import StoreUnavailable
from crossgate.service.permission import Role
from crossgate.service.sessions import SignInMethod, StoredLink, StoredSession
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import links, sessions


class SessionTable:
    """A :class:`~crossgate.service.sessions.SessionStore` in the database.

    Every lookup reads the database, so that a session that one control plane ends is over on all. While the
    database is unavailable, lookups use the last state that was read.
    """

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self._lock = Lock()
        self._known: dict[str, StoredSession] = {}
        """The last state that was read, by digest."""

    def add_session(self, session: StoredSession, digest: str) -> None:
        """Store a new session, and remove those that have expired at its creation."""
        with self._store.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= session.created))
            connection.execute(
                insert(sessions).values(
                    digest=digest,
                    id=session.id,
                    method=session.method.value,
                    name=session.name,
                    role=session.role.value,
                    apis=" ".join(session.apis) or None,
                    token_created=session.token_created,
                    created=session.created,
                    expires=session.expires,
                    last_used=session.last_used,
                    user_agent=session.user_agent,
                )
            )
        with self._lock:
            live = {key: one for key, one in self._known.items() if one.expires > session.created}
            self._known = {**live, digest: session}

    def find_session(self, digest: str) -> StoredSession | None:
        """The session with that digest."""
        try:
            with self._store.reading() as connection:
                row = connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
        except StoreUnavailable:
            return self._known.get(digest)
        found = None if row is None else _session(row)
        with self._lock:
            if found is None:
                self._known.pop(digest, None)
            else:
                self._known[digest] = found
        return found

    def sessions(self) -> Sequence[StoredSession]:
        """Every session, the oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(select(sessions).order_by(sessions.c.created, sessions.c.id))
            return [_session(row) for row in rows]

    def end_sessions(self, ids: Sequence[str]) -> int:
        """Remove sessions; returns how many there were."""
        if not ids:
            return 0
        with self._store.writing() as connection:
            ended = connection.execute(delete(sessions).where(sessions.c.id.in_(ids))).rowcount
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if one.id not in ids}
        return ended

    def touch_session(self, session_id: str, at: datetime) -> None:
        """Record the time of the last use."""
        try:
            with self._store.writing() as connection:
                connection.execute(update(sessions).where(sessions.c.id == session_id).values(last_used=at))
        except StoreUnavailable:
            return

    def add_link(self, link: StoredLink, digest: str, at: datetime) -> None:
        """Store a new link, and remove expired ones; a token's link replaces its earlier one."""
        replaced = links.c.expires <= at
        if link.token_created is not None:
            replaced = or_(replaced, and_(links.c.name == link.name, links.c.token_created.is_not(None)))
        with self._store.writing() as connection:
            connection.execute(delete(links).where(replaced))
            connection.execute(
                insert(links).values(
                    digest=digest, name=link.name, token_created=link.token_created, expires=link.expires
                )
            )

    def take_link(self, digest: str) -> StoredLink | None:
        """Remove the link with that digest, and return it."""
        with self._store.reading() as connection:
            # A guess takes no turn of the writers.
            if connection.execute(select(links.c.digest).where(links.c.digest == digest)).first() is None:
                return None
        with self._store.writing() as connection:
            taken = delete(links).where(links.c.digest == digest).returning(links)
            row = connection.execute(taken).first()
        return None if row is None else StoredLink(row.name, row.token_created, row.expires)


def _session(row: Row[Any]) -> StoredSession:
    return StoredSession(
        row.id,
        SignInMethod(row.method),
        row.name,
        Role(row.role),
        tuple((row.apis or "").split()),
        row.token_created,
        row.created,
        row.expires,
        row.last_used,
        row.user_agent,
    )
