"""Sessions and sign-in links, on both databases and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.unit.store.conftest import closing

from crossgate.service.errors import Forbidden
from crossgate.service.permission import Role
from crossgate.service.sessions import (
    IDLE,
    LIFETIME,
    LINK_CALLER,
    LINK_LIFETIME,
    MAX_SESSIONS,
    USE_RECORDED_EVERY,
    InMemorySessionStore,
    Sessions,
    SignInMethod,
)
from crossgate.service.tokens import InMemoryTokenStore, Token, Tokens
from crossgate.store import PostgresqlUrl, SqliteDirectory, Store, StoreLocation, open_store
from crossgate.store.open import engine_for
from crossgate.store.private_directory import FILE_NAME


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def sessions(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Sessions]:
    if request.param == "memory":
        yield Sessions(InMemorySessionStore(), Tokens(InMemoryTokenStore(), clock), clock)
        return
    found: StoreLocation = request.getfixturevalue("directory" if request.param == "sqlite" else "database")
    with open_store(found) as store:
        yield of(store, clock)


def of(store: Store, clock: Clock) -> Sessions:
    return Sessions(store.sessions, Tokens(store.tokens, clock), clock)


def test_a_session_of_a_token_ends_with_it(sessions: Sessions) -> None:
    _, token = sessions.tokens.create("ci", Role.EDITOR, apis=("pets",))
    secret, opened = sessions.open(token, user_agent="Firefox" * 100)
    assert (opened.caller, len(opened.user_agent)) == (token, 300)
    found = sessions.find(secret)
    assert found == opened
    assert found is not None
    assert len(found.csrf) == 64
    assert sessions.find(secret + "x") is None
    assert sessions.find("\ud800") is None
    sessions.tokens.revoke("ci")
    assert sessions.find(secret) is None
    assert sessions.all() == []
    sessions.tokens.create("ci", Role.ADMIN)
    assert sessions.find(secret) is None, "another token of the same name"


def test_a_session_ends_with_its_expiring_token(sessions: Sessions, clock: Clock) -> None:
    _, token = sessions.tokens.create("ci", Role.VIEWER, timedelta(minutes=5))
    secret, _ = sessions.open(token)
    clock.now += timedelta(minutes=5)
    assert sessions.find(secret) is None


def test_a_session_ends_without_use(sessions: Sessions, clock: Clock) -> None:
    _, token = sessions.tokens.create("ci", Role.VIEWER)
    secret, _ = sessions.open(token)
    clock.now += IDLE - USE_RECORDED_EVERY
    assert sessions.holds(secret), "it records no use"
    assert sessions.find(secret) is not None
    clock.now += IDLE - USE_RECORDED_EVERY
    assert sessions.find(secret) is not None
    clock.now += IDLE
    assert not sessions.holds(secret)
    assert sessions.find(secret) is None


def test_a_session_ends_after_its_lifetime_however_much_it_is_used(sessions: Sessions, clock: Clock) -> None:
    _, token = sessions.tokens.create("ci", Role.VIEWER)
    secret, _ = sessions.open(token)
    end = clock.now + LIFETIME
    while clock.now < end:
        assert sessions.find(secret) is not None
        clock.now += timedelta(hours=1)
    assert sessions.find(secret) is None
    sessions.open(token)
    assert len(sessions.store.sessions()) == 1, "the expired one was removed"


def test_a_company_session_keeps_its_role_and_limit(sessions: Sessions, clock: Clock) -> None:
    person = Token("ann@example.com", Role.EDITOR, clock.now, apis=("pets",))
    secret, opened = sessions.open(person, SignInMethod.COMPANY)
    assert opened.caller.expires == opened.expires == clock.now + LIFETIME
    found = sessions.find(secret)
    assert found is not None
    assert (found.caller.name, found.caller.permission) == (person.name, person.permission)


def test_each_sign_in_has_another_secret_id_and_form_token(sessions: Sessions) -> None:
    _, token = sessions.tokens.create("ci", Role.VIEWER)
    opened = [sessions.open(token) for _ in range(3)]
    assert len({secret for secret, _ in opened}) == 3
    assert len({one.id for _, one in opened}) == len({one.csrf for _, one in opened}) == 3


def test_sign_out_here_everywhere_and_of_everybody(sessions: Sessions) -> None:
    _, ann = sessions.tokens.create("ann", Role.VIEWER)
    _, bob = sessions.tokens.create("bob", Role.VIEWER)
    secrets = [sessions.open(one)[0] for one in (ann, ann, ann, bob, bob)]
    first = sessions.find(secrets[0])
    assert first is not None
    assert sessions.end(first.id)
    assert not sessions.end(first.id)
    assert [sessions.holds(one) for one in secrets] == [False, True, True, True, True]
    assert sessions.end_all("ann") == 2
    assert [sessions.holds(one) for one in secrets] == [False, False, False, True, True]
    assert sessions.end_all() == 2
    assert sessions.all() == []


def test_the_oldest_of_too_many_sessions_of_a_caller_end(sessions: Sessions, clock: Clock) -> None:
    _, token = sessions.tokens.create("ci", Role.VIEWER)
    secrets = []
    for _ in range(MAX_SESSIONS + 2):
        clock.now += timedelta(seconds=1)
        secrets.append(sessions.open(token)[0])
    assert [sessions.holds(one) for one in secrets[:4]] == [False, False, True, True]


def test_a_link_opens_one_session_of_an_admin(sessions: Sessions, clock: Clock) -> None:
    secret, expires = sessions.create_link()
    assert expires == clock.now + LINK_LIFETIME
    assert sessions.open_by_link(secret + "x") is None
    opened = sessions.open_by_link(secret, "Chrome")
    assert opened is not None
    caller = opened[1].caller
    assert (caller.name, caller.role, opened[1].method) == (LINK_CALLER, Role.ADMIN, SignInMethod.LINK)
    assert sessions.find(opened[0]) == opened[1]
    assert sessions.open_by_link(secret) is None, "a second use"
    with pytest.raises(Forbidden):
        sessions.create_link(caller)


def test_a_link_expires(sessions: Sessions, clock: Clock) -> None:
    secret, _ = sessions.create_link()
    clock.now += LINK_LIFETIME
    assert sessions.open_by_link(secret) is None


def test_a_link_of_a_token_opens_its_session(sessions: Sessions) -> None:
    _, token = sessions.tokens.create("ci", Role.EDITOR, apis=("pets",))
    replaced, _ = sessions.create_link(token)
    terminal, _ = sessions.create_link()
    secret, _ = sessions.create_link(token)
    assert sessions.open_by_link(replaced) is None
    opened = sessions.open_by_link(secret)
    assert opened is not None
    assert opened[1].caller == token
    third, _ = sessions.create_link(token)
    sessions.tokens.revoke("ci")
    assert sessions.find(opened[0]) is None
    assert sessions.open_by_link(third) is None
    assert sessions.open_by_link(terminal) is not None


def test_a_link_is_good_once_for_many_at_once(sessions: Sessions) -> None:
    secret, _ = sessions.create_link()
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: sessions.open_by_link(secret), range(8)))
    assert sum(one is not None for one in opened) == 1


def test_sessions_survive_a_restart(location: StoreLocation, clock: Clock) -> None:
    with open_store(location) as store:
        before = of(store, clock)
        _, token = before.tokens.create("ci", Role.EDITOR)
        secret, opened = before.open(token)
        link, _ = before.create_link()
    with open_store(location) as store:
        assert of(store, clock).find(secret) == opened
        assert of(store, clock).open_by_link(link) is not None


def test_two_control_planes_share_sessions(database: PostgresqlUrl, clock: Clock) -> None:
    with open_store(database) as one, open_store(database) as other:
        here, there = of(one, clock), of(other, clock)
        _, token = here.tokens.create("ci", Role.EDITOR)
        secret, opened = here.open(token)
        assert there.find(secret) == opened
        link, _ = here.create_link()
        assert there.open_by_link(link) is not None
        assert here.open_by_link(link) is None
        assert there.end(opened.id)
        assert here.find(secret) is None


def test_known_sessions_hold_while_the_database_cannot_be_reached(store: Store, clock: Clock) -> None:
    sessions = of(store, clock)
    _, token = sessions.tokens.create("ci", Role.EDITOR)
    secret, opened = sessions.open(token)
    store.catalogue.reachable.clear()
    clock.now += USE_RECORDED_EVERY
    found = sessions.find(secret)
    assert found is not None
    assert found.id == opened.id
    assert sessions.find("unknown") is None


def test_no_secret_is_stored(directory: SqliteDirectory, clock: Clock) -> None:
    with open_store(directory) as store:
        sessions = of(store, clock)
        _, token = sessions.tokens.create("ci", Role.EDITOR)
        secret, opened = sessions.open(token)
        link, _ = sessions.create_link()
    with closing(engine_for(directory)) as engine, engine.begin() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    content = b"".join(file.read_bytes() for file in Path(directory.path).glob(f"{FILE_NAME}*"))
    assert opened.id.encode() in content
    assert not any(one.encode() in content for one in (secret, opened.csrf, link))
