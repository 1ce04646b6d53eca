"""Tokens, on both databases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from crossgate.service.errors import NotFound, ServiceError
from crossgate.service.permission import Role
from crossgate.service.tokens import USE_RECORDED_EVERY, Tokens
from crossgate.store import Store, StoreLocation, open_store


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


def test_token_is_valid_until_it_expires(store: Store) -> None:
    clock = Clock()
    tokens = Tokens(store.tokens, clock)
    secret, token = tokens.create("ci", Role.EDITOR, timedelta(hours=1))
    assert tokens.authenticate(secret) == token
    assert tokens.authenticate(secret + "x") is None
    clock.now += timedelta(hours=1)
    assert tokens.authenticate(secret) is None


def test_revoked_token_is_refused_by_every_store(store: Store, location: StoreLocation) -> None:
    here = Tokens(store.tokens)
    secret, _ = here.create("ci", Role.ADMIN)
    with open_store(location) as other:
        there = Tokens(other.tokens)
        assert there.authenticate(secret) is not None
        revoked = here.revoke("ci")
        assert revoked.revoked is not None
        assert there.authenticate(secret) is None
    with pytest.raises(NotFound):
        here.revoke("ci")


def test_name_of_an_expired_token_can_be_reused(store: Store) -> None:
    clock = Clock()
    tokens = Tokens(store.tokens, clock)
    tokens.create("ci", Role.VIEWER, timedelta(hours=1))
    with pytest.raises(ServiceError) as refused:
        tokens.create("ci", Role.ADMIN)
    assert [one.code for one in refused.value.diagnostics] == ["token-name-taken"]
    clock.now += timedelta(hours=2)
    tokens.create("ci", Role.ADMIN)
    assert [(one.name, one.role) for one in tokens.all()] == [("ci", Role.VIEWER), ("ci", Role.ADMIN)]


def test_last_use_is_recorded_at_most_once_a_minute(store: Store) -> None:
    clock = Clock()
    tokens = Tokens(store.tokens, clock)
    secret, _ = tokens.create("ci", Role.VIEWER)
    first = clock.now
    tokens.authenticate(secret)
    clock.now += USE_RECORDED_EVERY / 2
    tokens.authenticate(secret)
    assert tokens.all()[0].last_used == first
    clock.now += USE_RECORDED_EVERY
    tokens.authenticate(secret)
    assert tokens.all()[0].last_used == clock.now


def test_first_token_is_created_once(store: Store) -> None:
    tokens = Tokens(store.tokens)
    secret = tokens.create_first()
    assert secret is not None
    token = tokens.authenticate(secret)
    assert token is not None
    assert token.role is Role.ADMIN
    assert tokens.create_first() is None


def test_roles_include_lower_roles() -> None:
    assert Role.ADMIN.includes(Role.EDITOR)
    assert Role.EDITOR.includes(Role.VIEWER)
    assert not Role.VIEWER.includes(Role.EDITOR)
