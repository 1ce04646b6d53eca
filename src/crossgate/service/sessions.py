"""Sessions of the console, and the links that open one. Secrets are stored as hashes only.

A session of a token has what the token permits now, and ends with it. Other sessions carry their caller
themselves: those that a link from the terminal opened, and those of a company's sign-in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from threading import Lock
from typing import Final, Protocol
from urllib.parse import urlsplit

from crossgate.service.errors import LinkNeedsToken
from crossgate.service.permission import Role
from crossgate.service.ports import utc_now
from crossgate.service.tokens import Token, Tokens

LIFETIME: Final = timedelta(hours=12)
IDLE: Final = timedelta(hours=2)
"""Without a request for so long, a session ends. Event streams do not count: an open page needs nobody."""
USE_RECORDED_EVERY: Final = timedelta(minutes=1)
LINK_LIFETIME: Final = timedelta(minutes=10)
LINK_CALLER: Final = "console link"
"""Author of what a session of the terminal's link changes. A token's name has no space."""
MAX_SESSIONS: Final = 64
"""Of one caller; the next sign-in ends the oldest."""
MAX_USER_AGENT: Final = 300


class SignInMethod(StrEnum):
    """How a session was opened."""

    TOKEN = "token"
    LINK = "link"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is stored. Times are UTC."""

    id: str
    """Public: for lists, and for ending it."""
    method: SignInMethod
    name: str
    role: Role
    apis: tuple[str, ...]
    token_created: datetime | None
    """With the name, identifies the caller's token; None: the caller is not a token."""
    created: datetime
    expires: datetime
    last_used: datetime
    user_agent: str


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Times are UTC."""

    id: str
    """Public: for lists, and for ending it."""
    caller: Token
    """With whose name, role and limit the session calls the API."""
    csrf: str
    """The value that forms send back, so that no other site can write. It follows from the cookie's secret;
    empty in lists."""
    created: datetime
    expires: datetime
    last_used: datetime
    method: SignInMethod
    user_agent: str
    """As the browser sent it, shortened."""


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link that opens a session once."""

    name: str
    token_created: datetime | None
    """With the name, identifies the token whose session it opens; None: the terminal's link."""
    expires: datetime


class SessionStore(Protocol):
    """Stores sessions and links by the digest of their secret.

    Methods that need the database raise :class:`~crossgate.service.errors.StoreUnavailable` if it fails.
    """

    def add_session(self, session: StoredSession, digest: str) -> None:
        """Store a new session, and remove those that have expired at its creation."""
        ...

    def find_session(self, digest: str) -> StoredSession | None:
        """The session with that digest; from memory while the database cannot be reached."""
        ...

    def sessions(self) -> Sequence[StoredSession]:
        """Every session, the oldest first."""
        ...

    def end_sessions(self, ids: Sequence[str]) -> int:
        """Remove sessions; returns how many there were."""
        ...

    def touch_session(self, session_id: str, at: datetime) -> None:
        """Record the time of the last use; does nothing while the database cannot be reached."""
        ...

    def add_link(self, link: StoredLink, digest: str, at: datetime) -> None:
        """Store a new link, and remove expired ones; a token's link replaces its earlier one."""
        ...

    def take_link(self, digest: str) -> StoredLink | None:
        """Remove the link with that digest, and return it: to one of several callers at once."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """The use cases of sessions: open, find, list, end."""

    store: SessionStore
    tokens: Tokens
    clock: Callable[[], datetime] = utc_now

    def open(
        self, caller: Token, method: SignInMethod = SignInMethod.TOKEN, user_agent: str = ""
    ) -> tuple[str, Session]:
        """A new secret for the browser's cookie, and its session.

        With the method ``TOKEN``, the caller is a stored token; otherwise the session keeps what the caller
        may do now.
        """
        of_token = method is SignInMethod.TOKEN
        return self._open(caller, method, user_agent, caller.created if of_token else None)

    def open_by_link(self, secret: str, user_agent: str = "") -> tuple[str, Session] | None:
        """As :meth:`open`, for the link with this secret; None if it is unknown, used or expired."""
        link, now = self.store.take_link(_digest(secret)), self.clock()
        if link is None or now >= link.expires:
            return None
        caller: Token | None = Token(link.name, Role.ADMIN, now)
        if link.token_created is not None:
            caller = self.tokens.find_named(link.name, link.token_created)
        if caller is None or not caller.valid(now):
            return None
        return self._open(caller, SignInMethod.LINK, user_agent, link.token_created)

    def find(self, secret: str, *, records_use: bool = True) -> Session | None:
        """The session with this secret, None if there is none or it has ended."""
        return self._find(secret, records_use=records_use)

    def holds(self, secret: str) -> bool:
        """Whether the session with this secret has not ended. Records no use."""
        return self._find(secret, records_use=False) is not None

    def all(self) -> Sequence[Session]:
        """Every session that has not ended, the oldest first."""
        now = self.clock()
        used = [(one, self._caller(one, now)) for one in self.store.sessions()]
        return [_session(one, caller) for one, caller in used if caller is not None]

    def end(self, session_id: str) -> bool:
        """End a session; whether there was one."""
        return self.store.end_sessions([session_id]) > 0

    def end_all(self, name: str | None = None) -> int:
        """End all sessions of the callers with this name, or of everybody; returns how many."""
        return self.store.end_sessions([one.id for one in self.all() if name in (None, one.caller.name)])

    def create_link(self, caller: Token | None = None) -> tuple[str, datetime]:
        """The secret of a new link, and when it expires. It opens a session of the caller.

        Without a caller, it opens one of an admin with the name :data:`LINK_CALLER`.

        Raises:
            LinkNeedsToken: the caller is not a token; so no session can prolong itself.

        """
        now, secret = self.clock(), secrets.token_urlsafe(32)
        if caller is not None and self.tokens.find_named(caller.name, caller.created) is None:
            raise LinkNeedsToken
        link = StoredLink(
            LINK_CALLER if caller is None else caller.name,
            None if caller is None else caller.created,
            now + LINK_LIFETIME,
        )
        self.store.add_link(link, _digest(secret), now)
        return secret, link.expires

    def _open(
        self, caller: Token, method: SignInMethod, user_agent: str, token_created: datetime | None
    ) -> tuple[str, Session]:
        now, secret = self.clock(), secrets.token_urlsafe(32)
        stored = StoredSession(
            id=secrets.token_hex(6),
            method=method,
            name=caller.name,
            role=caller.role,
            apis=caller.apis,
            token_created=token_created,
            created=now,
            expires=min(now + LIFETIME, caller.expires or now + LIFETIME),
            last_used=now,
            user_agent=user_agent[:MAX_USER_AGENT],
        )
        self.store.add_session(stored, _digest(secret))
        of_caller = [one.id for one in self.store.sessions() if one.name == caller.name]
        self.store.end_sessions(of_caller[:-MAX_SESSIONS])
        own = self._caller(stored, now) or caller
        return secret, _session(stored, own, _csrf(secret))

    def _find(self, secret: str, *, records_use: bool) -> Session | None:
        stored, now = self.store.find_session(_digest(secret)), self.clock()
        caller = None if stored is None else self._caller(stored, now)
        if stored is None or caller is None:
            return None
        if records_use and now - stored.last_used >= USE_RECORDED_EVERY:
            self.store.touch_session(stored.id, now)
        return _session(stored, caller, _csrf(secret))

    def _caller(self, session: StoredSession, now: datetime) -> Token | None:
        """With which name, role and limit the session calls the API now; None if it has ended."""
        if now >= session.expires or now - session.last_used >= IDLE:
            return None
        if session.token_created is None:
            return Token(
                session.name,
                session.role,
                session.created,
                session.expires,
                session.last_used,
                None,
                session.apis,
            )
        token = self.tokens.find_named(session.name, session.token_created)
        return token if token is not None and token.valid(now) else None


def link_url(base: str, secret: str) -> str:
    """The link with the secret, for a console at ``base``.

    On this machine it is named `localhost`: cookies ignore ports, and the gateway's examples say `127.0.0.1`.
    """
    parts = urlsplit(base)
    port = f":{parts.port}" if parts.port else ""
    name = "localhost" if parts.hostname in _THIS_MACHINE else parts.netloc.removesuffix(port)
    return f"{parts.scheme}://{name}{port}/sign-in#once={secret}"


_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})


def _session(stored: StoredSession, caller: Token, csrf: str = "") -> Session:
    return Session(
        stored.id,
        caller,
        csrf,
        stored.created,
        stored.expires,
        stored.last_used,
        stored.method,
        stored.user_agent,
    )


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _csrf(secret: str) -> str:
    # Not stored: a reader of the database can neither take over a session nor write through its browser.
    return sha256(b"csrf " + secret.encode("utf-8", "replace")).hexdigest()


class InMemorySessionStore:
    """A :class:`SessionStore` whose sessions end with the process, for a gateway that runs a file."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sessions: dict[str, StoredSession] = {}
        self._links: dict[str, StoredLink] = {}

    def add_session(self, session: StoredSession, digest: str) -> None:
        """Store a new session, and remove those that have expired at its creation."""
        with self._lock:
            kept = {key: one for key, one in self._sessions.items() if one.expires > session.created}
            self._sessions = {**kept, digest: session}

    def find_session(self, digest: str) -> StoredSession | None:
        """The session with that digest."""
        return self._sessions.get(digest)

    def sessions(self) -> Sequence[StoredSession]:
        """Every session, the oldest first."""
        return tuple(self._sessions.values())

    def end_sessions(self, ids: Sequence[str]) -> int:
        """Remove sessions; returns how many there were."""
        with self._lock:
            before = len(self._sessions)
            self._sessions = {key: one for key, one in self._sessions.items() if one.id not in ids}
            return before - len(self._sessions)

    def touch_session(self, session_id: str, at: datetime) -> None:
        """Record the time of the last use."""
        with self._lock:
            for digest, one in self._sessions.items():
                if one.id == session_id:
                    self._sessions[digest] = replace(one, last_used=at)

    def add_link(self, link: StoredLink, digest: str, at: datetime) -> None:
        """Store a new link, and remove expired ones; a token's link replaces its earlier one."""
        with self._lock:
            kept = {
                key: one
                for key, one in self._links.items()
                if one.expires > at and (link.token_created is None or one.name != link.name)
            }
            self._links = {**kept, digest: link}

    def take_link(self, digest: str) -> StoredLink | None:
        """Remove the link with that digest, and return it."""
        with self._lock:
            return self._links.pop(digest, None)
