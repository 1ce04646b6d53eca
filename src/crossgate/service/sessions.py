"""Sessions of the console: who is signed in, since when and until when. Secrets are stored as hashes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from crossgate.service.ports import utc_now
from crossgate.service.tokens import Token

LIFETIME: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Times are UTC."""

    id: str
    """Public: for lists, and for ending it."""
    caller: Token
    """With whose name, role and limit the session calls the API."""
    csrf: str
    """The value that forms send back, so that no other site can write."""
    created: datetime
    expires: datetime


class SessionStore(Protocol):
    """Stores sessions by the digest of their secret."""

    def add_session(self, session: Session, digest: str) -> None:
        """Store a new session."""
        ...

    def find_session(self, digest: str) -> Session | None:
        """The session with that digest."""
        ...

    def sessions(self) -> Sequence[Session]:
        """Every session, the oldest first."""
        ...

    def end_session(self, session_id: str) -> bool:
        """Remove a session; whether there was one."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """The use cases of sessions: open, find, list, end."""

    store: SessionStore
    clock: Callable[[], datetime] = utc_now

    def open(self, caller: Token) -> tuple[str, Session]:
        """A new secret for the browser's cookie, and its session."""
        now, secret = self.clock(), secrets.token_urlsafe(32)
        session = Session(secrets.token_hex(6), caller, secrets.token_urlsafe(24), now, now + LIFETIME)
        self.store.add_session(session, _digest(secret))
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session with this secret, None if there is none or it has expired."""
        session = self.store.find_session(_digest(secret))
        return session if session is not None and self.clock() < session.expires else None

    def all(self) -> Sequence[Session]:
        """Every session, the oldest first."""
        return self.store.sessions()

    def end(self, session_id: str) -> bool:
        """End a session; whether there was one."""
        return self.store.end_session(session_id)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class InMemorySessionStore:
    """A :class:`SessionStore` whose sessions end with the process."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def add_session(self, session: Session, digest: str) -> None:
        """Store a new session."""
        self._sessions[digest] = session

    def find_session(self, digest: str) -> Session | None:
        """The session with that digest."""
        return self._sessions.get(digest)

    def sessions(self) -> Sequence[Session]:
        """Every session, the oldest first."""
        return tuple(self._sessions.values())

    def end_session(self, session_id: str) -> bool:
        """Remove a session; whether there was one."""
        found = next((digest for digest, one in self._sessions.items() if one.id == session_id), None)
        if found is not None:
            del self._sessions[found]
        return found is not None
